"""The billing overview's tiles and charts."""

from __future__ import annotations

from typing import Any

from apps.billing.revenue import Debt, InvoicedMonth
from apps.core.money import Money, exponent
from apps.partner_portal.needs import count_of
from apps.partner_portal.selectors.revenue import BillingOverview, MonthMovement
from apps.ui.charts import Chart, Series
from apps.ui.formatting import money_text


def movement_text(change: int, currency: str) -> str:
    sign = "+" if change > 0 else ""
    return f"{sign}{money_text(change, currency)} this month" if change else "Unchanged this month"


def revenue_tiles(overview: BillingOverview) -> list[dict[str, Any]]:
    """Currency by currency: what recurs, what came in, what is owed."""
    tiles = []
    for currency in overview.currencies:
        steps, owed = overview.movements.get(currency), overview.totals.get(currency)
        tiles += [_recurring_tile(steps[0])] if steps and steps[0].is_running else []
        collected = overview.collected.get(currency, Money(0, currency))
        tiles.append(
            {"label": "Collected", "period": "this month", "value": money_text(collected.amount, currency), "foot": ""}
        )
        tiles.append(_owed_tile(owed, currency))
    return tiles


def _recurring_tile(step: MonthMovement) -> dict[str, Any]:
    moved = step.movement
    return {
        "label": "Monthly recurring revenue", "period": "now", "value": money_text(moved.closing, moved.currency),
        "foot": f"{movement_text(moved.change, moved.currency)} · {count_of(moved.customer_count, 'customer')}",
    }  # fmt: skip


def _owed_tile(owed: Debt | None, currency: str) -> dict[str, Any]:
    if owed is None:
        return {
            "label": "Outstanding",
            "period": "now",
            "value": money_text(0, currency),
            "foot": "Nobody owes anything",
        }
    late = f"{money_text(owed.overdue, currency)} overdue" if owed.overdue else "none overdue"
    return {
        "label": "Outstanding", "period": "now", "value": money_text(owed.owed, currency),
        "foot": f"{count_of(owed.invoice_count, 'open invoice')}, {late}", "tone": "attention" if owed.overdue else "",
    }  # fmt: skip


def invoiced_charts(overview: BillingOverview) -> list[Chart]:
    """One for each currency: amounts of different currencies never share an axis."""
    return [_chart(currency, months) for currency, months in overview.invoiced.items()]


def _chart(currency: str, months: list[InvoicedMonth]) -> Chart:
    total = sum(month.recurring + month.usage for month in months)
    return Chart(
        title=f"Invoiced by month, net, in {currency}",
        labels=[f"{month.month:%b %Y}" for month in months],
        series=[
            Series("Recurring", [_major(month.recurring, currency) for month in months], kind="bar", stack="net"),
            Series("Usage", [_major(month.usage, currency) for month in months], kind="bar", stack="net"),
        ],
        unit=currency,
        digits=exponent(currency),
        summary=f"{money_text(total, currency)} in twelve months",
    )


def _major(amount: int, currency: str) -> float:
    # Only the height of a bar and the cell behind it, shown with the currency's places; nothing is computed from it.
    return float(Money(amount, currency).decimal)
