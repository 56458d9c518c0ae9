"""What starts an integration's flows, as a choice with numbers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.accounts.access import ActorRequest, Audience, requires
from apps.billing.rating import PriceTerms
from apps.billing.selectors import find_live_subscription
from apps.core import clock
from apps.core.errors import NotVisible
from apps.flows.models import Flow, Integration, RoleBinding
from apps.flows.selectors import get_integration
from apps.flows.services import change_starts
from apps.flows.services.template_versions import requires_second_person
from apps.flows.states import starts_of
from apps.partner_portal.actions import perform
from apps.sync.estimates import Choice, basis_of, choices_for, estimate, shares_of

SCHEDULED = ("every", "cron", "webhook")


@require_http_methods(["GET", "POST"])
@requires(Audience.STAFF, "integrations.manage")
def edit_schedule(request: ActorRequest, integration_id: UUID) -> HttpResponse:
    integration = get_integration(request.actor, integration_id)
    bindings = list(integration.role_bindings.select_related("connection").order_by("role"))
    flows = integration.flows.filter(retired_at=None).select_related("current_version").order_by("created_at", "id")
    choices, telling = choices_for(bindings)
    if request.method == "POST":
        return _choose(request, integration, list(flows), choices, telling)
    prices, currency = _prices(integration)
    context = {
        "integration": integration, "currency": currency, "crumbs": _crumbs(integration),
        "rows": [_row(flow, bindings, choices, prices) for flow in flows if flow.current_version],
    }  # fmt: skip
    return render(request, "partner_portal/schedule.html", context)


def _row(
    flow: Flow, bindings: list[RoleBinding], choices: list[Choice], prices: list[PriceTerms] | None
) -> dict[str, Any]:
    starts = starts_of(flow.current_version.definition) if flow.current_version else []
    basis, shares = basis_of(flow, clock.now()), shares_of(flow, bindings)
    return {
        "flow": flow, "basis": basis, "chosen": _chosen(starts, choices),
        "estimates": [estimate(choice, basis, shares, prices) for choice in choices],
    }  # fmt: skip


def _chosen(starts: list[dict[str, Any]], choices: list[Choice]) -> str:
    """Which choice the flow has now; "" when it is none of them."""
    told = any("webhook" in trigger for trigger in starts)
    cron = next((str(trigger["cron"]) for trigger in starts if "cron" in trigger), "")
    every = min((int(trigger["every"]) for trigger in starts if "every" in trigger), default=0)
    for choice in choices:
        if (choice.cron and choice.cron == cron) or (choice.is_webhook and told):
            return choice.key
        if not told and not cron and not choice.is_webhook and choice.every == every:
            return choice.key
    return ""


def _choose(
    request: ActorRequest, integration: Integration, flows: list[Flow], choices: list[Choice], telling: list[str]
) -> HttpResponse:
    flow = next((found for found in flows if str(found.pk) == request.POST.get("flow")), None)
    choice = next((found for found in choices if found.key == request.POST.get("choice")), None)
    if flow is None or choice is None or flow.current_version is None:
        raise NotVisible("There is no such flow or choice.")
    kept = [one for one in starts_of(flow.current_version.definition) if not set(one) & set(SCHEDULED)]
    starts = {flow.key: choice.triggers(telling, kept)}
    waits = requires_second_person() and integration.status != "draft"
    return perform(
        request,
        lambda: change_starts(
            actor=request.actor, now=clock.now(), integration=integration, starts=starts,
            note=f"{flow.name}: {choice.label.lower()}"[:200],
        ),
        done="Kept as a draft. Hand it in for review." if waits else f"{flow.name}: {choice.label.lower()}.",
        next_url=reverse("partner_portal:versions" if waits else "partner_portal:schedule", args=[integration.pk]),
    )  # fmt: skip


def _prices(integration: Integration) -> tuple[list[PriceTerms] | None, str]:
    """The plan's prices; None for what is not billed: a sandbox, or a customer without a plan."""
    currency = integration.customer.currency
    subscription = find_live_subscription(integration.customer.subject_key)
    if subscription is None or integration.environment.kind != "production":
        return None, currency
    rows = subscription.plan_version.prices.all()
    prices = [
        PriceTerms(
            label=row.label, meter=row.meter, unit_amount=row.unit_amount, included_quantity=row.included_quantity
        )
        for row in rows
    ]
    return prices, subscription.account.currency


def _crumbs(integration: Integration) -> list[tuple[str, str]]:
    return [
        (integration.customer.name, reverse("partner_portal:customer", args=[integration.customer_id])),
        (integration.name, reverse("partner_portal:integration", args=[integration.pk])),
    ]
