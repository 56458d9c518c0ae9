from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import F, QuerySet

from apps.accounts.models import ApiKey, Invitation, StaffMembership, User
from apps.accounts.policies import STAFF_PERMISSIONS
from apps.accounts.tokens import token_hash
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.core.visible import get_visible

INVITATION_PURPOSE = "accounts.invitation"


class InvitationState(StrEnum):
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"


_EXPLANATIONS = {
    InvitationState.UNKNOWN: "This link leads to no invitation. Check that the whole address was copied.",
    InvitationState.EXPIRED: "This invitation has expired. Ask the person who invited you to send a new one.",
    InvitationState.USED: "This invitation was used already. Sign in with the password you chose.",
    InvitationState.REVOKED: "This invitation was withdrawn or replaced by a newer one. Look for a later mail.",
}


class InvitationUnusable(AnticipatedError):
    status = 410

    def __init__(self, state: InvitationState) -> None:
        super().__init__(_EXPLANATIONS[state])
        self.state = state


def get_invitation_of_token(token: str, now: datetime, *, lock: bool = False) -> Invitation:
    """The open invitation of a mailed link. Raises InvitationUnusable."""
    rows = Invitation.objects.select_for_update() if lock else Invitation.objects.all()
    invitation = rows.filter(token_hash=token_hash(INVITATION_PURPOSE, token)).first()
    if invitation is None:
        raise InvitationUnusable(InvitationState.UNKNOWN)
    if invitation.accepted_at is not None:
        raise InvitationUnusable(InvitationState.USED)
    if invitation.revoked_at is not None:
        raise InvitationUnusable(InvitationState.REVOKED)
    if not invitation.is_open(now):
        raise InvitationUnusable(InvitationState.EXPIRED)
    return invitation


def list_team(actor: Actor) -> QuerySet[StaffMembership]:
    """Raises NotPermitted."""
    actor.require("team.view")
    return StaffMembership.objects.select_related("user").order_by("created_at", "id")


def get_member(actor: Actor, membership_id: UUID) -> StaffMembership:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_team(actor), membership_id, "There is no such member.")


def find_member(email: str) -> StaffMembership | None:
    """The place on the team of the person with this address."""
    return StaffMembership.objects.filter(user__email__iexact=email).first()


def list_allowed_people(permission: str) -> list[str]:
    """The ids of everybody on the team who can sign in and whose role allows this."""
    roles = [role for role, permissions in STAFF_PERMISSIONS.items() if permission in permissions]
    found = StaffMembership.objects.filter(role__in=roles, user__is_active=True).order_by("id")
    return [str(user_id) for user_id in found.values_list("user_id", flat=True)]


def list_open_invitations(actor: Actor, subject_key: str = "") -> QuerySet[Invitation]:
    """Neither accepted nor withdrawn; expired ones included, so that they can be sent again."""
    if not subject_key:
        actor.require("team.view")
    elif not actor.sees(UUID(subject_key.partition(":")[2])):
        raise NotVisible("There is no such customer.")
    return Invitation.objects.filter(subject_key=subject_key, accepted_at=None, revoked_at=None).order_by("-id")


def get_open_invitation(actor: Actor, invitation_id: UUID, subject_key: str = "") -> Invitation:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_open_invitations(actor, subject_key), invitation_id, "There is no such invitation.")


def list_api_keys(actor: Actor) -> QuerySet[ApiKey]:
    """Usable keys first, then the void ones, newest first."""
    actor.require("keys.manage")
    return ApiKey.objects.order_by(F("revoked_at").asc(nulls_first=True), "-id")


def get_api_key(actor: Actor, key_id: UUID) -> ApiKey:
    """Raises NotVisible, NotPermitted."""
    return get_visible(list_api_keys(actor), key_id, "There is no such key.")


def has_account(email: str) -> bool:
    return User.objects.filter(email__iexact=email).exists()


def people_with_second_factor(user_ids: list[UUID]) -> set[UUID]:
    rows = Authenticator.objects.filter(user_id__in=user_ids, type=Authenticator.Type.TOTP)
    return set(rows.values_list("user_id", flat=True))
