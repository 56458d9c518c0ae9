"""Pairs of ids that a customer knows already (“HubSpot 17 is Tryton 4”): checked row by row, shown, then applied."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.canonical.models import CanonicalRecord, CrossReference, RecordMerge
from apps.canonical.services import UnableToMerge, touch_records
from apps.canonical.workspace import lock_environment
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.core.ids import uuid7
from apps.sync.services.stewardship import merge_settled, undo_merge, wake_flows

MAX_ROWS = 20_000
MERGE, LINK, KNOWN, ERROR = "merge", "link", "known", "error"
Place = tuple[Connection, str]  # a connection and the stream whose ids are meant


class UnableToReadPairs(AnticipatedError):
    """The file is no list of pairs, or the systems do not go together; `field` says which input."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A line of the file. `outcome`: merge | link (one side is not read yet) | known (nothing to do) | error."""

    line: int
    left_id: str
    right_id: str
    outcome: str
    message: str
    left_title: str = ""
    right_title: str = ""


@dataclass(frozen=True)
class PairReport:
    """All lines. After applying, `batch_id` names the merges that can be undone together."""

    rows: list[PairRow]
    batch_id: UUID | None = None

    def count(self, outcome: str) -> int:
        return sum(row.outcome == outcome for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        return {outcome: self.count(outcome) for outcome in (MERGE, LINK, KNOWN, ERROR)}


def preview_pairs(
    *, actor: Actor, now: datetime, entity: str, left: Connection, right: Connection, text: str
) -> PairReport:
    """What applying would do: it is done, and rolled back. Raises UnableToReadPairs."""
    with transaction.atomic():
        report = apply_pairs(actor=actor, now=now, entity=entity, left=left, right=right, text=text)
        transaction.set_rollback(True)
    return report


@transaction.atomic
def apply_pairs(
    *, actor: Actor, now: datetime, entity: str, left: Connection, right: Connection, text: str
) -> PairReport:
    """This function will make the records of each good line one; bad lines are told and left. Raises UnableToReadPairs.

    The file has two columns, ids in `left` and in `right`; a first line of words is taken as heading.
    """
    actor.require("integrations.manage")
    if not (actor.sees(left.customer_id) and actor.sees(right.customer_id)):
        raise NotVisible("There is no such connection.")
    if left.environment_id != right.environment_id or left.pk == right.pk:
        raise UnableToReadPairs("Choose two systems of the same customer.", field="right")
    places = (left, _stream(left, entity, "left")), (right, _stream(right, entity, "right"))
    lines = _read(text)
    lock_environment(left.environment_id)
    batch_id = uuid7()
    run = _Import(actor, now, batch_id, places, entity)
    rows = [run.take(line, *ids) for line, ids in lines]
    wake_flows(left.environment_id, actor, now)
    report = PairReport(rows, batch_id)
    record_audit(
        actor=actor, action="id_pairs.applied", target_key=f"batch:{batch_id}", target_label=entity,
        owner_key=f"customer:{left.customer_id}", after=report.counts, now=now,
    )  # fmt: skip
    return report


@transaction.atomic
def undo_batch(*, actor: Actor, now: datetime, batch_id: UUID) -> int:
    """This function will part everything an import or a joining merged, newest first; returns how many.

    Raises UnableToMerge, NotPermitted.
    """
    actor.require("errors.resolve")
    merges = (
        RecordMerge.objects.visible_to(actor).filter(batch_id=batch_id, undone_at=None).order_by("-merged_at", "-id")
    )
    done = [undo_merge(actor=actor, now=now, merge=merge, ask_again=True) for merge in merges]
    return len(done)


def _stream(connection: Connection, entity: str, field: str) -> str:
    found = next((s.name for s in get_manifest(connection.vendor).streams if s.entity == entity), None)
    if found is None:
        raise UnableToReadPairs(f"{connection.name} knows no such records.", field=field)
    return found


def _read(text: str) -> list[tuple[int, list[str]]]:
    sample = text[:4096]
    delimiter = max(",;\t", key=sample.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnableToReadPairs(f"The file cannot be read: {error}.", field="file") from None
    lines = [(number, [cell.strip() for cell in row]) for number, row in enumerate(rows, 1)]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if lines and not any(char.isdigit() for cell in lines[0][1] for char in cell):
        lines = lines[1:]
    if not lines:
        raise UnableToReadPairs("The file has no line with two ids.", field="file")
    if len(lines) > MAX_ROWS:
        raise UnableToReadPairs(f"Take at most {MAX_ROWS:,} lines at once.", field="file")
    return lines


class _Import:
    """Works lines off in one transaction; each line that fails leaves no trace."""

    def __init__(self, actor: Actor, now: datetime, batch_id: UUID, places: tuple[Place, Place], entity: str) -> None:
        self.actor, self.now, self.batch_id, self.places, self.entity = actor, now, batch_id, places, entity
        self.taken: dict[tuple[int, str], int] = {}

    def take(self, line: int, *cells: str) -> PairRow:
        if len(cells) != 2 or not all(cells):
            left_id, right_id = (*cells, "", "")[:2]
            return PairRow(line, left_id, right_id, ERROR, "Two ids are expected.")
        for side, external_id in enumerate(cells):
            first = self.taken.setdefault((side, external_id), line)
            if first != line:
                return PairRow(line, cells[0], cells[1], ERROR, f"{external_id} is on line {first} already.")
        found = [self._find(side, external_id) for side, external_id in enumerate(cells)]
        return self._pair(line, cells, found)

    def _find(self, side: int, external_id: str) -> CanonicalRecord | None:
        connection, stream = self.places[side]
        reference = CrossReference.objects.filter(
            connection=connection, object_name=stream, external_id=external_id
        ).select_related("record__environment").first()  # fmt: skip
        return reference.record if reference else None

    def _pair(self, line: int, cells: tuple[str, ...], found: list[CanonicalRecord | None]) -> PairRow:
        left, right = found
        titles = tuple(str(record) if record else "" for record in found)
        if left is None and right is None:
            message = "Neither system has shown its record yet. Let both be read first."
            return PairRow(line, cells[0], cells[1], ERROR, message)
        if left is not None and right is not None:
            if left.pk == right.pk:
                return PairRow(line, cells[0], cells[1], KNOWN, "", *titles)
            try:
                with transaction.atomic():
                    merge_settled(actor=self.actor, now=self.now, first=left, second=right, batch_id=self.batch_id)
            except UnableToMerge as error:
                return PairRow(line, cells[0], cells[1], ERROR, error.user_message, *titles)
            return PairRow(line, cells[0], cells[1], MERGE, "", *titles)
        return self._link(line, cells, found, titles)

    def _link(
        self, line: int, cells: tuple[str, ...], found: list[CanonicalRecord | None], titles: tuple[str, ...]
    ) -> PairRow:
        """The side that is not read yet will be recognized when it is."""
        side = 0 if found[0] is None else 1
        record = found[1 - side]
        assert record is not None  # noqa: S101 - the caller saw to it
        connection, stream = self.places[side]
        if record.cross_references.filter(connection=connection, object_name=stream).exists():
            return PairRow(line, cells[0], cells[1], ERROR, f"{record} has another id in {connection.name}.", *titles)
        CrossReference.objects.create(record=record, connection=connection, object_name=stream, external_id=cells[side])
        touch_records([record.pk], self.now)
        return PairRow(line, cells[0], cells[1], LINK, "", *titles)
