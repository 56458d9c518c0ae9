"""People and their places on the partner's team."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.keeping import require_dispensable
from apps.accounts.models import StaffMembership, User
from apps.accounts.policies import StaffRole
from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError


class UnableToCreatePerson(AnticipatedError):
    """The address is taken or the password too weak."""


class UnableToChangeTeam(AnticipatedError):
    """The change would leave the partner without its owner, or is not the actor's to make."""


def create_person(
    *, email: str, name: str, password: str, now: datetime, time_zone: str = "UTC", check_password: bool = True
) -> User:
    """This function will create somebody who can sign in; the caller has proof that the address is theirs.

    Raises UnableToCreatePerson.
    """
    address = email.strip().lower()
    if User.objects.filter(email__iexact=address).exists():
        raise UnableToCreatePerson("Somebody with this address exists already.", field="email")
    user = User(email=address, name=name.strip(), time_zone=time_zone, created_at=now)
    if check_password:
        _check_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save()
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def appoint(*, user: User, role: str, now: datetime) -> StaffMembership:
    """This function will give the person a place on the team, without asking who may (invitations and set-up do)."""
    return StaffMembership.objects.create(user=user, role=StaffRole(role), created_at=now)


def change_role(*, actor: Actor, now: datetime, membership: StaffMembership, role: str) -> StaffMembership:
    """Raises UnableToChangeTeam, MemberNeeded, NotPermitted."""
    actor.require("team.manage")
    _check_role(role)
    with transaction.atomic():
        locked = _lock_team()[membership.pk]
        if locked.role == StaffRole.OWNER:
            raise UnableToChangeTeam("Transfer the ownership first; a partner always has one owner.", field="role")
        if locked.role != role:
            require_dispensable(locked, role)
            before, locked.role = locked.role, role
            locked.save(update_fields=["role"])
            _audit(actor, "team.role_changed", locked, now, before={"role": before}, after={"role": role})
    return locked


def transfer_ownership(*, actor: Actor, now: datetime, membership: StaffMembership) -> StaffMembership:
    """This function will make the member the owner and the present owner an admin; of the owner it changes nothing.

    Raises UnableToChangeTeam, NotPermitted.
    """
    actor.require("partner.transfer")
    with transaction.atomic():
        locked = _lock_team()
        heir = locked[membership.pk]
        if heir.role == StaffRole.OWNER:
            return heir
        if not heir.user.is_active:
            raise UnableToChangeTeam("This person is deactivated and cannot own the account.")
        # The old owner steps down first: the database allows one owner at any instant.
        StaffMembership.objects.filter(role=StaffRole.OWNER).exclude(pk=heir.pk).update(role=StaffRole.ADMIN)
        heir.role = StaffRole.OWNER
        heir.save(update_fields=["role"])
        _audit(actor, "team.ownership_transferred", heir, now, after={"owner": heir.user.email})
    return heir


def deactivate(*, actor: Actor, now: datetime, membership: StaffMembership) -> StaffMembership:
    """This function will lock the person out and end every session.

    Raises UnableToChangeTeam, MemberNeeded, NotPermitted.
    """
    actor.require("team.manage")
    with transaction.atomic():
        locked = _lock_team()[membership.pk]
        if locked.role == StaffRole.OWNER:
            raise UnableToChangeTeam("The owner cannot be deactivated. Transfer the ownership first.")
        if str(locked.user_id) == actor.id:
            raise UnableToChangeTeam("You cannot deactivate yourself. Ask another administrator.")
        if locked.user.is_active:
            require_dispensable(locked)
            _set_active(locked.user, False)
            _audit(actor, "team.member_deactivated", locked, now)
    return locked


def reactivate(*, actor: Actor, now: datetime, membership: StaffMembership) -> StaffMembership:
    """This function will let the person in again. Raises NotPermitted."""
    actor.require("team.manage")
    with transaction.atomic():
        locked = StaffMembership.objects.select_for_update().select_related("user").get(pk=membership.pk)
        if not locked.user.is_active:
            _set_active(locked.user, True)
            _audit(actor, "team.member_reactivated", locked, now)
    return locked


def update_profile(*, user: User, now: datetime, name: str, time_zone: str) -> User:
    """This function will change what a person may change about themselves."""
    user.name, user.time_zone = name.strip(), time_zone
    user.save(update_fields=["name", "time_zone"])
    return user


def _lock_team() -> dict[UUID, StaffMembership]:
    """Everybody's place, always locked in the same order: who may go depends on who stays."""
    rows = StaffMembership.objects.select_for_update().select_related("user").order_by("pk")
    return {row.pk: row for row in rows}


def _set_active(user: User, active: bool) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])
    if not active:
        for session in UserSession.objects.filter(user=user):
            session.end()


def _check_role(role: str) -> None:
    if role not in StaffRole.values or role == StaffRole.OWNER:
        raise UnableToChangeTeam("Choose one of the roles. Ownership is transferred, not given.", field="role")


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise UnableToCreatePerson(" ".join(error.messages), field="password") from error


def _audit(
    actor: Actor,
    action: str,
    membership: StaffMembership,
    now: datetime,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    record_change(actor=actor, now=now, target=membership.user, action=action, before=before, after=after)
