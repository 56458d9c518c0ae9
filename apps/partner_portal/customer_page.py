"""The head shared by all tabs of a customer: name, state, actions, tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts.access import ActorRequest
from apps.core import clock
from apps.customers.models import Customer
from apps.flows.models import Integration
from apps.partner_portal.selectors.health import CustomerHealth, health_of_one
from apps.ui import htmx
from apps.ui.links import link_to


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    permission: str


TABS = (
    Tab("customer", "Overview", "customers.view"),
    Tab("customer_connections", "Connections", "connections.view"),
    Tab("customer_integrations", "Integrations", "integrations.view"),
    Tab("customer_runs", "Runs", "runs.view"),
    Tab("customer_errors", "Errors", "errors.view"),
    Tab("customer_exceptions", "Exceptions", "exceptions.view"),
    Tab("customer_modernization", "Modernization", "integrations.view"),
    Tab("customer_sla", "SLA", "sla.view"),
    Tab("customer_billing", "Billing", "billing.view"),
    Tab("customer_users", "Users", "customers.view"),
    Tab("customer_activity", "Activity", "customers.view"),
)


def render_tab(
    request: ActorRequest,
    customer: Customer,
    key: str,
    context: dict[str, Any],
    *,
    partial: str = "",
    status: int = 200,
) -> HttpResponse:
    """`key` is the tab's URL name and its template's; `partial` the swap target of a list, where there is one."""
    own = {
        "customer": customer,
        "tabs": _tabs(request, customer, key),
        "crumbs": [("Customers", reverse("partner_portal:customers"))],
        # Asked for by the head alone: a list that is filtered sends its rows without one.
        "health": SimpleLazyObject(lambda: _health(request, customer)),
        **context,
    }
    page = f"partner_portal/{key}.html"
    if partial:
        return htmx.render_page(request, page, f"partner_portal/{partial}", own, status=status)
    return render(request, page, own, status=status)


def _health(request: ActorRequest, customer: Customer) -> CustomerHealth | None:
    """Nothing for roles that see no integrations."""
    if not request.actor.can("integrations.view"):
        return None
    return health_of_one(request.actor, customer, clock.now())


def customer_crumbs(customer: Customer, tab: str = "") -> list[tuple[str, str]]:
    """The way to a page below the customer's, through one of its tabs (by key) where the page belongs to one."""
    crumbs = [
        ("Customers", reverse("partner_portal:customers")),
        (customer.name, reverse("partner_portal:customer", args=[customer.pk])),
    ]
    through = [
        (found.label, reverse(f"partner_portal:{tab}", args=[customer.pk])) for found in TABS if found.key == tab
    ]
    return [*crumbs, *through]


def integration_crumbs(integration: Integration) -> list[tuple[str, str]]:
    """The way to a page below the integration's."""
    return [
        (integration.customer.name, reverse("partner_portal:customer", args=[integration.customer_id])),
        (integration.name, reverse("partner_portal:integration", args=[integration.pk])),
    ]


def _tabs(request: ActorRequest, customer: Customer, active: str) -> list[dict[str, Any]]:
    return [
        {
            "label": tab.label,
            "url": link_to(f"partner_portal:{tab.key}")(customer.pk),
            "active": tab.key == active,
        }
        for tab in TABS
        if request.actor.can(tab.permission)
    ]
