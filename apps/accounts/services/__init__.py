"""Every write to people, teams, invitations and keys, by aggregate; other apps import from here."""

from apps.accounts.services.api_keys import (
    ApiKeyRefused,
    UnableToCreateApiKey,
    authenticate_api_key,
    create_api_key,
    revoke_api_key,
    revoke_customer_keys,
)
from apps.accounts.services.invitations import (
    UnableToAccept,
    UnableToInvite,
    accept_invitation,
    invite,
    revoke_invitation,
)
from apps.accounts.services.lists import UnableToSaveView, choose_columns, delete_view, save_view
from apps.accounts.services.operators import create_operator
from apps.accounts.services.people import (
    UnableToChangeTeam,
    UnableToCreatePerson,
    appoint,
    change_role,
    create_person,
    deactivate,
    reactivate,
    transfer_ownership,
    update_profile,
)

__all__ = [
    "ApiKeyRefused",
    "UnableToAccept",
    "UnableToChangeTeam",
    "UnableToCreateApiKey",
    "UnableToCreatePerson",
    "UnableToInvite",
    "UnableToSaveView",
    "accept_invitation",
    "appoint",
    "authenticate_api_key",
    "change_role",
    "choose_columns",
    "create_api_key",
    "create_operator",
    "create_person",
    "deactivate",
    "delete_view",
    "invite",
    "reactivate",
    "revoke_api_key",
    "revoke_customer_keys",
    "revoke_invitation",
    "save_view",
    "transfer_ownership",
    "update_profile",
]
