"""Tables of invoices, reports and objectives, shared by the customer's tabs and the domain pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.billing.models import Invoice, InvoiceStatus
from apps.sla.measures import ObjectiveKey, ObjectiveResult
from apps.sla.models import SlaReport
from apps.sla.words import explain_objective, name_objective
from apps.ui.links import link_to
from apps.ui.status import Status, Tone, status_of
from apps.ui.tables import Column, Table, build_table


def invoice_status(invoice: Invoice, today: date | None = None) -> Status:
    if today and invoice.status == InvoiceStatus.OPEN and invoice.due_date and invoice.due_date < today:
        return Status("Overdue", Tone.ATTENTION, Tone.ATTENTION.icon)
    return status_of(invoice.status, label=str(invoice.get_status_display()))


def invoices_table(invoices: Iterable[Invoice], today: date, *, across: bool) -> Table:
    columns = [
        Column("number", "Invoice", value=str, main=True),
        Column("customer", "Customer", value="account.legal_name"),
        Column("state", "State", "status", value=lambda invoice: invoice_status(invoice, today)),
        Column("total", "Total", "money", value="total_amount"),
        Column("open", "To be paid", "money", value=_owed),
        Column("issue_date", "Issued", "date"),
        Column("due_date", "Due", "date"),
    ]
    shown = columns if across else [column for column in columns if column.key != "customer"]
    return build_table(
        invoices, shown, caption="Invoices", noun="invoices",
        url=lambda invoice: link_to("partner_portal:invoice")(invoice.pk),
    )  # fmt: skip


def _owed(invoice: Invoice) -> int | None:
    return invoice.owed_amount or None


def report_month(report: SlaReport) -> str:
    return report.period_start.astimezone(ZoneInfo(report.customer.time_zone)).strftime("%B %Y")


def reports_table(reports: Iterable[SlaReport], *, across: bool) -> Table:
    columns = [
        Column("month", "Month", value=report_month, main=True),
        Column("customer", "Customer", value="customer.name"),
        Column("kept", "Promise", "status", value=lambda report: kept(report.is_met)),
        Column("policy", "Policy", value=lambda report: str(report.policy_version)),
        Column("computed_at", "Closed", "datetime"),
    ]
    shown = columns if across else [column for column in columns if column.key != "customer"]
    return build_table(
        reports, shown, caption="Service level reports", noun="reports",
        url=lambda report: link_to("partner_portal:sla_report")(report.pk),
    )  # fmt: skip


def kept(is_met: bool) -> Status:
    return Status("Kept", Tone.OK, Tone.OK.icon) if is_met else Status("Missed", Tone.FAILING, Tone.FAILING.icon)


@dataclass(frozen=True, slots=True)
class ObjectiveLine:
    """One objective as a page shows it; numbers as decimals, None where nothing was measured."""

    name: str
    how: str
    target: Decimal
    achieved: Decimal | None
    budget_left: Decimal | None
    is_met: bool

    @property
    def status(self) -> Status:
        if self.achieved is None:
            return Status("No data yet", Tone.IDLE, Tone.IDLE.icon)
        return kept(self.is_met)

    @property
    def budget_value(self) -> int:
        """For the bar: what is left of the budget, from nothing to all of it."""
        return max(0, min(100, int(self.budget_left or 0)))


def lines_of(results: Iterable[ObjectiveResult]) -> list[ObjectiveLine]:
    return [
        ObjectiveLine(
            name_objective(r.key, r.threshold_seconds), explain_objective(r.key, r.threshold_seconds), r.target,
            r.achieved, r.budget_left, r.is_met,
        )
        for r in results
    ]  # fmt: skip


def lines_of_report(report: SlaReport) -> list[ObjectiveLine]:
    return [_stored(row) for row in report.results["objectives"]]


def _stored(row: dict[str, Any]) -> ObjectiveLine:
    key, seconds = ObjectiveKey(row["key"]), int(row.get("threshold_seconds") or 0)
    return ObjectiveLine(
        name_objective(key, seconds), explain_objective(key, seconds), Decimal(row["target"]), _decimal(row["achieved"]),
        _decimal(row["budget_left"]), bool(row["is_met"]),
    )  # fmt: skip


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
