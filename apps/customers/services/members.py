"""Who may act for a customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.accounts.models import Invitation, User
from apps.accounts.policies import CustomerRole
from apps.audit.services import record_audit
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AnticipatedError, NotPermitted
from apps.core.visible import get_visible
from apps.customers.models import Customer, CustomerMembership


class UnableToAddMember(AnticipatedError):
    """This person cannot be given this role here."""

    code = "unable_to_add_member"


@transaction.atomic
def add_member(*, actor: Actor, now: datetime, customer: Customer, user: User, role: str) -> CustomerMembership:
    """This function will let the person act for the customer; an existing membership takes the new role."""
    _require_managed(actor, customer)
    _require_role(role)
    if customer.archived_at is not None:
        raise UnableToAddMember("The customer is archived: nobody can join it any more.")
    membership, created = CustomerMembership.objects.get_or_create(
        user=user, customer=customer, defaults={"role": role, "created_at": now}
    )
    if created:
        _audit(actor, now, membership, "member.added", after={"role": role})
    else:
        return change_member_role(actor=actor, now=now, membership=membership, role=role)
    return membership


@transaction.atomic
def change_member_role(*, actor: Actor, now: datetime, membership: CustomerMembership, role: str) -> CustomerMembership:
    """Raises NotVisible when the membership ended meanwhile, UnableToAddMember, NotPermitted."""
    _require_managed(actor, membership.customer)
    _require_role(role)
    locked = get_visible(CustomerMembership.objects.select_for_update(), membership.pk, "There is no such person.")
    if locked.role != role:
        before, locked.role = locked.role, role
        locked.save(update_fields=["role"])
        _audit(actor, now, locked, "member.role_changed", before={"role": before}, after={"role": role})
    return locked


@transaction.atomic
def remove_member(*, actor: Actor, now: datetime, membership: CustomerMembership) -> None:
    """This function will end the membership, once; the person's account and other memberships stay."""
    _require_managed(actor, membership.customer)
    ended, _ = CustomerMembership.objects.filter(pk=membership.pk).delete()
    if ended:
        _audit(actor, now, membership, "member.removed", before={"role": str(membership.role)})


def accept_membership(*, user: User, invitation: Invitation, now: datetime) -> None:
    """This function will turn an accepted invitation (`customer:<id>`) into a membership, in its transaction."""
    customer_id = invitation.subject_key.partition(":")[2]
    customer = Customer.objects.active().filter(pk=customer_id).first()
    if customer is None:
        raise UnableToAddMember("This customer is no longer served here. Ask who invited you.")
    actor = Actor(ActorKind.USER, str(user.pk), str(user), frozenset({"members.manage"}), frozenset({customer.pk}))
    add_member(actor=actor, now=now, customer=customer, user=user, role=invitation.role)


def _require_managed(actor: Actor, customer: Customer) -> None:
    """Staff who manage customers, or the customer's own administrators."""
    actor.require_sight(customer.pk, "There is no such customer.")
    if not (actor.can("customers.manage") or actor.can("members.manage")):
        raise NotPermitted("Your role does not allow this. Ask an administrator of your team.")


def _require_role(role: str) -> None:
    if role not in CustomerRole.values:
        raise UnableToAddMember("Choose one of the offered roles.", field="role")


def _audit(
    actor: Actor,
    now: datetime,
    membership: CustomerMembership,
    action: str,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    record_audit(
        actor=actor,
        action=action,
        target_key=f"user:{membership.user_id}",
        target_label=str(membership.user),
        owner_key=membership.customer.subject_key,
        before=before,
        after=after,
        now=now,
    )
