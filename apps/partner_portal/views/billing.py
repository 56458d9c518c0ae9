"""What do I earn, who owes me? The overview, subscriptions, and who issues the invoices."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.models import BillingAccount, Subscription, SubscriptionStatus
from apps.billing.revenue import AGES
from apps.billing.selectors import get_default_issuer
from apps.billing.services import update_legal_entity
from apps.core import clock
from apps.partner_portal.actions import submit
from apps.partner_portal.forms.billing import LegalEntityForm
from apps.partner_portal.lists.revenue import invoiced_charts, revenue_tiles
from apps.partner_portal.request import partner_of
from apps.partner_portal.selectors.home import drafts_to_review
from apps.partner_portal.selectors.revenue import get_overview
from apps.partner_portal.tabs import Tabs
from apps.ui import htmx
from apps.ui.filters import Filter, parse_filters
from apps.ui.links import link_to
from apps.ui.paging import page_queryset
from apps.ui.status import status_of
from apps.ui.tables import Column, build_table

TABS = Tabs(
    ("billing", "Overview", "billing.view"), ("invoices", "Invoices", "billing.view"),
    ("subscriptions", "Subscriptions", "billing.view"), ("plans", "Plans", "billing.view"), ("legal_entity", "Your company", "billing.manage"),
)  # fmt: skip


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_overview(request: ActorRequest) -> HttpResponse:
    overview = get_overview(request.actor, partner_of(request).time_zone, clock.now())
    drafts = drafts_to_review(request.actor)
    context = {
        "tabs": TABS.of(request, "billing"), "tiles": revenue_tiles(overview), "charts": invoiced_charts(overview),
        "movements": overview.movements, "totals": overview.totals.values(), "ages": AGES,
        "debts": [(debt, customer_url(debt.subject_key)) for debt in overview.debts],
        "draft_count": drafts.count(), "has_numbers": bool(overview.movements or overview.invoiced),
    }  # fmt: skip
    return render(request, "partner_portal/billing.html", context)


SUBSCRIPTION_COLUMNS = (
    Column("customer", "Customer", value="account.legal_name", main=True),
    Column("plan", "Plan", value=lambda s: str(s.plan_version)),
    Column("state", "State", "status", value=lambda s: status_of(s.status, label=s.get_status_display())),
    Column("since", "Since", "datetime", value="started_at"),
    Column("ended", "Ended", "datetime", value="canceled_at", wide_only=True),
)


@require_GET
@requires(Audience.STAFF, "billing.view")
def show_subscriptions(request: ActorRequest) -> HttpResponse:
    filters = parse_filters(
        request, [Filter("state", "State", SubscriptionStatus.choices)], search_placeholder="Customer or plan"
    )
    accounts = BillingAccount.objects.visible_to(request.actor)
    if filters.search:
        accounts = accounts.filter(legal_name__icontains=filters.search)
    found = Subscription.objects.filter(account__in=accounts).select_related("account", "plan_version__plan")
    if filters.chosen("state"):
        found = found.filter(status__in=filters.chosen("state"))
    page = page_queryset(found, request, order=("-started_at", "-id"))
    table = build_table(
        page.items, SUBSCRIPTION_COLUMNS, caption="Subscriptions", noun="subscriptions", url=_account_url
    )
    context = {"tabs": TABS.of(request, "subscriptions"), "filters": filters, "page": page, "table": table}
    return htmx.render_page(
        request, "partner_portal/subscriptions.html", "partner_portal/_subscription_rows.html", context
    )


def _account_url(subscription: Subscription) -> str:
    return customer_url(subscription.account.subject_key)


def customer_url(subject_key: str) -> str:
    """The billing tab of the customer an account belongs to; empty for any other subject."""
    kind, _, key = subject_key.partition(":")
    return link_to("partner_portal:customer_billing")(key) if kind == "customer" else ""


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "billing.manage")
def edit_legal_entity(request: ActorRequest) -> HttpResponse:
    entity = get_default_issuer()
    form = LegalEntityForm(request.POST or None, initial=LegalEntityForm.initial_of(entity))
    if request.method == "POST":
        saved = submit(
            form, lambda data: update_legal_entity(actor=request.actor, now=clock.now(), entity=entity, **data)
        )
        if saved is not None:
            messages.info(request, "Saved. Invoices issued from now on show it.")
            return htmx.redirect(request, reverse("partner_portal:legal_entity"))
    context = {"tabs": TABS.of(request, "legal_entity"), "form": form, "entity": entity}
    return render(request, "partner_portal/legal_entity.html", context)
