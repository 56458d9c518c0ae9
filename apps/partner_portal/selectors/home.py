"""The partner's morning page: numbers over all customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import TruncDate

from apps.billing.models import Invoice, InvoiceStatus
from apps.core.actor import Actor
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
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    rows = (
        SyncRun.objects.visible_to(actor)
        .production()
        .filter(queued_at__gte=start)
        .order_by()
        .values_list(TruncDate("queued_at", tzinfo=UTC))
        .annotate(written=Sum(F("created_count") + F("updated_count")))
    )
    written, first = dict(rows), start.date()
    return RecordsByDay([written.get(first + timedelta(days=offset), 0) or 0 for offset in range(DAYS)])


def drafts_to_review(actor: Actor) -> QuerySet[Invoice]:
    """Invoices of months that are over, which nobody has issued."""
    drafts = Invoice.objects.visible_to(actor).filter(status=InvoiceStatus.DRAFT, period__closed_at__isnull=False)
    return drafts.select_related("account").order_by("created_at", "id")
