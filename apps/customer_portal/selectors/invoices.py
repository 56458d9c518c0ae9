"""What the customer pays for: an invoice, its lines, and the usage behind a metered line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.db.models.functions import TruncDate

from apps.billing.models import Invoice, InvoiceLine, InvoiceStatus, UsageCharge
from apps.ui.status import Status, Tone


@dataclass(frozen=True, slots=True)
class UsageDay:
    day: date
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class InvoicePage:
    invoice: Invoice
    lines: list[InvoiceLine]
    usage: list[UsageDay]
    usage_total: Decimal
    period: tuple[date, date] | None


def describe_invoice(invoice: Invoice) -> InvoicePage:
    usage = _usage(invoice)
    return InvoicePage(
        invoice=invoice,
        lines=list(invoice.lines.order_by("position")),
        usage=usage,
        usage_total=sum((day.quantity for day in usage), Decimal(0)),
        period=_period(invoice),
    )


def _usage(invoice: Invoice) -> list[UsageDay]:
    """Every charged event, by day in the account's zone."""
    day = TruncDate("usage_event__occurred_at", tzinfo=ZoneInfo(invoice.account.time_zone))
    rows = (
        UsageCharge.objects.filter(line__invoice=invoice)
        .annotate(day=day)
        .values("day")
        .annotate(quantity=Sum("usage_event__quantity"))
        .order_by("day")
    )
    return [UsageDay(row["day"], row["quantity"]) for row in rows]


def _period(invoice: Invoice) -> tuple[date, date] | None:
    """First and last day of service."""
    if invoice.period is None:
        return None
    zone = ZoneInfo(invoice.account.time_zone)
    end = invoice.period.period_end.astimezone(zone).date() - timedelta(days=1)
    return invoice.period.period_start.astimezone(zone).date(), end


def payment_state(invoice: Invoice, today: date) -> Status:
    """An unpaid invoice past its due date is overdue to the one who pays, whatever the books call it."""
    if (
        invoice.status in (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)
        and invoice.due_date
        and invoice.due_date < today
    ):
        return Status("Overdue", Tone.ATTENTION, Tone.ATTENTION.icon, "overdue")
    tone = {"paid": Tone.OK, "open": Tone.INFO}.get(invoice.status, Tone.IDLE)
    return Status(invoice.get_status_display(), tone, tone.icon, invoice.status)
