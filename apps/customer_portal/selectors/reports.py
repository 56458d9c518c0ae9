"""Service levels as figures for people: of the running month, and of months that are closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.utils.translation import get_language, to_locale

from apps.sla.documents import render_report_pdf
from apps.sla.measures import ObjectiveKey
from apps.sla.models import SlaReport
from apps.sla.selectors import SlaMeasurement
from apps.sla.words import explain_objective, name_objective
from apps.ui.status import Status, Tone


@dataclass(frozen=True, slots=True)
class ObjectiveFigure:
    """`achieved` and `budget_left` are None when there was nothing to measure."""

    name: str
    explanation: str
    target: Decimal
    achieved: Decimal | None
    budget_left: Decimal | None
    status: Status


@dataclass(frozen=True, slots=True)
class LevelFigures:
    policy: str
    run_count: int
    failed_count: int
    objectives: list[ObjectiveFigure]
    measured_to: datetime

    @property
    def sentence(self) -> str:
        if all(objective.status.tone is Tone.OK for objective in self.objectives):
            return "Every promise was kept."
        missed = [o.name for o in self.objectives if o.status.tone is Tone.FAILING]
        return f"Missed: {', '.join(missed)}." if missed else "Nothing to measure yet."


def describe_measurement(measurement: SlaMeasurement | None) -> LevelFigures | None:
    """None for a customer without a promise."""
    if measurement is None:
        return None
    objectives = [
        _figure(r.key, r.threshold_seconds, r.target, r.achieved, r.budget_left, is_met=r.is_met)
        for r in measurement.results
    ]
    return LevelFigures(
        policy=measurement.policy_version.policy.name,
        run_count=measurement.run_count,
        failed_count=measurement.failed_run_count,
        objectives=objectives,
        measured_to=measurement.measured_to,
    )


def describe_report(report: SlaReport) -> LevelFigures:
    return LevelFigures(
        policy=report.policy_version.policy.name,
        run_count=report.results["run_count"],
        failed_count=report.results["failed_run_count"],
        objectives=list(_stored(report.results["objectives"])),
        measured_to=report.period_end,
    )


def _stored(rows: Iterable[dict[str, Any]]) -> Iterable[ObjectiveFigure]:
    for row in rows:
        yield _figure(
            ObjectiveKey(row["key"]), row["threshold_seconds"], Decimal(row["target"]),
            Decimal(row["achieved"]) if row["achieved"] else None,
            Decimal(row["budget_left"]) if row["budget_left"] else None,
            is_met=row["is_met"],
        )  # fmt: skip


def _figure(
    key: ObjectiveKey,
    threshold: int,
    target: Decimal,
    achieved: Decimal | None,
    budget_left: Decimal | None,
    *,
    is_met: bool,
) -> ObjectiveFigure:
    tone, label = (Tone.OK, "Kept") if is_met else (Tone.FAILING, "Missed")
    if achieved is None:
        tone, label = Tone.IDLE, "No data"
    return ObjectiveFigure(
        name=name_objective(key, threshold),
        explanation=explain_objective(key, threshold),
        target=target,
        achieved=achieved,
        budget_left=budget_left,
        status=Status(label, tone, tone.icon, label.lower()),
    )


def month_of(report: SlaReport) -> str:
    """`October 2026`: the customer's month, in the language of the page around it."""
    start = report.period_start.astimezone(ZoneInfo(report.customer.time_zone))
    return str(format_date(start, "MMMM y", locale=to_locale(get_language() or "en")))


def file_name_of(report: SlaReport) -> str:
    start = report.period_start.astimezone(ZoneInfo(report.customer.time_zone))
    return f"service-levels-{start:%Y-%m}.pdf"


def report_pdf(report: SlaReport) -> bytes:
    """The document as it was sent; typeset now if none was kept."""
    return bytes(report.document) if report.document else render_report_pdf(report)
