from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from apps.canonical.models import (
    CanonicalRecord,
    CrossReference,
    FieldQuestion,
    MatchPolicy,
    MatchQuestion,
    RecordMerge,
)
from apps.canonical.models.records import MASS_ENTITIES, WORDS
from apps.canonical.names import plain
from apps.canonical.scoring import DEFAULTS, RULES
from apps.core.actor import Actor
from apps.core.visible import get_visible
from apps.customers.models import Customer

MOST_KNOWN = 2_000


def list_questions(actor: Actor) -> QuerySet[MatchQuestion]:
    """All, the newest first; filter by `status`."""
    visible = MatchQuestion.objects.visible_to(actor).select_related("customer", "left", "right", "environment")
    found: QuerySet[MatchQuestion] = visible.order_by("-asked_at", "-id")
    return found


def get_question(actor: Actor, question_id: UUID) -> MatchQuestion:
    """Raises NotVisible."""
    return get_visible(list_questions(actor), question_id, "There is no such question, or it was answered with “same”.")


def list_value_questions(actor: Actor) -> QuerySet[FieldQuestion]:
    """Open ones, the newest first."""
    visible = FieldQuestion.objects.visible_to(actor).filter(answered_at=None)
    found: QuerySet[FieldQuestion] = visible.select_related("customer", "record", "connection").order_by(
        "-asked_at", "-id"
    )
    return found


def get_value_question(actor: Actor, value_question_id: UUID) -> FieldQuestion:
    """Raises NotVisible."""
    return get_visible(
        list_value_questions(actor), value_question_id, "There is no such question; perhaps it is answered."
    )


def list_merges(actor: Actor) -> QuerySet[RecordMerge]:
    """Newest first."""
    visible = RecordMerge.objects.visible_to(actor).select_related("customer", "kept").defer("snapshot")
    found: QuerySet[RecordMerge] = visible.order_by("-merged_at", "-id")
    return found


def get_merge(actor: Actor, merge_id: UUID) -> RecordMerge:
    """Raises NotVisible."""
    return get_visible(list_merges(actor), merge_id, "There is no such merge.")


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of both records. `chosen` is the side whose value the merged record would have: left, right or both."""

    name: str
    left: Any
    right: Any
    chosen: str

    @property
    def is_contested(self) -> bool:
        return self.left not in (None, "") and self.right not in (None, "") and self.left != self.right


@dataclass(frozen=True)
class Comparison:
    """Two records side by side: `left` is the newcomer, `right` was known before."""

    fields: list[ComparedField]
    left_references: list[CrossReference]
    right_references: list[CrossReference]
    left_related: list[tuple[str, CanonicalRecord]]
    right_related: list[tuple[str, CanonicalRecord]]


def compare(question: MatchQuestion, take: Collection[str] = ()) -> Comparison:
    """`take`: fields in which the newcomer wins where both say something."""
    left, right = question.left, question.right
    names = list(dict.fromkeys([*right.data, *left.data]))
    fields = [
        ComparedField(n, left.data.get(n), right.data.get(n), _chosen(left.data.get(n), right.data.get(n), n in take))
        for n in names
    ]
    return Comparison(fields, _references(left), _references(right), related_records(left), related_records(right))


def _chosen(left: Any, right: Any, takes_left: bool) -> str:
    if left == right:
        return "both"
    if right is None or (takes_left and left is not None):
        return "left"
    return "right"


def _references(record: CanonicalRecord) -> list[CrossReference]:
    return list(record.cross_references.select_related("connection").order_by("connection__name", "object_name"))


def related_records(record: CanonicalRecord, limit: int = 20) -> list[tuple[str, CanonicalRecord]]:
    """What it refers to, then what refers to it (newest first), each with the reference's name."""
    own = [(link.name, link.target) for link in record.links.select_related("target").order_by("name")]
    back = record.backlinks.select_related("source").order_by("-source__changed_at", "-source_id")[:limit]
    return [*own, *((link.source.entity, link.source) for link in back)]


def search_records(rows: QuerySet[CanonicalRecord], text: str) -> QuerySet[CanonicalRecord]:
    """Those of `rows` whose name or number has words that begin like these, or whose id in any system is `text`; by index.

    `rows` start from what the actor may see. Few matches are known by their ids when this returns: the database takes
    every beginning of a word for frequent, and would read the words of a million records in the order that the caller
    wants to find the few that have a seldom one. A frequent one is soon found in that order.
    """
    rows = rows.order_by()
    words = plain(text).replace("\\", " ").replace("'", " ").split()
    # Cut to the rows before it is cut in number: every system counts from 1. Beside ids that are known already, the
    # words are found by their index.
    own = CrossReference.objects.filter(external_id=text.strip(), record__in=rows)
    wanted = Q(pk__in=list(own.values_list("record_id", flat=True)[:50]))
    if words:
        query = SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")
        wanted |= ~Q(entity__in=MASS_ENTITIES) & Q(words=query)
    found: QuerySet[CanonicalRecord] = rows.alias(words=WORDS).filter(wanted)
    ids = list(found.values_list("pk", flat=True)[: MOST_KNOWN + 1])
    return found if len(ids) > MOST_KNOWN else rows.filter(pk__in=ids)


def list_places(actor: Actor, record_id: UUID | None) -> QuerySet[CrossReference]:
    """Where the record stands: its id in every system that has it, by the system's name. None of a record unseen."""
    visible = CanonicalRecord.objects.visible_to(actor)
    known = CrossReference.objects.filter(record_id=record_id, record__in=visible, deleted_at=None)
    return known.select_related("connection").order_by("connection__name", "object_name")


@dataclass(frozen=True, slots=True)
class RuleInForce:
    key: str
    label: str
    points: int
    shipped_points: int


@dataclass(frozen=True)
class PolicyInForce:
    """`origin`: shipped | partner | customer."""

    entity: str
    merge_score: int
    ask_score: int
    rules: list[RuleInForce]
    origin: str


def match_policies(customer: Customer | None) -> list[PolicyInForce]:
    """For every kind of record with rules: the customer's own, else the partner's, else as shipped."""
    owners = ["", customer.subject_key] if customer else [""]
    rows = MatchPolicy.objects.filter(owner_key__in=owners).order_by("-owner_key")
    found: dict[str, MatchPolicy] = {}
    for policy in rows:
        found.setdefault(policy.entity, policy)
    return [_in_force(entity, found.get(entity)) for entity in RULES]


def _in_force(entity: str, policy: MatchPolicy | None) -> PolicyInForce:
    shipped = DEFAULTS[entity]
    merge, ask = (policy.merge_score, policy.ask_score) if policy else (shipped.merge, shipped.ask)
    weights = policy.weights if policy else {}
    disabled = policy.disabled if policy else []
    rules = [
        RuleInForce(r.key, r.label, 0 if r.key in disabled else weights.get(r.key, r.points), r.points)
        for r in RULES[entity]
    ]
    origin = "shipped" if policy is None else "customer" if policy.owner_key else "partner"
    return PolicyInForce(entity, merge, ask, rules, origin)
