"""An estate brought as a text: planned with what would be new and changed, then carried out, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Customer, EnvironmentKind
from apps.flows.models import Integration
from apps.flows.services.planning import Detail, Plan, PlanEntry
from apps.flows.sources import InvalidSource
from apps.modernization.estate import InterfaceDoc, Line, WaveDoc, read_estate
from apps.modernization.models import ChecklistPoint, InterfaceStatus, LegacyInterface, MigrationWave
from apps.modernization.selectors import list_interfaces, list_waves, replacements_for
from apps.modernization.services.interfaces import (
    MOST_POINTS,
    InterfaceDraft,
    UnableToChangeInterface,
    UnableToSaveInterface,
    add_interface,
    change_interface,
    check_draft,
    draft_of,
    lock_estate,
    told,
)
from apps.modernization.services.waves import WaveDraft, add_wave, change_wave, draft_of_wave

_PLAIN = (
    "kind", "source", "target", "entity", "frequency", "monthly_count", "owner", "criticality", "documentation", "notes",
    "way_back",
)  # fmt: skip


class UnableToApplyEstate(AnticipatedError):
    """The text cannot be carried out as it is."""

    code = "unable_to_apply_estate"


@dataclass
class PlannedEntry(PlanEntry):
    """A wave or an interface: create, change or same. `line` of the text is 0 where it is not known."""

    what: str
    line: int = 0


class EstatePlan(Plan[PlannedEntry]):
    """With problems nothing is carried out."""

    @property
    def problems(self) -> list[str]:
        return [
            f"Line {entry.line}, {entry.name}: {text}" if entry.line else f"{entry.name}: {text}"
            for entry in self.entries
            for text in entry.problems
        ]


class _Inventory:
    """What stands, by its name in small letters; what is carried out of a text is put in as it is made."""

    def __init__(self, actor: Actor, customer: Customer) -> None:
        self.actor, self.customer = actor, customer
        self.waves = {wave.name.lower(): wave for wave in list_waves(actor).filter(customer=customer)}
        own = list_interfaces(actor).filter(customer=customer)
        self.interfaces = {one.name.lower(): one for one in own.prefetch_related("points", "depends_on")}
        self.integrations = _by_name(customer)

    def draft(self, doc: InterfaceDoc) -> InterfaceDraft:
        """Without what it depends on. Raises UnableToApplyEstate."""
        known = self.interfaces.get(doc.name.lower())
        base = draft_of(known) if known else InterfaceDraft(name=doc.name, kind="file_drop", source="", target="")
        said: dict[str, Any] = {name: getattr(doc, name) for name in _PLAIN if getattr(doc, name) is not None}
        if doc.wave is not None:
            said["wave"] = _named(self.waves, doc.wave, "wave")
        if doc.integration is not None:
            said["integration"] = _named(self.integrations, doc.integration, "integration")
        return replace(base, **said, name=doc.name)

    def needed(self, doc: InterfaceDoc) -> tuple[LegacyInterface, ...]:
        """Raises UnableToApplyEstate."""
        names = doc.depends_on or []
        return tuple(one for name in names if (one := _named(self.interfaces, name, "interface")) is not None)


def _by_name(customer: Customer) -> dict[str, Integration]:
    """Where sandbox and production have one of the same name, production's."""
    found = sorted(replacements_for(customer), key=lambda one: one.environment.kind == EnvironmentKind.PRODUCTION)
    return {one.name.lower(): one for one in found}


def _named(rows: dict[str, Any], name: str, what: str) -> Any:
    if not name.strip():
        return None
    found = rows.get(name.strip().lower())
    if found is None:
        raise UnableToApplyEstate(f"There is no {what} “{name.strip()[:80]}”.")
    return found


def plan_estate(*, actor: Actor, now: datetime, customer: Customer, text: str) -> EstatePlan:
    """This function will tell what carrying the text out would do; nothing is changed. Raises UnableToApplyEstate."""
    with transaction.atomic():
        plan = _carry_out(actor, now, customer, text)
        transaction.set_rollback(True)
    return plan


@transaction.atomic
def apply_estate(*, actor: Actor, now: datetime, customer: Customer, text: str) -> EstatePlan:
    """This function will make the estate what the text says; again changes nothing. Raises UnableToApplyEstate."""
    plan = _carry_out(actor, now, customer, text)
    if plan.problems:
        raise UnableToApplyEstate(plan.problems[0], field="source")
    if plan.changes:
        record_change(
            actor=actor, now=now, target=customer, action="modernization.applied",
            after={"changes": [f"{entry.action} {entry.name}" for entry in plan.changes]},
        )  # fmt: skip
    return plan


def _carry_out(actor: Actor, now: datetime, customer: Customer, text: str) -> EstatePlan:
    actor.require("integrations.manage")
    actor.require_sight(customer.pk, "There is no such customer.")
    lock_estate(customer.pk)
    try:
        given = read_estate(text, customer)
    except InvalidSource as error:
        raise UnableToApplyEstate(str(error), field="source") from None
    estate = _Inventory(actor, customer)
    waves = given.waves if given.is_complete else list(_waves_of(estate, given.lines))
    wave_entries = [_wave(estate, now, doc) for doc in waves]
    lines = list(_named_once(given.lines))
    entries = [_interface(estate, now, line) for line in lines]
    # Only now every name is known that another one may depend on.
    for line, entry in zip(lines, entries, strict=True):
        if line.doc.depends_on is not None and not entry.problems:
            _depend(estate, now, line.doc, entry)
    return EstatePlan([*wave_entries, *entries])


def _named_once(lines: Iterable[Line]) -> Iterator[Line]:
    """Which of two lines about one interface is meant cannot be known."""
    seen: set[str] = set()
    for line in lines:
        name = line.doc.name.strip().lower()
        yield replace(line, problem=line.problem or "Another line names it already.") if name in seen else line
        seen.add(name)


def _waves_of(estate: _Inventory, lines: list[Line]) -> Iterator[WaveDoc]:
    """A CSV names waves; those that are not there yet are added in the order they are named."""
    names = dict.fromkeys(line.doc.wave.strip() for line in lines if line.doc.wave and not line.problem)
    return (WaveDoc(name=name[:80]) for name in names if name and name.lower() not in estate.waves)


def _wave(estate: _Inventory, now: datetime, doc: WaveDoc) -> PlannedEntry:
    known = estate.waves.get(doc.name.lower())
    entry = PlannedEntry("same" if known else "create", doc.name, "wave")
    base = draft_of_wave(known) if known else WaveDraft(name=doc.name)
    try:
        said: dict[str, Any] = {
            name: getattr(doc, name) for name in ("position", "goal") if getattr(doc, name) is not None
        }
        said |= {
            name: _day(getattr(doc, name)) for name in ("starts_on", "cut_over_on") if getattr(doc, name) is not None
        }
        draft = replace(base, name=doc.name, **said)
        entry.details = _changes(base.values() if known else {}, draft.values())
        if known and entry.details:
            entry.action = "change"
            wave: MigrationWave = change_wave(actor=estate.actor, now=now, wave=known, draft=draft)
            estate.waves[doc.name.lower()] = wave
        elif not known:
            added = add_wave(actor=estate.actor, now=now, customer=estate.customer, draft=draft)
            estate.waves[doc.name.lower()] = added
    except AnticipatedError as error:
        entry.problems.append(error.user_message)
    return entry


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UnableToApplyEstate(f"“{text[:40]}” is no day: write 2026-11-30.") from None


def _interface(estate: _Inventory, now: datetime, line: Line) -> PlannedEntry:
    doc, known = line.doc, estate.interfaces.get(line.doc.name.lower())
    entry = PlannedEntry("same" if known else "create", doc.name, "interface", line.line)
    if line.problem:
        entry.problems.append(line.problem)
        return entry
    try:
        _keep_interface(estate, now, doc, entry)
    except AnticipatedError as error:
        entry.problems.append(
            f"{error.field.replace('_', ' ').capitalize()}: {error.user_message}" if error.field else error.user_message
        )
    return entry


def _keep_interface(estate: _Inventory, now: datetime, doc: InterfaceDoc, entry: PlannedEntry) -> None:
    known, draft = estate.interfaces.get(doc.name.lower()), estate.draft(doc)
    check_draft(estate.customer, draft)
    before = told(draft_of(known)) if known else {}
    entry.details = _changes(before, told(draft))
    if known is None:
        known = add_interface(actor=estate.actor, now=now, customer=estate.customer, draft=draft)
    elif entry.details:
        entry.action = "change"
        known = change_interface(actor=estate.actor, now=now, interface=known, draft=draft)
    estate.interfaces[doc.name.lower()] = known
    if doc.checklist is not None:
        _keep_points(known, doc.checklist, entry)


def _keep_points(interface: LegacyInterface, texts: list[str], entry: PlannedEntry) -> None:
    """Points of the same text keep their ticks. Raises UnableToSaveInterface, UnableToChangeInterface."""
    texts = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    points = sorted(interface.points.all(), key=lambda point: point.pk)
    have = [point.text for point in points]
    if have == texts:
        return
    if interface.status == InterfaceStatus.RETIRED:
        raise UnableToChangeInterface("It is retired: its checklist stays as it was.")
    if len(texts) > MOST_POINTS:
        raise UnableToSaveInterface(f"A checklist has at most {MOST_POINTS} points.", field="checklist")
    if entry.action != "create":
        entry.action = "change"
        entry.details.append(Detail("checklist", "; ".join(have), "; ".join(texts)))
    ticks = {point.text: point for point in points}
    interface.points.all().delete()
    ChecklistPoint.objects.bulk_create(
        ChecklistPoint(
            interface=interface, text=text, ticked_at=ticks[text].ticked_at if text in ticks else None,
            ticked_by_label=ticks[text].ticked_by_label if text in ticks else "",
        )
        for text in texts
    )  # fmt: skip


def _depend(estate: _Inventory, now: datetime, doc: InterfaceDoc, entry: PlannedEntry) -> None:
    interface = estate.interfaces[doc.name.lower()]
    try:
        draft, needed = draft_of(interface), estate.needed(doc)
        if set(draft.depends_on) == set(needed):
            return
        before, after = ("; ".join(sorted(map(str, some))) for some in (draft.depends_on, needed))
        entry.details.append(Detail("depends_on", before, after))
        if entry.action == "same":
            entry.action = "change"
        change_interface(actor=estate.actor, now=now, interface=interface, draft=replace(draft, depends_on=needed))
    except AnticipatedError as error:
        entry.problems.append(error.user_message)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[Detail]:
    return [
        Detail(name, _said(before.get(name)), _said(value))
        for name, value in after.items()
        if name not in ("name", "depends_on") and _said(before.get(name)) != _said(value)
    ]


def _said(value: Any) -> str:
    return "" if value is None else str(value)
