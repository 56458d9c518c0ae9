"""Which usage is whose: months that wait to be issued, and plans that were changed in mid-month, stand beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.billing.models import BillingPeriod, Invoice, InvoiceStatus, Subscription

Span = tuple[datetime, datetime]


@dataclass
class _History:
    """An account's plans by their beginning, and its months that no invoice was issued for."""

    plans: list[Subscription] = field(default_factory=list)
    waiting: list[BillingPeriod] = field(default_factory=list)

    def own(self, period: BillingPeriod) -> Span:
        """What was used while the month ran: its plan ends where the next one begins."""
        number = next(n for n, plan in enumerate(self.plans) if plan.pk == period.subscription_id)
        later = [plan.started_at for plan in self.plans[number + 1 :]]
        start = max(period.period_start, self.plans[number].started_at)
        return start, max(start, min([period.period_end, *later]))

    def charged(self, period: BillingPeriod) -> Span:
        start, end = self.own(period)
        before = [own for own in map(self.own, self.waiting) if own[0] < start]
        return max((own[1] for own in before), default=self.plans[0].started_at), end


def usage_spans(periods: Sequence[BillingPeriod]) -> dict[UUID, Span]:
    """When what each period's invoice charges was used, half-open.

    What came late of a month whose invoice is out is charged by the next; a month that still waits keeps its own.
    """
    histories = _histories({period.subscription.account_id for period in periods})
    return {period.pk: histories[period.subscription.account_id].charged(period) for period in periods}


def _histories(account_ids: Iterable[UUID]) -> dict[UUID, _History]:
    found: dict[UUID, _History] = defaultdict(_History)
    for plan in Subscription.objects.filter(account__in=account_ids).order_by("started_at", "pk"):
        found[plan.account_id].plans.append(plan)
    issued = Invoice.objects.filter(period=OuterRef("pk")).exclude(status=InvoiceStatus.DRAFT)
    waiting = BillingPeriod.objects.filter(~Exists(issued), subscription__account__in=account_ids)
    for period in waiting.select_related("subscription").order_by("period_start", "pk"):
        found[period.subscription.account_id].waiting.append(period)
    return found
