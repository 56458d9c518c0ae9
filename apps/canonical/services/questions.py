"""Asking whether two records are one, and remembering the answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.canonical.models import MatchQuestion, QuestionStatus
from apps.canonical.scoring import Score
from apps.canonical.workspace import lock_environment
from apps.core.actor import Actor
from apps.core.bulk import execute, json_text
from apps.core.errors import Conflict
from apps.core.ids import uuid7
from apps.customers.models import Environment

_ASK = """
INSERT INTO canonical_matchquestion (
    id, customer_id, environment_id, entity, left_id, right_id, pair, score, reasons, status, asked_at, answered_by_label)
SELECT id, %s, %s, entity, left_id, right_id, pair, score, reasons, 'open', %s, ''
FROM jsonb_to_recordset(%s::jsonb) AS new(
    id uuid, entity text, left_id uuid, right_id uuid, pair text, score int, reasons jsonb)
ON CONFLICT (pair) DO NOTHING
"""
# A version without a changed field: flows that follow the history work the records off again.
_TOUCH = """
WITH touched AS (
    UPDATE canonical_canonicalrecord SET version = version + 1 WHERE id = ANY(%s)
    RETURNING id, environment_id, entity, version)
INSERT INTO canonical_canonicalchange (record_id, environment_id, entity, version, at, source_kind, fields)
SELECT id, environment_id, entity, version, %s, 'person', '{}'::jsonb FROM touched
"""


class UnableToAnswer(Conflict):
    """The question is answered already, or gone with its record."""


class Doubtful(NamedTuple):
    """A newcomer, the known record it may be, and why."""

    entity: str
    left_id: UUID
    right_id: UUID
    score: Score


def pair_of(first: UUID, second: UUID) -> str:
    return ":".join(sorted((str(first), str(second))))


def ask_questions(environment: Environment, doubts: Iterable[Doubtful], now: datetime) -> int:
    """This function will note the pairs as open questions; pairs that were asked about before are left as answered.

    Part of the caller's transaction; the records must have been written. Returns how many are new.
    """
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(), "entity": d.entity, "left_id": d.left_id, "right_id": d.right_id,
            "pair": pair_of(d.left_id, d.right_id), "score": d.score.points, "reasons": d.score.reasons,
        }
        for d in doubts
    ]  # fmt: skip
    return execute(_ASK, [environment.customer_id, environment.pk, now, json_text(rows)]) if rows else 0


@transaction.atomic
def keep_apart(*, actor: Actor, now: datetime, question: MatchQuestion) -> MatchQuestion:
    """This function will remember that the two are different things; what waited for the answer goes on. Raises UnableToAnswer."""
    locked = _locked(actor, question)
    locked.status, locked.answered_at, locked.answered_by_label = QuestionStatus.DIFFERENT, now, actor.label
    locked.save(update_fields=["status", "answered_at", "answered_by_label"])
    touch_records([locked.left_id, locked.right_id], now)
    _audit(actor, "match.kept_apart", locked, now)
    return locked


@transaction.atomic
def put_off(*, actor: Actor, now: datetime, question: MatchQuestion) -> MatchQuestion:
    """This function will take the question off the list; the records stay held until it is answered. Raises UnableToAnswer."""
    locked = _locked(actor, question)
    locked.status, locked.answered_at, locked.answered_by_label = QuestionStatus.LATER, now, actor.label
    locked.save(update_fields=["status", "answered_at", "answered_by_label"])
    _audit(actor, "match.put_off", locked, now)
    return locked


@transaction.atomic
def reopen_question(*, actor: Actor, now: datetime, question: MatchQuestion) -> MatchQuestion:
    """This function will ask again what was put off or answered with “different”."""
    actor.require("errors.resolve")
    actor.require_sight(question.customer_id, "There is no such question.")
    MatchQuestion.objects.filter(pk=question.pk).update(
        status=QuestionStatus.OPEN, answered_at=None, answered_by_label=""
    )
    question.refresh_from_db()
    _audit(actor, "match.reopened", question, now)
    return question


def touch_records(record_ids: Iterable[UUID], now: datetime) -> None:
    """This function will have every flow that follows these records work them off again, under the environment's lock."""
    execute(_TOUCH, [list(record_ids), now])


def _locked(actor: Actor, question: MatchQuestion) -> MatchQuestion:
    actor.require("errors.resolve")
    actor.require_sight(question.customer_id, "There is no such question.")
    lock_environment(question.environment_id)
    found = MatchQuestion.objects.select_for_update().filter(pk=question.pk).first()
    if found is None or found.status == QuestionStatus.DIFFERENT:
        raise UnableToAnswer("This question is answered already. Go back to the list for those still open.")
    return found


def _audit(actor: Actor, action: str, question: MatchQuestion, now: datetime) -> None:
    record_audit(
        actor=actor, action=action, target_key=f"question:{question.pk}", target_label=str(question.left),
        owner_key=question.owner_key, after={"other": str(question.right)}, now=now,
    )  # fmt: skip
