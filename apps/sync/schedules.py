"""What may start the flows of an integration, with the numbers of each choice beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.billing.rating import PriceTerms
from apps.billing.selectors import find_live_subscription
from apps.core.errors import NotVisible
from apps.flows.models import Flow, Integration, RoleBinding
from apps.flows.states import starts_of
from apps.sync.estimates import Basis, Choice, Estimate, basis_of, choices_for, estimate, shares_of

SCHEDULED = ("every", "cron", "webhook")


@dataclass(frozen=True, slots=True)
class FlowChoices:
    """`chosen` is the key of the choice the flow has now, "" when it is none of them."""

    flow: Flow
    basis: Basis
    chosen: str
    estimates: list[Estimate]


@dataclass(frozen=True, slots=True)
class ScheduleChoices:
    """`currency` is that of the estimates' amounts."""

    currency: str
    flows: list[FlowChoices]


def schedule_choices(integration: Integration, now: datetime) -> ScheduleChoices:
    bindings = _bindings(integration)
    choices, _ = choices_for(bindings)
    prices, currency = _prices(integration)
    flows = integration.flows.filter(retired_at=None).select_related("current_version").order_by("created_at", "id")
    rows = []
    for flow in flows:
        if flow.current_version:
            basis, shares = basis_of(flow, now), shares_of(flow, bindings)
            estimates = [estimate(choice, basis, shares, prices) for choice in choices]
            rows.append(
                FlowChoices(flow, basis, _chosen(starts_of(flow.current_version.definition), choices), estimates)
            )
    return ScheduleChoices(currency, rows)


def chosen_starts(flow: Flow, key: str) -> tuple[Choice, list[dict[str, Any]]]:
    """The choice and what the flow's triggers become by it; what no schedule replaces stays. Raises NotVisible."""
    choices, telling = choices_for(_bindings(flow.integration))
    choice = next((found for found in choices if found.key == key), None)
    if choice is None or flow.current_version is None or flow.retired_at is not None:
        raise NotVisible("There is no such flow or choice.")
    kept = [one for one in starts_of(flow.current_version.definition) if not set(one) & set(SCHEDULED)]
    return choice, choice.triggers(telling, kept)


def _bindings(integration: Integration) -> list[RoleBinding]:
    return list(integration.role_bindings.select_related("connection").order_by("role"))


def _chosen(starts: list[dict[str, Any]], choices: list[Choice]) -> str:
    told = any("webhook" in trigger for trigger in starts)
    cron = next((str(trigger["cron"]) for trigger in starts if "cron" in trigger), "")
    every = min((int(trigger["every"]) for trigger in starts if "every" in trigger), default=0)
    for choice in choices:
        if (choice.cron and choice.cron == cron) or (choice.is_webhook and told):
            return choice.key
        if not told and not cron and not choice.is_webhook and choice.every == every:
            return choice.key
    return ""


def _prices(integration: Integration) -> tuple[list[PriceTerms] | None, str]:
    """The plan's prices; None for what is not billed: a sandbox, or a customer without a plan."""
    currency = integration.customer.currency
    subscription = find_live_subscription(integration.customer.subject_key)
    if subscription is None or integration.environment.kind != "production":
        return None, currency
    prices = [
        PriceTerms(
            label=row.label, meter=row.meter, unit_amount=row.unit_amount, included_quantity=row.included_quantity
        )
        for row in subscription.plan_version.prices.all()
    ]
    return prices, subscription.account.currency
