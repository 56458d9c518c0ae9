"""Reads of money. `preview_invoice` runs the very code that issues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    LegalEntity,
    Plan,
    Price,
    Subscription,
    SubscriptionStatus,
    UsageEvent,
)
from apps.billing.rating import PriceTerms, RatedInvoice, TaxRule, rate_invoice, tax_rule_for
from apps.billing.spans import usage_spans
from apps.core.actor import Actor
from apps.core.bulk import fetch_rows
from apps.core.errors import NotVisible
from apps.core.visible import get_visible


def billable_usage(period: BillingPeriod) -> QuerySet[UsageEvent]:
    """What the period's invoice charges: everything used before its end that no invoice has charged yet.

    A late arrival of an earlier month is thereby billed with the current one, and never twice.
    """
    start, end = usage_spans([period])[period.pk]
    return UsageEvent.objects.filter(
        subject_key=period.subscription.account.subject_key, occurred_at__gte=start, occurred_at__lt=end, charge=None
    )


def preview_invoice(period: BillingPeriod) -> RatedInvoice:
    """What the period's invoice would say if it were issued now."""
    return preview_invoices([period])[period.pk]


def preview_invoices(periods: Sequence[BillingPeriod]) -> dict[UUID, RatedInvoice]:
    """The same for many, by period: three queries."""
    prices = _prices_of({period.subscription.plan_version_id for period in periods})
    used = _usage_of(periods)
    return {
        period.pk: rate_invoice(
            prices[period.subscription.plan_version_id], used[period.pk], _tax_of(period.subscription.account)
        )
        for period in periods
    }


def _prices_of(plan_version_ids: set[UUID]) -> dict[UUID, list[PriceTerms]]:
    found: dict[UUID, list[PriceTerms]] = defaultdict(list)
    for price in Price.objects.filter(plan_version__in=plan_version_ids).order_by("plan_version", "position"):
        found[price.plan_version_id].append(
            PriceTerms(
                label=price.label,
                meter=price.meter,
                unit_amount=price.unit_amount,
                included_quantity=price.included_quantity,
            )
        )
    return found


# What `billable_usage` says, for many periods.
_USED = """
SELECT billed.period_id, event.meter, sum(event.quantity)
FROM unnest(%(periods)s::uuid[], %(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS billed (period_id, subject_key, start_at, end_at)
JOIN billing_usageevent event ON event.subject_key = billed.subject_key
    AND event.occurred_at >= billed.start_at AND event.occurred_at < billed.end_at
LEFT JOIN billing_usagecharge charge ON charge.usage_event_id = event.id
WHERE charge.id IS NULL
GROUP BY billed.period_id, event.meter
"""


def _usage_of(periods: Sequence[BillingPeriod]) -> dict[UUID, dict[str, Decimal]]:
    spans = usage_spans(periods)
    values: dict[str, list[Any]] = {
        "periods": [period.pk for period in periods],
        "subjects": [period.subscription.account.subject_key for period in periods],
        "starts": [spans[period.pk][0] for period in periods],
        "ends": [spans[period.pk][1] for period in periods],
    }
    used: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    for period_id, meter, total in fetch_rows(_USED, values):
        used[period_id][meter] = total
    return used


def _tax_of(account: BillingAccount) -> TaxRule:
    return tax_rule_for(
        seller_country=account.legal_entity.country,
        buyer_country=account.country,
        buyer_tax_id=account.tax_id,
        standard_rate=account.legal_entity.tax_rate,
    )


def find_account(subject_key: str) -> BillingAccount | None:
    return BillingAccount.objects.select_related("legal_entity").filter(subject_key=subject_key).first()


def find_live_subscription(subject_key: str) -> Subscription | None:
    return (
        Subscription.objects.select_related("account__legal_entity", "plan_version__plan")
        .filter(account__subject_key=subject_key)
        .exclude(status=SubscriptionStatus.CANCELED)
        .first()
    )


def find_current_period(subscription: Subscription, now: datetime) -> BillingPeriod | None:
    return (
        BillingPeriod.objects.select_related("subscription__account__legal_entity", "subscription__plan_version")
        .filter(subscription=subscription, period_start__lte=now, period_end__gt=now)
        .first()
    )


def list_invoices(actor: Actor) -> QuerySet[Invoice]:
    """Newest first; a customer's people and keys see only what was issued to them."""
    return (
        Invoice.objects.visible_to(actor)
        .select_related("account", "legal_entity", "period")
        .order_by("-created_at", "-id")
    )


def get_invoice(actor: Actor, invoice_id: UUID | str) -> Invoice:
    """Raises NotVisible."""
    return get_visible(list_invoices(actor), invoice_id, "There is no such invoice.")


def get_default_issuer() -> LegalEntity:
    """The company whose invoices go out unless an account says otherwise. Raises NotVisible."""
    found = LegalEntity.objects.filter(is_default=True).first()
    if found is None:
        raise NotVisible("There is no issuing company yet.")
    return found


def get_plan(plan_id: UUID) -> Plan:
    """Raises NotVisible."""
    return get_visible(Plan.objects.all(), plan_id, "There is no such plan.")
