"""Answers that tell of another object than the one that was written: nothing is taken over from them.

A system that gives one id to two creates, or answers a write with somebody else's object, would have two records become
one, and the wrong content pass for what was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.canonical.references import Reference, by_external_id, by_record
from apps.sync.engine.consequences import note_failures
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord
from apps.sync.engine.intents import Intent
from apps.sync.models import ErrorClass, IntentStatus, WriteIntent

if TYPE_CHECKING:
    from apps.sync.engine.confirm import Answer

CODE = "other_object"
_RANDOM_BITS = 80  # of an id that begins with the millisecond it was made in


@dataclass
class Sorted:
    """`twins`: of a record that was read before its own create was confirmed, the one it is."""

    own: list[Answer] = field(default_factory=list)
    twins: dict[UUID, UUID] = field(default_factory=dict)
    strange: list[tuple[Intent, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parked:
    """A create of which nobody knows what became, with what to tell of it."""

    intent: Intent
    message: str
    code: str


def sort_answers(system: BoundSystem, stream: str, answers: list[Answer]) -> Sorted:
    """This function will tell the answers to believe from those about another object; each has a record."""
    given = [(answer, answer.record.external_id) for answer in answers if answer.record]
    holders = by_external_id(system.connection.pk, stream, [external_id for _, external_id in given])
    counts = Counter(external_id for _, external_id in given)
    found = Sorted()
    for answer, external_id in given:
        intent, holder = answer.intent, holders.get(external_id)
        if holder is not None and holder.record_id == intent.record_id:
            found.own.append(answer)
        elif counts[external_id] > 1:
            found.strange.append((intent, _one_for_all(system, external_id)))
        elif holder is None:
            own = None if intent.is_create else by_record(system.connection.pk, [intent.record_id])
            known = own.get((intent.record_id, stream)) if own else None
            if known is None or _is_same(known.external_id, external_id):
                found.own.append(answer)
            else:
                found.strange.append((intent, _answered(system, external_id, f"not of {known.external_id}")))
        elif intent.is_create and _is_twin(intent, holder):
            found.twins[holder.record_id] = intent.record_id
            found.own.append(answer)
        else:
            found.strange.append((intent, _answered(system, external_id, f"which is “{_title(holder)}”")))
    return found


def park(context: RunContext, system: BoundSystem, parked: Collection[Parked], now: datetime) -> None:
    """This function will leave creates to a person; part of the caller's transaction."""
    WriteIntent.objects.filter(pk__in=[one.intent.id for one in parked]).update(status=IntentStatus.UNCERTAIN)
    workspace = context.workspace()
    workspace.load([one.intent.record_id for one in parked])
    failures = []
    for one in parked:
        state = workspace.find(one.intent.record_id)
        failures.append(
            FailedRecord(
                connection_id=system.connection.pk, direction="write", object_name=one.intent.object_name,
                record_id=one.intent.record_id, title=state.title if state else "", payload=one.intent.payload,
                is_payload_sent=True, problem=RecordProblem(ErrorClass.UNCERTAIN, one.message, code=one.code),
            )
        )  # fmt: skip
    note_failures(context, failures, now)


def _is_twin(intent: Intent, holder: Reference) -> bool:
    """Whether another flow read what this create made, before its answer was taken over.

    Then the other record is younger than the wish to write, and no third system knows both as two.
    """
    if holder.record_id.int >> _RANDOM_BITS < intent.id.int >> _RANDOM_BITS:
        return False
    rows = CrossReference.objects.filter(record_id__in=[holder.record_id, intent.record_id])
    places = Counter(rows.values_list("connection_id", "object_name"))
    return all(count == 1 for count in places.values())


def _is_same(one: str, other: str) -> bool:
    """Systems write their ids in other letters, or fill them up, where they answer a write."""
    return one.strip().casefold() == other.strip().casefold()


def _one_for_all(system: BoundSystem, external_id: str) -> str:
    return f"{system.manifest.name} answered with one id, {external_id}, for several records."


def _answered(system: BoundSystem, external_id: str, what: str) -> str:
    return f"{system.manifest.name} answered with the id {external_id}, {what}."


def _title(holder: Reference) -> str:
    return CanonicalRecord.objects.values_list("title", flat=True).get(pk=holder.record_id)
