"""Asking which of two values is right, withholding writes meanwhile, and taking the answer over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_change
from apps.canonical.models import FieldQuestion
from apps.canonical.services.questions import touch_records
from apps.canonical.workspace import ChangeSource, Workspace, lock_environment
from apps.core.actor import Actor
from apps.core.bulk import execute, fetch_rows, json_text
from apps.core.errors import Conflict
from apps.core.ids import uuid7
from apps.customers.models import Environment

ANSWERS = ("ours", "theirs")
_ASK = """
INSERT INTO canonical_fieldquestion AS question (
    id, customer_id, environment_id, record_id, field, connection_id, ours, theirs, asked_at, answered_by_label, answer)
SELECT id, %s, %s, record_id, field, connection_id, ours, theirs, %s, '', ''
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, record_id uuid, field text, connection_id uuid, ours jsonb, theirs jsonb)
ON CONFLICT (record_id, field, connection_id) WHERE answered_at IS NULL
DO UPDATE SET ours = EXCLUDED.ours, theirs = EXCLUDED.theirs
"""
_AGREED = """
UPDATE canonical_fieldquestion SET answered_at = %s, answer = 'agreed', answered_by_label = 'System'
WHERE connection_id = %s AND record_id = %s AND field = ANY(%s) AND answered_at IS NULL
"""
_OPEN = """
SELECT record_id, field FROM canonical_fieldquestion
WHERE connection_id = %s AND record_id = ANY(%s) AND answered_at IS NULL
"""


class UnableToDecide(Conflict):
    """The question is answered already, or this is no answer to it."""


class Contradiction(NamedTuple):
    """A field in which a system says something else than the record."""

    record_id: UUID
    field: str
    connection_id: UUID
    ours: Any
    theirs: Any


def ask_values(environment: Environment, found: Iterable[Contradiction], now: datetime) -> None:
    """This function will note the contradictions as open questions; one that is open takes the newer values over."""
    rows = [{"id": uuid7(), **contradiction._asdict()} for contradiction in found]
    if rows:
        execute(_ASK, [environment.customer_id, environment.pk, now, json_text(rows)])


def note_agreement(connection_id: UUID, record_id: UUID, fields: list[str], now: datetime) -> None:
    """This function will close questions that settled themselves: the system says what the record says."""
    execute(_AGREED, [now, connection_id, record_id, fields])


def questioned_fields(connection_id: UUID, record_ids: Iterable[UUID]) -> dict[UUID, set[str]]:
    """{record: fields not to be written to this system before somebody answers}."""
    found: dict[UUID, set[str]] = {}
    for record_id, name in fetch_rows(_OPEN, [connection_id, list(record_ids)]):
        found.setdefault(record_id, set()).add(name)
    return found


@transaction.atomic
def decide_value(*, actor: Actor, now: datetime, question: FieldQuestion, answer: str) -> FieldQuestion:
    """This function will make `ours` (the record's) or `theirs` the value everywhere. Raises UnableToDecide."""
    actor.require("errors.resolve")
    actor.require_sight(question.customer_id, "There is no such question.")
    if answer not in ANSWERS:
        raise UnableToDecide("Choose one of the two values.", field="answer")
    lock_environment(question.environment_id)
    locked = (
        FieldQuestion.objects.select_for_update(of=("self",))
        .select_related("environment", "record")
        .get(pk=question.pk)
    )
    if locked.answered_at is not None:
        raise UnableToDecide("This question is answered already. Go back to the list for those still open.")
    locked.answered_at, locked.answered_by_label, locked.answer = now, actor.label, answer
    locked.save(update_fields=["answered_at", "answered_by_label", "answer"])
    if answer == "theirs":
        workspace = Workspace(locked.environment, ChangeSource("person"), now)
        workspace.load([locked.record_id])
        state = workspace.find(locked.record_id)
        assert state is not None  # noqa: S101 - the question goes with its record
        workspace.change(state, {locked.field: locked.theirs})
        workspace.flush()
    touch_records([locked.record_id], now)
    record_change(
        actor=actor, now=now, target=locked.record, action="value.decided",
        after={"field": locked.field, "answer": answer},
    )  # fmt: skip
    return locked
