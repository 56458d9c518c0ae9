"""Agreeing on a secret with vendors that choose it themselves, in their first call to a hook address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection, Credential
from apps.connectors.registry import UnknownVendor, get_connector
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.connectors.services.credentials import open_credential, store_secrets
from apps.connectors.services.inputs import WEBHOOK_SECRET
from apps.core.actor import system_actor

# One per hook, and a customer may hook each of its projects.
MOST_SECRETS = 200
LONGEST_SECRET = 200


@transaction.atomic
def accept_handshake(*, token: str, headers: Mapping[str, str], now: datetime) -> dict[str, str] | None:
    """This function will store the secret a vendor offers and return the headers of the answer; None if it offers none.

    Knowing the address is the proof here: it is as long as a key, and an event leads to nothing but a look at the vendor.
    Raises ForgedWebhook for a secret that cannot be one. Offered twice, a secret is stored once.
    """
    connection = Connection.objects.filter(webhook_token=token, archived_at=None).first()
    if connection is None:
        return None
    try:
        handshake = get_connector(connection.vendor).webhook_handshake(headers)
    except UnknownVendor:
        return None
    if handshake is None:
        return None
    _store(connection, handshake.secret, now)
    return handshake.answer


def _store(connection: Connection, secret: str, now: datetime) -> None:
    credential = Credential.objects.select_for_update().filter(connection=connection).first()
    secrets = open_credential(credential)
    known = secrets.get(WEBHOOK_SECRET, "").split()
    if secret in known:
        return
    if not secret or secret.split() != [secret] or len(secret) > LONGEST_SECRET or len(known) >= MOST_SECRETS:
        raise ForgedWebhook("this cannot be a secret of a new hook")
    store_secrets(
        connection=connection,
        secrets={**secrets, WEBHOOK_SECRET: "\n".join([*known, secret])},
        now=now,
        expires_at=credential.expires_at if credential else None,
        access_ends_at=credential.access_ends_at if credential else None,
    )
    record_change(
        actor=system_actor(), now=now, target=connection, action="connectors.connection.hook_agreed",
        before={"hooks": len(known)}, after={"hooks": len(known) + 1},
    )  # fmt: skip
