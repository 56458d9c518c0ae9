"""This month in numbers. Every figure is counted from rows; what cannot be counted is None, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, Sum

from apps.billing.models import UsageEvent
from apps.canonical.models import CanonicalRecord, Entity
from apps.core.actor import Actor
from apps.customers.models import Customer

RECORDS_METER = "records_synced"
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """`days_to_invoice`: from the approval of an invoice's last time entry to the invoice, on average over the month."""

    starts_at: datetime
    record_count: int
    invoice_count: int
    days_to_invoice: Decimal | None


def month_start(customer: Customer, now: datetime) -> datetime:
    """Midnight of the first, in the customer's zone."""
    return now.astimezone(ZoneInfo(customer.time_zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_figures(actor: Actor, customer: Customer, now: datetime) -> MonthFigures:
    start = month_start(customer, now)
    invoices = _invoices_from_time(actor, start)
    waits = [(made - approved).total_seconds() for made, approved in invoices if approved is not None]
    return MonthFigures(start, _record_count(customer, start, now), len(invoices), _average_days(waits))


def _record_count(customer: Customer, start: datetime, now: datetime) -> int:
    """The very events that are invoiced."""
    used = UsageEvent.objects.filter(
        subject_key=customer.subject_key, meter=RECORDS_METER, occurred_at__gte=start, occurred_at__lte=now
    )
    return int(used.aggregate(total=Sum("quantity"))["total"] or 0)


def _invoices_from_time(actor: Actor, start: datetime) -> list[tuple[datetime, datetime | None]]:
    """The month's invoices that were made from time entries and stand in a billing system: made at, approved at."""
    entry = Q(backlinks__name="invoice", backlinks__source__entity=Entity.TIME_ENTRY)
    approval = entry & Q(backlinks__source__changes__fields__status__1="approved")
    # `changed_at` is what the index holds; what was created this month also changed this month.
    made = (
        CanonicalRecord.objects.visible_to(actor)
        .production()
        .filter(entity=Entity.INVOICE, changed_at__gte=start, created_at__gte=start, cross_references__isnull=False)
    )
    rows = (
        made.filter(entry)
        .values("id")
        .annotate(approved=Max("backlinks__source__changes__at", filter=approval))
        .values_list("created_at", "approved", "id")
    )
    return [(created_at, approved) for created_at, approved, _ in rows]


def _average_days(waits: list[float]) -> Decimal | None:
    if not waits:
        return None
    return Decimal(fmean(waits) / SECONDS_PER_DAY).quantize(Decimal("0.1"), ROUND_HALF_UP)
