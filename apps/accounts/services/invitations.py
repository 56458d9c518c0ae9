"""Invitations: offered by mail, accepted once by whoever can read that mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from apps.accounts.invitations import STAFF_KIND, acceptor_of, kind_of, role_label
from apps.accounts.models import Invitation, StaffMembership, User
from apps.accounts.policies import CustomerRole, StaffRole
from apps.accounts.selectors import INVITATION_PURPOSE, get_invitation_of_token
from apps.accounts.services.people import appoint, create_person
from apps.accounts.tokens import new_token, token_hash
from apps.audit.services import record_audit
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError, Conflict, NotVisible
from apps.core.planes import require_tenant_schema
from apps.events.services import record_event
from apps.notifications.services import send_mail
from apps.tenants.selectors import absolute_url, get_partner_of_schema, platform_host

LIFETIME = timedelta(days=7)


class UnableToInvite(AnticipatedError):
    """The address or role does not fit."""


class UnableToAccept(AnticipatedError):
    """The password is wrong, too weak, or the person may not join."""


def invite(
    *, actor: Actor, now: datetime, email: str, role: str, subject_key: str = "", subject_label: str = ""
) -> Invitation:
    """This function will mail an offer of the role; an open offer to the same address is replaced by this one.

    Raises UnableToInvite, NotPermitted, NotVisible.
    """
    _require_may_invite(actor, subject_key)
    address = _clean_address(email)
    _check_role(actor, role, subject_key)
    if not subject_key and StaffMembership.objects.filter(user__email__iexact=address).exists():
        raise UnableToInvite("This person is on your team already.", field="email")
    token = new_token()
    with transaction.atomic():
        _open_invitations(address, subject_key).update(revoked_at=now)
        invitation = Invitation.objects.create(
            email=address, role=role, subject_key=subject_key, subject_label=subject_label,
            token_hash=token_hash(INVITATION_PURPOSE, token), invited_by_label=actor.label, created_at=now,
            expires_at=now + LIFETIME,
        )  # fmt: skip
        _send(invitation, token, now)
        _audit(actor, "invitation.sent", invitation, now, after={"email": address, "role": role})
    return invitation


def revoke_invitation(*, actor: Actor, now: datetime, invitation: Invitation) -> Invitation:
    """Raises Conflict when it was accepted meanwhile, NotPermitted, NotVisible."""
    _require_may_invite(actor, invitation.subject_key)
    with transaction.atomic():
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if locked.accepted_at is not None:
            raise Conflict("The invitation was accepted already. Deactivate the person instead.")
        if locked.revoked_at is None:
            locked.revoked_at = now
            locked.save(update_fields=["revoked_at"])
            _audit(actor, "invitation.revoked", locked, now)
    return locked


def accept_invitation(
    *, token: str, name: str, password: str, now: datetime, signed_in_user: User | None = None
) -> User:
    """This function will make the invited person a member and return them.

    Somebody new gets the name and password; somebody with an account here proves it by its password, or is signed in.
    Raises InvitationUnusable, UnableToAccept, UnableToCreatePerson.
    """
    with transaction.atomic():
        # Locked, so that a link opened twice at once is used once.
        invitation = get_invitation_of_token(token, now, lock=True)
        user = _the_person(invitation, name, password, now, signed_in_user)
        _make_member(user, invitation, now)
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
        actor = Actor(ActorKind.USER, str(user.pk), str(user))
        _audit(actor, "invitation.accepted", invitation, now, after={"role": invitation.role})
        record_event(
            name="accounts.invitation.accepted",
            subject_key=invitation.subject_key or f"user:{user.pk}",
            payload={"invitation": str(invitation.pk), "user": str(user.pk), "role": invitation.role},
            now=now,
        )
    return user


def _the_person(invitation: Invitation, name: str, password: str, now: datetime, signed_in_user: User | None) -> User:
    user = User.objects.filter(email__iexact=invitation.email).first()
    if user is None:
        if not name.strip():
            raise UnableToAccept("Enter your name.", field="name")
        zone = get_partner_of_schema(require_tenant_schema()).time_zone
        return create_person(email=invitation.email, name=name, password=password, now=now, time_zone=zone)
    if not user.is_active:
        raise UnableToAccept("Your account here is deactivated. Ask the person who invited you.")
    if user != signed_in_user and not user.check_password(password):
        raise UnableToAccept("This is not the password of your account here.", field="password")
    # The link came by mail, so the address is proven.
    EmailAddress.objects.filter(user=user, email__iexact=invitation.email).update(verified=True)
    return user


def _make_member(user: User, invitation: Invitation, now: datetime) -> None:
    kind = kind_of(invitation.subject_key)
    if kind == STAFF_KIND:
        if StaffMembership.objects.filter(user=user).exists():
            raise UnableToAccept("You are on this team already. Sign in instead.")
        appoint(user=user, role=invitation.role, now=now)
        return
    acceptor = acceptor_of(kind)
    if acceptor is None:
        raise UnableToAccept("This invitation can no longer be used. Ask for a new one.")
    acceptor(user=user, invitation=invitation, now=now)


def _require_may_invite(actor: Actor, subject_key: str) -> None:
    if kind_of(subject_key) == STAFF_KIND:
        actor.require("team.manage")
        return
    if not actor.sees(UUID(subject_key.partition(":")[2])):
        raise NotVisible("There is no such customer.")
    if not actor.can("members.manage"):
        actor.require("customers.manage")


def _check_role(actor: Actor, role: str, subject_key: str) -> None:
    allowed = CustomerRole.values if subject_key else [value for value in StaffRole.values if value != StaffRole.OWNER]
    if _is_first_owner(actor, role, subject_key):
        return
    if role not in allowed:
        raise UnableToInvite("Choose one of the roles.", field="role")


def _is_first_owner(actor: Actor, role: str, subject_key: str) -> bool:
    """Ownership is transferred, never offered, except to the first owner of a new partner."""
    if subject_key or role != StaffRole.OWNER or actor.kind is not ActorKind.SYSTEM:
        return False
    return not StaffMembership.objects.filter(role=StaffRole.OWNER).exists()


def _clean_address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise UnableToInvite("Enter an e-mail address.", field="email") from error
    return address


def _open_invitations(address: str, subject_key: str) -> QuerySet[Invitation]:
    return Invitation.objects.filter(email__iexact=address, subject_key=subject_key, accepted_at=None, revoked_at=None)


def _send(invitation: Invitation, token: str, now: datetime) -> None:
    host = platform_host(require_tenant_schema())
    send_mail(
        kind="accounts.invitation",
        recipient=invitation.email,
        template="invitation",
        context={
            "invited_by": invitation.invited_by_label,
            "subject_label": invitation.subject_label,
            "role": role_label(invitation),
            "url": absolute_url(host, reverse("accept_invitation", args=[token])),
            "expires_at": invitation.expires_at,
        },
        now=now,
        key=str(invitation.pk),
        is_secret=True,
    )


def _audit(
    actor: Actor, action: str, invitation: Invitation, now: datetime, after: dict[str, str] | None = None
) -> None:
    record_audit(
        actor=actor, action=action, target_key=f"invitation:{invitation.pk}", target_label=str(invitation),
        owner_key=invitation.subject_key, now=now, after=after,
    )  # fmt: skip
