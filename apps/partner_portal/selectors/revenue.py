"""A year of money, up to now, for the billing overview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from apps.billing.periods import add_months, midnight
from apps.billing.revenue import (
    Debt,
    InvoicedMonth,
    Movement,
    collected_since,
    invoiced_by_month,
    list_debts,
    list_fees,
    recurring_movements,
    total_debts,
)
from apps.core.actor import Actor
from apps.core.clock import local_date
from apps.core.money import Money

MONTHS = 12


@dataclass(frozen=True, slots=True)
class MonthMovement:
    month: date
    is_running: bool
    movement: Movement


@dataclass(frozen=True, slots=True)
class BillingOverview:
    """Everything by currency. `movements` run from the newest month to the oldest one with anything in it."""

    movements: dict[str, list[MonthMovement]]
    invoiced: dict[str, list[InvoicedMonth]]
    collected: dict[str, Money]
    debts: list[Debt]
    totals: dict[str, Debt]

    @property
    def currencies(self) -> list[str]:
        return list(dict.fromkeys([*self.movements, *self.invoiced, *self.totals, *self.collected]))


def get_overview(actor: Actor, zone: str, now: datetime) -> BillingOverview:
    """Months are those of the partner's zone; the running one ends now."""
    today = local_date(now, zone)
    months = [add_months(today.replace(day=1), offset, anchor_day=1) for offset in range(1 - MONTHS, 1)]
    debts = list_debts(actor, today)
    return BillingOverview(
        movements=_movements(actor, months, zone, now),
        invoiced=invoiced_by_month(actor, months),
        collected=collected_since(actor, months[-1]),
        debts=debts,
        totals=total_debts(debts),
    )


def _movements(actor: Actor, months: list[date], zone: str, now: datetime) -> dict[str, list[MonthMovement]]:
    instants = [*(midnight(month, zone) for month in months), now]
    found = recurring_movements(list_fees(actor), instants)
    return {
        currency: [
            MonthMovement(month, month == months[-1], movement)
            for month, movement in reversed(list(zip(months, steps, strict=True)))
            if movement.opening or movement.closing or movement.churn
        ]
        for currency, steps in found.items()
    }


def recurring_now(actor: Actor, zone: str, now: datetime) -> list[Movement]:
    """Per currency, the largest first: recurring revenue now, and how it moved since the month began."""
    month_start = midnight(local_date(now, zone).replace(day=1), zone)
    steps = recurring_movements(list_fees(actor), [month_start, now])
    return [found[0] for found in steps.values() if found[0].opening or found[0].closing]
