"""Every cent leads back to the usage that made it: a metered line, spread over the runs whose usage it charges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import CharField, F, Func, Min, QuerySet, Sum, Value

from apps.billing.models import InvoiceLine, InvoiceStatus, UsageEvent
from apps.billing.selectors import billable_usage


@dataclass(frozen=True, slots=True)
class UsedBySource:
    """What one source (a run, by its id) used in all, from its first event on."""

    source: str
    first_at: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class TrailStep:
    """A source's share of a line: `free` is covered by the allowance, `amount` in minor units, not yet rounded."""

    source: str
    first_at: datetime
    quantity: Decimal
    free: Decimal
    charged: Decimal
    amount: Decimal

    @property
    def run_id(self) -> UUID | None:
        """The run it was metered in; None for usage that no run made."""
        try:
            return UUID(self.source)
        except ValueError:
            return None


def usage_of_line(line: InvoiceLine) -> QuerySet[UsageEvent]:
    """The events the line charges; of a draft, those it would charge if it were issued now."""
    invoice = line.invoice
    if invoice.status == InvoiceStatus.DRAFT and invoice.period is not None:
        return billable_usage(invoice.period).filter(meter=line.meter)
    return UsageEvent.objects.filter(charge__line=line)


def trace_line(line: InvoiceLine) -> list[TrailStep]:
    """In the order of use: the allowance covers what was used first. The amounts add up to the line before its rounding."""
    used = _by_source(usage_of_line(line))
    allowance = max(Decimal(0), sum((one.quantity for one in used), Decimal(0)) - line.quantity)
    return spread(used, allowance, line.unit_amount)


def spread(used: Iterable[UsedBySource], allowance: Decimal, unit_amount: Decimal) -> list[TrailStep]:
    steps, left = [], allowance
    for one in used:
        free = min(left, one.quantity)
        left -= free
        charged = one.quantity - free
        steps.append(TrailStep(one.source, one.first_at, one.quantity, free, charged, charged * unit_amount))
    return steps


def _by_source(events: QuerySet[UsageEvent]) -> list[UsedBySource]:
    # The key of an event is `source:page:meter`. Summed in the database: a run has many pages.
    source = Func(F("key"), Value(":"), Value(1), function="split_part", output_field=CharField())
    rows = (
        events.order_by()
        .annotate(source=source)
        .values_list("source")
        .annotate(first_at=Min("occurred_at"), used=Sum("quantity"))
        .order_by("first_at", "source")
    )
    return [UsedBySource(*row) for row in rows]
