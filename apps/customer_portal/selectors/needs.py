"""What the customer must do: connect a system again, or correct a record that a system refuses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Value

from apps.canonical.models import FieldQuestion, MatchQuestion, QuestionStatus
from apps.canonical.selectors import list_value_questions
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible
from apps.customer_portal.selectors.landscape import (
    NEEDS_PERSON,
    OPEN_FAILURES,
    SystemState,
    describe_system,
)
from apps.customers.models import EnvironmentKind
from apps.monitoring.models import BusinessException
from apps.monitoring.selectors import list_exceptions
from apps.sync.explanations import explain_to_customer
from apps.sync.models import ApprovalRequest, ApprovalStatus, ErrorClass, RecordFailure
from apps.sync.vendor_errors import SETTING_CODES

# The others are the partner's to solve: a customer can do nothing about a mapping or a vendor that is down.
SOLVABLE = (
    ErrorClass.VALIDATION, ErrorClass.BUSINESS_RULE, ErrorClass.MISSING_REFERENCE, ErrorClass.CONFLICT
)  # fmt: skip
# Of these the system itself has answered; of the others we say what is wrong.
ANSWERED = (ErrorClass.VALIDATION, ErrorClass.BUSINESS_RULE)
# A price or a rate that an integration's own rule demands is set there.
INTEGRATION_CODES = frozenset({"demand", "rule"})
_INVOICED = (
    "Put the time back to what was invoiced, then try again here. If the new time is right, correct the invoice or write a "
    "credit note, and tell us."
)
Explain = Callable[[str], str]
_STEPS: dict[str, Explain] = {
    ErrorClass.VALIDATION: lambda system: (
        f"Correct the record where it comes from. {system} gets the change by itself; to have it at once, try again here."
    ),
    ErrorClass.BUSINESS_RULE: lambda system: (
        f"Correct the record where it comes from, or the rule in {system} that forbids it, then try again here."
    ),
    ErrorClass.MISSING_REFERENCE: lambda system: (
        f"Something this record belongs to is missing in {system}. Add it there or where it comes from, then try again."
    ),
    ErrorClass.CONFLICT: lambda system: (
        f"{system} already holds something that contradicts this record. Decide which one is right, correct the other, "
        "then try again."
    ),
}


@dataclass(frozen=True, slots=True)
class RecordToFix:
    failure: RecordFailure
    system: str
    title: str
    cause: str
    next_step: str
    since: datetime
    is_retrying: bool


def list_waiting_connections(actor: Actor) -> list[SystemState]:
    found = Connection.objects.visible_to(actor).production().filter(archived_at=None, status__in=NEEDS_PERSON)
    return [describe_system(connection) for connection in found.order_by("name", "id")]


def list_failures_to_fix(actor: Actor) -> QuerySet[Any]:
    """Open failures that the customer can solve, for keyset paging by `-last_at`."""
    return _solvable(_open(actor)).select_related("connection", "flow__integration").defer("payload")


def count_failures_with_partner(actor: Actor) -> int:
    """Open failures somebody else is looking after."""
    return _open(actor).exclude(pk__in=_solvable(_open(actor)).values("pk")).count()


def count_needs(actor: Actor, now: datetime) -> int:
    waiting = Connection.objects.visible_to(actor).production().filter(archived_at=None, status__in=NEEDS_PERSON)
    records = _solvable(_open(actor))
    # One query: every page asks.
    others = [rows.order_by().values("pk") for _, rows in _decisions(actor, now)]
    return int(waiting.values("pk").union(records.values("pk"), *others, all=True).count())


def list_exceptions_to_solve(actor: Actor, now: datetime) -> QuerySet[BusinessException]:
    """What should have followed in the customer's business and is theirs to put right; the oldest first."""
    found: QuerySet[BusinessException] = (
        list_exceptions(actor).production().needing_somebody(now).order_by("since", "id")
    )
    return found


def count_decisions(actor: Actor, now: datetime) -> Counter[str]:
    """How many {questions, approvals, exceptions} wait for somebody: one query."""
    counted = [
        rows.order_by().values(kind=Value(kind)).annotate(count=Count("pk")).values_list("kind", "count")
        for kind, rows in _decisions(actor, now)
    ]
    found: Counter[str] = Counter()
    for kind, count in counted[0].union(*counted[1:], all=True):
        found[kind] += count
    return found


def _decisions(actor: Actor, now: datetime) -> list[tuple[str, QuerySet[Any]]]:
    kinds: list[tuple[str, QuerySet[Any]]] = [
        ("questions", list_questions_to_answer(actor)),
        ("questions", list_values_to_decide(actor)),
        ("approvals", list_own_approvals(actor)),
    ]
    if actor.can("exceptions.view"):
        kinds.append(("exceptions", list_exceptions_to_solve(actor, now)))
    return kinds


def list_values_to_decide(actor: Actor) -> QuerySet[FieldQuestion]:
    """Fields that two systems changed differently; newest first."""
    found: QuerySet[FieldQuestion] = list_value_questions(actor).filter(environment__kind=EnvironmentKind.PRODUCTION)
    return found


def get_value_to_decide(actor: Actor, question_id: UUID) -> FieldQuestion:
    """Raises NotVisible, also for questions that are answered."""
    return get_visible(
        list_values_to_decide(actor), question_id, "There is no such question; perhaps somebody answered it."
    )


def list_questions_to_answer(actor: Actor) -> QuerySet[MatchQuestion]:
    """Pairs of records that may be one; newest first."""
    visible = MatchQuestion.objects.visible_to(actor).production().filter(status=QuestionStatus.OPEN)
    found: QuerySet[MatchQuestion] = visible.select_related("left", "right").order_by("-asked_at", "-id")
    return found


def get_question_to_answer(actor: Actor, question_id: UUID) -> MatchQuestion:
    """Raises NotVisible, also for questions that are answered."""
    return get_visible(
        list_questions_to_answer(actor), question_id, "There is no such question; perhaps somebody answered it."
    )


def get_failure_to_fix(actor: Actor, failure_id: UUID) -> RecordFailure:
    """Raises NotVisible, also for failures that are not the customer's to solve."""
    found = list_failures_to_fix(actor).filter(pk=failure_id).first()
    if found is None:
        raise NotVisible("There is no such record.")
    return found  # type: ignore[no-any-return]


def explain(failure: RecordFailure) -> RecordToFix:
    system = describe_system(failure.connection).name
    return RecordToFix(
        failure=failure,
        system=system,
        title=failure.name,
        cause=failure.message,
        next_step=_next_step(failure, system),
        since=failure.first_at,
        is_retrying=failure.status == "retrying",
    )


def _next_step(failure: RecordFailure, system: str) -> str:
    """What the code asks for, where we know it."""
    if failure.code == "invoiced_time":
        return _INVOICED
    known = explain_to_customer(failure)
    return known.next_step if known else _STEPS[failure.error_class](system)


@dataclass(frozen=True, slots=True)
class CauseToFix:
    """Records that one and the same step brings through."""

    system: str
    cause: str
    next_step: str
    is_answer: bool  # of the system; else we noticed
    records: list[RecordToFix]

    @property
    def headline(self) -> str:
        return f"{self.system} says: {self.cause}" if self.is_answer else f"{self.system}: {self.cause}"


def by_cause(records: Iterable[RecordToFix]) -> list[CauseToFix]:
    """In the order of the first record of each."""
    found: dict[tuple[str, str, str, bool], list[RecordToFix]] = defaultdict(list)
    for record in records:
        is_answer = record.failure.error_class in ANSWERED
        found[record.system, record.cause, record.next_step, is_answer].append(record)
    return [CauseToFix(*words, own) for words, own in found.items()]


def _solvable(failures: QuerySet[Any]) -> QuerySet[Any]:
    return failures.filter(error_class__in=SOLVABLE).exclude(code__in=SETTING_CODES | INTEGRATION_CODES)


def _open(actor: Actor) -> QuerySet[Any]:
    found: QuerySet[Any] = RecordFailure.objects.visible_to(actor).production().filter(status__in=OPEN_FAILURES)
    return found


def list_own_approvals(actor: Actor) -> QuerySet[ApprovalRequest]:
    """What waits for the customer's word before it is written, the newest first."""
    visible = ApprovalRequest.objects.visible_to(actor).filter(status=ApprovalStatus.OPEN, audience="customer")
    found: QuerySet[ApprovalRequest] = visible.select_related("customer").order_by("-asked_at", "-id")
    return found


def get_own_approval(actor: Actor, approval_id: UUID) -> ApprovalRequest:
    """Raises NotVisible, also for what the partner decides."""
    return get_visible(list_own_approvals(actor), approval_id, "There is no such request; perhaps somebody decided it.")
