"""Pairs of ids that a customer knows already (“HubSpot 17 is Tryton 4”): a file, checked line by line, then carried out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.canonical.models import (
    CanonicalRecord,
    CrossReference,
    MergeOutcome,
    MergePlan,
    MergePlanSource,
    MergePlanStatus,
    PlannedMerge,
)
from apps.canonical.references import Reference, by_external_id
from apps.canonical.services import UnableToMerge, touch_records
from apps.canonical.services.merging import BOTH_DERIVED, is_derived
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.customers.askers import note_asker
from apps.sync.services.plan_queue import audit_plan, queue_plan

MAX_ROWS = 20_000
NOT_READ = "Neither system has shown its record yet. Let both be read first."


class UnableToReadPairs(AnticipatedError):
    """The file is no list of pairs, or the systems do not go together; `field` says which input."""


@transaction.atomic
def request_pairs(
    *, actor: Actor, now: datetime, entity: str, left: Connection, right: Connection, text: str = "",
    pairs: Sequence[Sequence[str]] = (),
) -> MergePlan:  # fmt: skip
    """This function will keep the lines and have them checked in the background; nothing changes yet.

    Either `pairs`, or the `text` of a file: two columns, ids in `left` and in `right`, with or without a heading. Raises
    UnableToReadPairs, NotVisible, NotPermitted.
    """
    actor.require("integrations.manage")
    actor.require("errors.resolve")
    if not (actor.sees(left.customer_id) and actor.sees(right.customer_id)):
        raise NotVisible("There is no such connection.")
    if left.environment_id != right.environment_id or left.pk == right.pk:
        raise UnableToReadPairs("Choose two systems of the same customer.", field="right")
    _stream(left, entity, "left")
    _stream(right, entity, "right")
    lines = [(number, list(pair)) for number, pair in enumerate(pairs, 1)] if pairs else _read(text)
    plan = MergePlan.objects.create(
        customer_id=left.customer_id, environment_id=left.environment_id, source=MergePlanSource.ID_PAIRS,
        entity=entity, left=left, right=right, status=MergePlanStatus.CHECKING, total=len(lines), requested_at=now,
        requested_by_label=actor.label, asked_by=note_asker(actor),
    )  # fmt: skip
    rows = list(_rows(plan, lines))
    PlannedMerge.objects.bulk_create(rows, batch_size=2000)
    plan.done_count = sum(row.outcome != "" for row in rows)
    plan.save(update_fields=["done_count"])
    audit_plan(actor, plan, "requested", now)
    queue_plan(plan, now)
    return plan


def _rows(plan: MergePlan, lines: list[tuple[int, list[str]]]) -> Iterable[PlannedMerge]:
    taken: dict[tuple[int, str], int] = {}
    for line, cells in lines:
        left, right = (*cells, "", "")[:2]
        row = PlannedMerge(plan=plan, position=line, entity=plan.entity, left_key=left[:120], right_key=right[:120])
        row.message = _fault(line, cells, taken)
        row.outcome = MergeOutcome.ERROR if row.message else ""
        yield row


def _fault(line: int, cells: list[str], taken: dict[tuple[int, str], int]) -> str:
    if len(cells) != 2 or not all(cells):
        return "Two ids are expected."
    if any(len(cell) > 120 for cell in cells):
        return "An id has at most 120 characters."
    for side, external_id in enumerate(cells):
        first = taken.setdefault((side, external_id), line)
        if first != line:
            return f"{external_id[:60]} is on line {first} already."
    return ""


def _stream(connection: Connection, entity: str, field: str) -> str:
    found = next((s.name for s in get_manifest(connection.vendor).streams if s.entity == entity), None)
    if found is None:
        raise UnableToReadPairs(f"{connection.name} knows no such records.", field=field)
    return found


def _read(text: str) -> list[tuple[int, list[str]]]:
    if "\x00" in text:
        raise UnableToReadPairs("The file is no text. Save it as CSV and choose it again.", field="file")
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


def check_rows(plan: MergePlan, limit: int) -> int:
    """This function will look at the next lines without changing a record; returns how many."""
    rows = list(plan.rows.filter(outcome="").order_by("position")[:limit])
    if rows:
        places = [_place(plan, side, [_key(row, side) for row in rows]) for side in (0, 1)]
        ids = {reference.record_id for found in places for reference in found.values()}
        homes = _homes(ids)
        titles = {pk: str(record) for pk, record in CanonicalRecord.objects.in_bulk(ids).items()}
        for row in rows:
            _check(plan, row, [found.get(_key(row, side)) for side, found in enumerate(places)], homes, titles)
        fields = ["outcome", "message", "left_id", "right_id", "left_title", "right_title"]
        PlannedMerge.objects.bulk_update(rows, fields)
    return len(rows)


Homes = dict[UUID, dict[tuple[UUID, str], str]]


def _homes(record_ids: set[UUID]) -> Homes:
    """{record: {(connection, object): name of the system}}."""
    found: Homes = {}
    places = CrossReference.objects.filter(record_id__in=record_ids)
    for record_id, connection_id, name, system in places.values_list(
        "record_id", "connection_id", "object_name", "connection__name"
    ):
        found.setdefault(record_id, {})[connection_id, name] = system
    return found


def _check(
    plan: MergePlan, row: PlannedMerge, found: list[Reference | None], homes: Homes, titles: dict[UUID, str]
) -> None:
    left, right = found
    row.left_id, row.right_id = (left.record_id if left else None), (right.record_id if right else None)
    row.left_title, row.right_title = (titles.get(i, "")[:250] if i else "" for i in (row.left_id, row.right_id))
    if left is None and right is None:
        row.message = NOT_READ
    elif left is None or right is None:
        row.message = _link_fault(plan, row, homes)
        row.outcome = MergeOutcome.LINK
    elif left.record_id == right.record_id:
        row.outcome = MergeOutcome.KNOWN
    else:
        row.message = _merge_fault(left.record_id, right.record_id, homes)
        row.outcome = MergeOutcome.MERGE
    if row.message:
        row.outcome, row.message = MergeOutcome.ERROR, row.message[:300]


def _merge_fault(left_id: UUID, right_id: UUID, homes: Homes) -> str:
    if is_derived(left_id) and is_derived(right_id):
        return BOTH_DERIVED
    twice = next((place for place in homes.get(left_id, {}) if place in homes.get(right_id, {})), None)
    return f"{homes[left_id][twice]} holds both, under two ids. Merge them there first." if twice else ""


def _link_fault(plan: MergePlan, row: PlannedMerge, homes: Homes) -> str:
    side = 0 if row.left_id is None else 1
    connection, stream = _system(plan, side)
    record_id = row.right_id if side == 0 else row.left_id
    assert record_id is not None  # noqa: S101 - the caller saw to it
    title = row.right_title if side == 0 else row.left_title
    return f"{title} has another id in {connection.name}." if (connection.pk, stream) in homes[record_id] else ""


def _system(plan: MergePlan, side: int) -> tuple[Connection, str]:
    connection = plan.right if side else plan.left
    assert connection is not None  # noqa: S101 - an import has two systems
    return connection, _stream(connection, plan.entity, "right" if side else "left")


def _key(row: PlannedMerge, side: int) -> str:
    return row.right_key if side else row.left_key


def _place(plan: MergePlan, side: int, external_ids: list[str]) -> dict[str, Reference]:
    connection, stream = _system(plan, side)
    return by_external_id(connection.pk, stream, external_ids)


def link_row(plan: MergePlan, row: PlannedMerge, now: datetime) -> None:
    """This function will note the id whose side is not read yet; it is recognized when it is. Raises UnableToMerge."""
    side = 0 if row.left_id is None else 1
    connection, stream = _system(plan, side)
    record_id = row.right_id if side == 0 else row.left_id
    record = CanonicalRecord.objects.filter(pk=record_id).first() if record_id else None
    if record is None:
        raise UnableToMerge("The record is gone.")
    if by_external_id(connection.pk, stream, [_key(row, side)]):
        raise UnableToMerge(f"{connection.name} has shown {_key(row, side)} meanwhile. Import the line again.")
    if record.cross_references.filter(connection=connection, object_name=stream).exists():
        raise UnableToMerge(f"{record} has another id in {connection.name}.")
    CrossReference.objects.create(record=record, connection=connection, object_name=stream, external_id=_key(row, side))
    touch_records([record.pk], now)


def unlink_rows(plan: MergePlan) -> None:
    """This function will forget the ids that were noted and have not been read since."""
    for row in plan.rows.filter(outcome=MergeOutcome.LINK).exclude(done_at=None):
        side = 0 if row.left_id is None else 1
        connection, stream = _system(plan, side)
        CrossReference.objects.filter(
            connection=connection, object_name=stream, external_id=_key(row, side), last_seen_hash="", write_hash="",
            seen={},
        ).delete()  # fmt: skip
