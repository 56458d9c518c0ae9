"""The shell around the customer's pages: navigation, the person, and the choice of customer where there are several."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.policies import CustomerRole
from apps.core import clock
from apps.core.actor import Actor
from apps.customer_portal.selectors.needs import count_needs
from apps.customers.access import resolve_customer_actor
from apps.customers.models import CustomerMembership
from apps.customers.selectors import list_memberships
from apps.ui.links import address_of
from apps.ui.nav import Frame, MenuLink, Navigation, NavItem, NavSection, Switch, SwitchOption, UserMenu


def build_frame(request: HttpRequest) -> Frame:
    actor = getattr(request, "actor", None) or resolve_customer_actor(request)
    membership: CustomerMembership | None = getattr(request, "membership", None)
    user = request.user
    if actor is None or membership is None or not isinstance(user, User):
        return Frame()
    return Frame(
        nav=_navigation(actor),
        user=UserMenu(
            name=str(user),
            email=user.email,
            role=f"{CustomerRole(membership.role).label} · {membership.customer.name}",
            links=(MenuLink("Your account", address_of("account_profile"), "user"),),
        ),
        switches=_switches(user, membership),
        home_url=address_of("customer_portal:overview"),
    )


def _navigation(actor: Actor) -> Navigation:
    needs = count_needs(actor, clock.now()) if actor.can("errors.view") else 0
    overview = address_of("customer_portal:overview")
    integrations = address_of("customer_portal:integration_list")
    return Navigation(
        (
            NavSection(
                (
                    NavItem("Overview", overview, "home", exact=True),
                    NavItem("Integrations", integrations, "arrows-exchange"),
                    NavItem("Activity", address_of("customer_portal:activity_list"), "activity"),
                    NavItem(
                        "Needs you", address_of("customer_portal:needs_list"), "bell", badge=needs or None,
                        badge_label="waiting for you", badge_tone="attention",
                    ),
                )
            ),
            NavSection(
                (
                    NavItem("Reports", address_of("customer_portal:report_list"), "report-analytics"),
                    NavItem("Invoices", address_of("customer_portal:invoice_list"), "file-invoice"),
                    NavItem("Settings", address_of("customer_portal:settings"), "settings"),
                )
            ),
        )
    )  # fmt: skip


def _switches(user: User, active: CustomerMembership) -> tuple[Switch, ...]:
    """Shown only to people who act for several customers."""
    memberships = list(list_memberships(user))
    if len(memberships) < 2:
        return ()
    options = tuple(
        SwitchOption(
            m.customer.name,
            reverse("customer_portal:choose_customer", args=[m.customer_id]),
            active=m.customer_id == active.customer_id,
        )
        for m in memberships
    )
    return (Switch("Customer", active.customer.name, options, icon="building"),)
