"""What a firm of the demo lived with before: old interfaces, half of them replaced, one result compared for real."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.canonical.models import CanonicalRecord
from apps.core.money import Money
from apps.flows.models import Integration
from apps.modernization.models import LegacyInterface, MigrationWave
from apps.modernization.services import (
    InterfaceDraft,
    WaveDraft,
    accept_findings,
    add_interface,
    add_wave,
    bring_result,
    carry_out_comparison,
    cut_over,
    start_comparison,
    tick_point,
)
from apps.provisioning.demo.history import Story

BEGAN, CUT_OVER = timedelta(days=24), timedelta(days=9)
INVOICES = "Invoice batch"
# (name, kind, from, to, entity, how often, records a month, critical, documented, wave, template, depends on)
OLD: tuple[tuple[Any, ...], ...] = (
    ("Customer master export", "script", "CRM", "ERP", "account", "nightly at 01:30", 300, "normal", "partly", 0, "opportunity-to-project", ""),
    ("Project sheet", "by_hand", "CRM", "Project tracker", "project", "Mondays, by the back office", 25, "high", "none", 0, "opportunity-to-project", "Customer master export"),
    ("Timesheet file drop", "file_drop", "Project tracker", "ERP", "time_entry", "nightly at 02:00", 900, "high", "partly", 1, "time-to-invoice", "Project sheet"),
    (INVOICES, "script", "ERP", "Billing", "invoice", "on the first of the month", 60, "critical", "none", 1, "time-to-invoice", "Timesheet file drop"),
    ("Payment list", "point_to_point", "Billing", "CRM", "payment", "hourly", 80, "critical", "well", 1, "payment-status", INVOICES),
    ("Dunning letters macro", "script", "Billing", "Shared drive", "", "Fridays", 12, "low", "none", None, "", ""),
)  # fmt: skip


def live_with_the_past(story: Story, now: datetime) -> None:
    """This function will write the firm's old interfaces down, replace the first wave and compare what comes next."""
    began = now - BEGAN
    waves = [
        _wave(story, began, "1 · Master data", "Customers and projects have one source.", began, now - CUT_OVER),
        _wave(story, began, "2 · Time and money", "Nobody types an invoice twice.", now - CUT_OVER, now + CUT_OVER),
    ]
    made: dict[str, LegacyInterface] = {}
    for row in OLD:
        made[row[0]] = _write_down(story, began, row, waves, made)
    for interface in made.values():
        if interface.wave == waves[0]:
            _replace(story, now - CUT_OVER, interface)
    _compare(story, now - timedelta(hours=3), made[INVOICES])


def _wave(story: Story, now: datetime, name: str, goal: str, starts: datetime, ends: datetime) -> MigrationWave:
    draft = WaveDraft(name=name, goal=goal, starts_on=starts.date(), cut_over_on=ends.date())
    return add_wave(actor=story.owner, now=now, customer=story.customer, draft=draft)


def _write_down(
    story: Story, now: datetime, row: Sequence[Any], waves: Sequence[MigrationWave], made: dict[str, LegacyInterface]
) -> LegacyInterface:
    (name, kind, source, target, entity, frequency, count, criticality, documentation, wave, template, needs) = row
    integrations = Integration.objects.filter(customer=story.customer, template_version__template__key=template)
    draft = InterfaceDraft(
        name=name, kind=kind, source=source, target=target, entity=entity, frequency=frequency, monthly_count=count,
        criticality=criticality, documentation=documentation, wave=waves[wave] if wave is not None else None,
        integration=integrations.first() if template else None, owner=story.cast.team[-1].name,
        depends_on=(made[needs],) if needs else (), way_back=_way_back(kind) if template else "",
    )  # fmt: skip
    return add_interface(actor=story.owner, now=now, customer=story.customer, draft=draft)


def _way_back(kind: str) -> str:
    if kind == "by_hand":
        return "Take up the sheet in the shared drive again; it is kept until the year's end."
    return "Switch the job on the old server on again and let it run once for the days between."


def _replace(story: Story, now: datetime, interface: LegacyInterface) -> None:
    for point in interface.points.all():
        tick_point(actor=story.owner, now=now, point=point)
    cut_over(actor=story.owner, now=now, interface=interface, reason="Compared by hand with the back office.")


def _compare(story: Story, now: datetime, interface: LegacyInterface) -> None:
    """The old batch's own file, as it would have been: mostly the same, with the mistakes such scripts make."""
    text = _old_file(story)
    if not text:
        return
    run = bring_result(actor=story.owner, now=now, interface=interface, name="invoice_batch.csv", content=text.encode())
    start_comparison(actor=story.owner, now=now, run=run, comparison=run.rules)
    carry_out_comparison(run_id=run.pk, now=lambda: now)
    if run.differences.filter(kind="twice_old").exists():
        accept_findings(
            actor=story.owner, now=now, run=run, kind="twice_old", reason="The old batch wrote some lines twice. Known."
        )


def _old_file(story: Story) -> str:
    """Amounts with a rounding of their own, one line missing, one twice, and one that never reached billing."""
    found = CanonicalRecord.objects.filter(customer=story.customer, entity="invoice").exclude(number="")
    records = list(found.order_by("number", "id")[:60])
    if len(records) < 5:
        return ""
    lines = [_line(record) for record in records]
    lines[1][2] = _rounded(lines[1][2])
    lines[3][1] = (datetime.fromisoformat(lines[3][1]) + timedelta(days=1)).date().isoformat() if lines[3][1] else ""
    lines = [*lines[:-1], list(lines[0]), ["TEST-0001", lines[0][1], "1.00"]]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Invoice No", "Invoice date", "Gross amount"])
    writer.writerows(lines)
    return out.getvalue()


def _line(record: CanonicalRecord) -> list[str]:
    total = record.data["total"]
    return [
        record.number,
        str(record.data.get("issue_date") or ""),
        str(Money(total["amount"], total["currency"]).decimal),
    ]


def _rounded(amount: str) -> str:
    return str(Decimal(amount) + Decimal("0.01"))
