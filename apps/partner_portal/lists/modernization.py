"""Lists of old interfaces, comparisons and findings: columns, states and filters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Count, Q, QuerySet

from apps.accounts.access import ActorRequest
from apps.modernization.comparison import BETWEEN, NUMERIC, parts_of_row
from apps.modernization.fields import FieldChoice
from apps.modernization.models import (
    Criticality,
    DifferenceKind,
    InterfaceKind,
    InterfaceStatus,
    LegacyInterface,
    MigrationWave,
    ParallelDifference,
    ParallelRun,
)
from apps.ui.filters import Filter, FilterState, parse_filters
from apps.ui.formatting import date_text, number_text
from apps.ui.links import link_to
from apps.ui.status import Status, status_of
from apps.ui.tables import Column
from apps.ui.viewer import current_locale

STATUS_TONES = {"in_use": "idle", "parallel": "info", "cut_over": "ok", "retired": "ok"}
RUN_TONES = {
    "draft": "idle", "queued": "info", "running": "info", "done": "ok", "failed": "failing", "canceled": "idle",
}  # fmt: skip
NO_WAVE = "none"
WHOLE_ROWS = frozenset(
    {DifferenceKind.ONLY_OLD, DifferenceKind.ONLY_NEW, DifferenceKind.TWICE_OLD, DifferenceKind.TWICE_NEW}
)
MONEY_DECIMALS = 2
INTERFACES = (
    Column("name", "Interface", value="name", sub=lambda one: f"{one.source} → {one.target}", main=True),
    Column("kind", "Kind", value=lambda one: one.get_kind_display()),
    Column("entity", "Carries", value=lambda one: one.get_entity_display() or "–", wide_only=True),
    Column("frequency", "How often", value="frequency", sub="owner", wide_only=True),
    Column("monthly_count", "A month", "number", value="monthly_count", wide_only=True),
    Column("criticality", "Critical", value=lambda one: one.get_criticality_display()),
    Column("wave", "Wave", value=lambda one: str(one.wave) if one.wave else "–"),
    Column("integration", "Replaced by", value=lambda one: str(one.integration) if one.integration else "–"),
    Column("state", "State", "status", value=lambda one: interface_status(one)),
)
RUNS = (
    Column("file", "Old result", value="file_name", sub="requested_by_label", main=True),
    Column("state", "State", "status", value=lambda run: run_status(run)),
    Column("rows", "Rows", "number", value="row_count"),
    Column("equal", "Equal", "number", value="equal_count"),
    Column("findings", "To look at", "number", value="open_count"),
    Column("at", "Started", "datetime", value="requested_at"),
)


def interface_url(interface: LegacyInterface) -> str:
    return link_to("partner_portal:legacy_interface")(interface.pk)


def run_url(run: ParallelRun) -> str:
    return link_to("partner_portal:parallel_run")(run.pk)


def interface_status(interface: LegacyInterface) -> Status:
    if interface.is_rolled_back and interface.status == InterfaceStatus.IN_USE:
        return status_of("rolled_back", label="Rolled back", tone="attention")
    return status_of(interface.status, label=str(interface.get_status_display()), tone=STATUS_TONES[interface.status])


def run_status(run: ParallelRun) -> Status:
    return status_of(run.status, label=str(run.get_status_display()), tone=RUN_TONES[run.status])


def interface_filters(request: ActorRequest, waves: list[MigrationWave]) -> FilterState:
    own = [
        Filter("state", "State", [*InterfaceStatus.choices, ("rolled_back", "Rolled back")]),
        Filter("wave", "Wave", [(str(wave.pk), wave.name) for wave in waves] + [(NO_WAVE, "In no wave")]),
        Filter("kind", "Kind", InterfaceKind.choices),
        Filter("criticality", "Critical", Criticality.choices),
    ]
    return parse_filters(request, own, search_placeholder="Name, system or person")


def narrow_interfaces(found: QuerySet[LegacyInterface], filters: FilterState) -> QuerySet[LegacyInterface]:
    states = filters.chosen("state")
    if states:
        wanted = Q(status__in=states)
        if "rolled_back" in states:
            wanted |= Q(rolled_back_at__isnull=False)
        found = found.filter(wanted)
    chosen = filters.chosen("wave")
    if chosen:
        named = Q(wave_id__in=[one for one in chosen if one != NO_WAVE])
        found = found.filter(named | Q(wave=None) if NO_WAVE in chosen else named)
    for name in ("kind", "criticality"):
        if filters.chosen(name):
            found = found.filter(**{f"{name}__in": filters.chosen(name)})
    text = filters.search
    if text:
        names = ("name", "source", "target", "owner")
        words = Q()
        for name in names:
            words |= Q(**{f"{name}__icontains": text})
        found = found.filter(words)
    return found


def finding_columns(choices: dict[str, FieldChoice], *, may_accept: bool) -> list[Column]:
    """Key and field, both values, what was decided."""
    columns = [
        Column("key", "Record", value=lambda one: one.key or "No key", sub=lambda one: _place(one, choices), main=True),
        Column("old", "Old", value=lambda one: _said(one, one.old, choices)),
        Column("new", "New", value=lambda one: _said(one, one.new, choices)),
        Column("state", "State", "status", value=lambda one: finding_status(one), sub="accept_reason"),
    ]
    if may_accept:
        columns.append(
            Column("act", "What to do", template="partner_portal/_finding_act.html", hidden_label=True, shrink=True)
        )
    return columns


def _said(finding: ParallelDifference, text: str, choices: dict[str, FieldChoice]) -> str:
    if finding.kind in WHOLE_ROWS:
        return said_row(text, choices)
    return said_value(text, choices.get(finding.field))


def said_row(text: str, choices: dict[str, FieldChoice]) -> str:
    """A whole row or record, each of its fields as people write it."""
    parts = parts_of_row(text, choices.values()) if text else []
    return BETWEEN.join(f"{one.label}: {said_value(said, one)}" if one else said for one, said in parts) or "–"


def said_value(text: str, choice: FieldChoice | None) -> str:
    """A compared text as people write it, rounded nowhere: two values that differ must not look alike."""
    if not text or choice is None:
        return text or "–"
    try:
        return _written(text, choice)
    except (ValueError, InvalidOperation):
        return text  # a long row was cut off in the middle of it


def _written(text: str, choice: FieldChoice) -> str:
    locale = current_locale()
    if choice.kind == "date":
        return date_text(date.fromisoformat(text), locale)
    if choice.kind == "boolean":
        return "Yes" if text == "true" else "No"
    if choice.kind not in NUMERIC:
        return text
    if choice.kind == "hours":
        return number_text(Decimal(text), locale=locale) + " h"
    digits = len(text.partition(".")[2])
    if choice.kind == "money" and digits:
        digits = max(digits, MONEY_DECIMALS)
    return number_text(Decimal(text), digits=digits, locale=locale)


def _place(finding: ParallelDifference, choices: dict[str, FieldChoice]) -> str:
    said = choices[finding.field].label if finding.field in choices else str(finding.get_kind_display())
    return f"{said} · line {finding.line}" if finding.line else said


def finding_status(finding: ParallelDifference) -> Status:
    if finding.accepted_at is None:
        return status_of("open", label="To look at", tone="attention")
    label = "Accepted before" if finding.is_remembered else "Accepted"
    return status_of("accepted", label=label, tone="ok")


def finding_url(finding: ParallelDifference) -> str:
    return link_to("partner_portal:record")(finding.record_id) if finding.record_id else ""


def finding_groups(run: ParallelRun, choices: dict[str, FieldChoice]) -> list[dict[str, Any]]:
    """The findings by kind and field, most open first: what is accepted together."""
    rows = ParallelDifference.objects.filter(run=run).values("kind", "field")
    counted = rows.annotate(total=Count("pk"), waiting=Count("pk", filter=Q(accepted_at=None))).order_by(
        "kind", "field"
    )
    found = [
        {
            **row, "accepted": row["total"] - row["waiting"], "label": str(DifferenceKind(row["kind"]).label),
            "field_label": choices[row["field"]].label if row["field"] in choices else row["field"],
        }
        for row in counted
    ]  # fmt: skip
    return sorted(found, key=lambda row: -row["waiting"])


def finding_filters(request: ActorRequest, groups: list[dict[str, Any]]) -> FilterState:
    kinds = dict.fromkeys((row["kind"], row["label"]) for row in groups)
    fields = dict.fromkeys((row["field"], row["field_label"]) for row in groups if row["field"])
    own = [
        Filter("kind", "What", list(kinds)),
        Filter("field", "Field", list(fields)),
        Filter("state", "State", [("open", "To look at"), ("accepted", "Accepted")], single=True),
    ]
    return parse_filters(request, own, search_placeholder="Record or value", target_id="findings")


def narrow_findings(found: QuerySet[ParallelDifference], filters: FilterState) -> QuerySet[ParallelDifference]:
    for name in ("kind", "field"):
        if filters.chosen(name):
            found = found.filter(**{f"{name}__in": filters.chosen(name)})
    if filters.first("state"):
        found = found.filter(accepted_at__isnull=filters.first("state") == "open")
    text = filters.search
    return found.filter(Q(key__icontains=text) | Q(old__icontains=text) | Q(new__icontains=text)) if text else found
