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
    ends: list[datetime] = field(default_factory=list)  # of the last month of each plan
    waiting: list[BillingPeriod] = field(default_factory=list)

    def add(self, period: BillingPeriod, *, is_waiting: bool) -> None:
        """In their order: a plan's first month brings the plan."""
        if not self.plans or self.plans[-1].pk != period.subscription_id:
            self.plans.append(period.subscription)
            self.ends.append(period.period_end)
        self.ends[-1] = period.period_end
        if is_waiting:
            self.waiting.append(period)

    def own(self, period: BillingPeriod) -> Span:
        """What was used while the month ran: its plan ends where the next one begins."""
        number = self._number(period)
        later = [plan.started_at for plan in self.plans[number + 1 :]]
        start = max(period.period_start, self.plans[number].started_at)
        return start, max(start, min([period.period_end, *later]))

    def charged(self, period: BillingPeriod) -> Span:
        start, end = self.own(period)
        before = [own[1] for own in map(self.own, self.waiting) if own[0] < start]
        return max([self._covered_since(self._number(period)), *before]), end

    def _number(self, period: BillingPeriod) -> int:
        return next(n for n, plan in enumerate(self.plans) if plan.pk == period.subscription_id)

    def _covered_since(self, number: int) -> datetime:
        """What was used while there was no plan is nobody's to pay."""
        while number and self.ends[number - 1] >= self.plans[number].started_at:
            number -= 1
        return self.plans[number].started_at


def usage_spans(periods: Sequence[BillingPeriod]) -> dict[UUID, Span]:
    """When what each period's invoice charges was used, half-open.

    What came late of a month whose invoice is out is charged by the next; a month that still waits keeps its own.
    """
    histories = _histories({period.subscription.account_id for period in periods})
    return {period.pk: histories[period.subscription.account_id].charged(period) for period in periods}


def _histories(account_ids: Iterable[UUID]) -> dict[UUID, _History]:
    issued = Invoice.objects.filter(period=OuterRef("pk")).exclude(status=InvoiceStatus.DRAFT)
    periods = BillingPeriod.objects.filter(subscription__account__in=account_ids).annotate(is_issued=Exists(issued))
    found: dict[UUID, _History] = defaultdict(_History)
    for period in periods.select_related("subscription").order_by(
        "subscription__started_at", "subscription_id", "period_start"
    ):
        found[period.subscription.account_id].add(period, is_waiting=not period.is_issued)
    return found
