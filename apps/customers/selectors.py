from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import User
from apps.accounts.policies import CustomerRole
from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.customers.models import Customer, CustomerMembership, Environment, EnvironmentKind


def list_customers(actor: Actor, *, search: str = "") -> QuerySet[Customer]:
    """Customers in service that the actor may see, by name, each with `member_count`."""
    found = Customer.objects.visible_to(actor).active()
    if search.strip():
        found = found.filter(Q(name__icontains=search.strip()) | Q(contact_email__icontains=search.strip()))
    return found.select_related("owner").annotate(member_count=Count("memberships")).order_by("name", "id")


def get_customer(actor: Actor, customer_id: UUID) -> Customer:
    """Raises NotVisible, for a stranger's customer just as for none at all."""
    return get_visible(
        Customer.objects.visible_to(actor).select_related("owner"), customer_id, "There is no such customer."
    )


def get_environment(customer: Customer, kind: EnvironmentKind = EnvironmentKind.PRODUCTION) -> Environment:
    return Environment.objects.select_related("customer").get(customer=customer, kind=kind)


def list_members(customer: Customer) -> QuerySet[CustomerMembership]:
    return CustomerMembership.objects.filter(customer=customer).select_related("user").order_by("user__email", "id")


def list_memberships(user: User) -> QuerySet[CustomerMembership]:
    """The customers a person may act for, in the order of the switcher."""
    own = CustomerMembership.objects.filter(user=user, customer__archived_at=None)
    return own.select_related("customer").order_by("customer__name", "customer_id")


def list_admin_addresses(customer_id: UUID) -> list[str]:
    """Whom to write to when the customer has to do something."""
    admins = CustomerMembership.objects.filter(
        customer_id=customer_id, role=CustomerRole.ADMIN, user__is_active=True, customer__archived_at=None
    )
    return list(admins.order_by("user__email").values_list("user__email", flat=True))
