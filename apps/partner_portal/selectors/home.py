"""The partner's morning page: numbers over all customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.billing.models import BillingAccount, Invoice, InvoiceStatus, PriceKind, Subscription
from apps.core.actor import Actor
from apps.core.money import Money, round_half_up
from apps.sync.models import SyncRun

DAYS = 14


@dataclass(frozen=True, slots=True)
class RecordsByDay:
    """Records created or updated at targets in production, oldest day first; the last one is today (UTC)."""

    counts: list[int]

    @property
    def today(self) -> int:
        return self.counts[-1]

    @property
    def usual(self) -> int:
        """The mean of the full days before; today is not over, so no difference is drawn."""
        return round(sum(self.counts[:-1]) / (DAYS - 1))


def records_by_day(actor: Actor, now: datetime) -> RecordsByDay:
    first = (now - timedelta(days=DAYS - 1)).date()
    rows = (
        SyncRun.objects.visible_to(actor)
        .production()
        .filter(queued_at__date__gte=first)
        .order_by()
        .values_list(TruncDate("queued_at"))
        .annotate(written=Sum(F("created_count") + F("updated_count")))
    )
    written = dict(rows)
    return RecordsByDay([written.get(first + timedelta(days=offset), 0) or 0 for offset in range(DAYS)])


@dataclass(frozen=True, slots=True)
class Revenue:
    """Monthly recurring revenue of one currency, and how it moved since `since`."""

    now: Money
    before: Money
    customer_count: int

    @property
    def movement(self) -> Money:
        return self.now - self.before


def revenue(actor: Actor, *, now: datetime, since: datetime) -> list[Revenue]:
    """Per currency, the largest first; flat fees alone are recurring."""
    flat = Sum("plan_version__prices__unit_amount", filter=Q(plan_version__prices__kind=PriceKind.FLAT))
    rows = (
        Subscription.objects.filter(account__in=BillingAccount.objects.visible_to(actor))
        .annotate(flat=flat)
        .values_list("plan_version__currency", "flat", "started_at", "canceled_at")
    )
    sums: dict[str, list[Decimal]] = {}
    for currency, fee, started, canceled in rows:
        found = sums.setdefault(currency, [Decimal(0), Decimal(0), Decimal(0)])
        for place, instant in enumerate((now, since)):
            if started <= instant and (canceled is None or canceled > instant):
                found[place] += fee or 0
                found[2] += 1 if place == 0 else 0
    totals = [
        Revenue(Money(round_half_up(live), code), Money(round_half_up(before), code), int(count))
        for code, (live, before, count) in sums.items()
    ]
    return sorted((t for t in totals if t.now.amount or t.before.amount), key=lambda total: -total.now.amount)


def drafts_to_review(actor: Actor) -> QuerySet[Invoice]:
    """Invoices of months that are over, which nobody has issued."""
    drafts = Invoice.objects.visible_to(actor).filter(status=InvoiceStatus.DRAFT, period__closed_at__isnull=False)
    return drafts.select_related("account").order_by("created_at", "id")
