"""Which usage is whose, where an account changed its plan: two months then run beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.billing.models import BillingPeriod, Invoice, InvoiceStatus, Subscription

Span = tuple[datetime, datetime]


def usage_spans(periods: Sequence[BillingPeriod]) -> dict[UUID, Span]:
    """When what each period's invoice charges was used, half-open.

    A plan ends where the next one of the account begins. What comes late of an earlier plan is charged by the current one
    once there is no invoice of the earlier one to come.
    """
    plans = _plans_of({period.subscription.account_id for period in periods})
    return {period.pk: _span(period, plans[period.subscription.account_id]) for period in periods}


def _plans_of(account_ids: Iterable[UUID]) -> dict[UUID, list[Subscription]]:
    issued = Invoice.objects.filter(period=OuterRef("pk")).exclude(status=InvoiceStatus.DRAFT)
    to_come = BillingPeriod.objects.filter(~Exists(issued), subscription=OuterRef("pk"))
    rows = Subscription.objects.filter(account__in=account_ids).annotate(is_billed=~Exists(to_come))
    found: dict[UUID, list[Subscription]] = defaultdict(list)
    for row in rows.order_by("started_at", "pk"):
        found[row.account_id].append(row)
    return found


def _span(period: BillingPeriod, plans: list[Subscription]) -> Span:
    own = next(number for number, plan in enumerate(plans) if plan.pk == period.subscription_id)
    start = plans[own].started_at
    for earlier in reversed(plans[:own]):
        if not earlier.is_billed:  # type: ignore[attr-defined]  # annotated
            break
        start = earlier.started_at
    later = [plan.started_at for plan in plans[own + 1 :]]
    return start, max(start, min([period.period_end, *later]))
