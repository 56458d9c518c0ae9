from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.policies import CustomerRole
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.regions import country_name
from apps.customers.models import Customer, CustomerMembership
from apps.customers.selectors import list_members


@dataclass(frozen=True, slots=True)
class Member:
    membership: CustomerMembership
    name: str
    email: str
    role: str
    role_label: str
    is_self: bool


def describe_members(customer: Customer, actor: Actor) -> list[Member]:
    return [
        Member(
            membership=membership,
            name=str(membership.user),
            email=membership.user.email,
            role=membership.role,
            role_label=CustomerRole(membership.role).label,
            is_self=str(membership.user_id) == actor.id,
        )
        for membership in list_members(customer)
    ]


def get_other_member(actor: Actor, customer: Customer, membership_id: UUID) -> CustomerMembership:
    """Anybody but oneself: an administrator cannot lock themselves, the last one, out. Raises NotVisible."""
    found = list_members(customer).exclude(user_id=actor.id).select_related("user", "customer").filter(pk=membership_id)
    membership = found.first() if actor.sees(customer.pk) else None
    if membership is None:
        raise NotVisible("There is no such member.")
    return membership


def customer_facts(customer: Customer) -> list[tuple[str, Any]]:
    return [
        ("Name", customer.name),
        ("Currency", customer.currency),
        ("Time zone", customer.time_zone),
        ("Country", country_name(customer.country)),
        ("Contact", customer.contact_name or customer.contact_email),
    ]
