"""One customer took over another: which records of the one meet which of the other, by the rules and by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.canonical.matching import find_candidates, thresholds_of
from apps.canonical.models import (
    CanonicalRecord,
    MergeOutcome,
    MergePlan,
    MergePlanSource,
    MergePlanStatus,
    PlannedMerge,
)
from apps.canonical.promoted import match_keys
from apps.canonical.scoring import RULES, Score, Subject, score
from apps.canonical.services import UnableToMerge, order_pair
from apps.canonical.services.merging import BOTH_DERIVED, is_derived
from apps.canonical.services.questions import Doubtful
from apps.canonical.workspace import ChangeSource, State, Workspace
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.bulk import execute, fetch_rows
from apps.core.errors import NotVisible
from apps.customers.askers import note_asker
from apps.customers.models import Customer, EnvironmentKind
from apps.customers.selectors import get_environment
from apps.sync.services.plan_queue import UnableToCarryOut, audit_plan, queue_plan
from apps.sync.services.stewardship import merge_settled

# What others refer to is decided before them: a contact of a matched company speaks for the contact.
ENTITIES_IN_ORDER = ["account", "resource", "contact", "project"]
NO_CONNECTION = UUID(int=0)
_ROWS = """
INSERT INTO canonical_plannedmerge
    (plan_id, position, entity, outcome, left_key, right_key, left_id, left_title, right_title, reasons, contested,
     message, by_hand)
SELECT %s, row_number() OVER (ORDER BY array_position(%s::text[], entity::text) NULLS LAST, created_at, id), entity,
    CASE WHEN entity = ANY(%s::text[]) IS FALSE THEN 'new' ELSE '' END,
    '', '', id, COALESCE(NULLIF(title, ''), number), '', '[]', '[]', '', false
FROM canonical_canonicalrecord WHERE environment_id = %s
"""
# Both customers connected the same account of a vendor: equal ids there are one thing, whatever the rules say. An account
# is known by its address, too: servers of one's own count their companies from 1 each.
_SAME_IDS = """
SELECT DISTINCT ON (theirs.record_id) theirs.record_id, own.record_id, own_place.name
FROM canonical_crossreference theirs
JOIN connectors_connection their_place ON their_place.id = theirs.connection_id
JOIN connectors_connection own_place ON own_place.environment_id = %s AND own_place.vendor = their_place.vendor
    AND own_place.account_id = their_place.account_id AND own_place.account_id <> ''
    AND rtrim(COALESCE(own_place.settings->>'base_url', ''), '/')
        = rtrim(COALESCE(their_place.settings->>'base_url', ''), '/')
JOIN canonical_crossreference own ON own.connection_id = own_place.id AND own.object_name = theirs.object_name
    AND own.external_id = theirs.external_id
WHERE theirs.record_id = ANY(%s) ORDER BY theirs.record_id, own.record_id
"""


def request_joining(
    *, actor: Actor, now: datetime, customer: Customer, other: Customer,
    kind: EnvironmentKind = EnvironmentKind.PRODUCTION,
) -> MergePlan:  # fmt: skip
    """This function will prepare, in the background, that `other` becomes part of `customer`; nothing changes yet.

    Raises UnableToCarryOut, NotVisible, NotPermitted.
    """
    actor.require("integrations.manage")
    actor.require("errors.resolve")
    if not (actor.sees(customer.pk) and actor.sees(other.pk)):
        raise NotVisible("There is no such customer.")
    if customer.pk == other.pk:
        raise UnableToCarryOut("Choose two different customers.", field="other")
    plan = MergePlan(
        customer=customer, environment=get_environment(customer, kind), other_customer=other,
        other_environment=get_environment(other, kind), source=MergePlanSource.CUSTOMERS,
        status=MergePlanStatus.CHECKING, requested_at=now, requested_by_label=actor.label,
        asked_by=note_asker(actor),
    )  # fmt: skip
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
            audit_plan(actor, plan, "requested", now)
            queue_plan(plan, now)
    except IntegrityError:
        raise UnableToCarryOut("These two are being joined already. Open that plan.", field="other") from None
    return plan


def check_rows(plan: MergePlan, limit: int) -> int:
    """This function will decide about the next records; returns how many. The first call finds out which there are."""
    if not plan.total:
        # Where no account is connected twice, only kinds of records with rules can meet another.
        looked_at = None if _shares_accounts(plan) else list(RULES)
        plan.total = execute(_ROWS, [plan.pk, ENTITIES_IN_ORDER, looked_at, plan.other_environment_id])
        plan.done_count = plan.rows.exclude(outcome="").count()
    rows = list(plan.rows.filter(outcome="").order_by("position")[:limit])
    for entity, group in groupby(rows, key=lambda row: str(row.entity)):
        _Matcher(plan, entity).match(list(group))
    return len(rows)


def _shares_accounts(plan: MergePlan) -> bool:
    own = Connection.objects.filter(environment_id=plan.environment_id).exclude(account_id="")
    theirs = Connection.objects.filter(environment_id=plan.other_environment_id or plan.environment_id)
    return bool(_accounts(own) & _accounts(theirs))


def _accounts(connections: QuerySet[Connection]) -> set[tuple[str, str, str]]:
    """{(vendor, account, address)}"""
    found = connections.values_list("vendor", "account_id", "settings__base_url")
    return {(vendor, account, str(url or "").rstrip("/")) for vendor, account, url in found}


class _Matcher:
    """Decides about records of one kind; what was decided before counts."""

    def __init__(self, plan: MergePlan, entity: str) -> None:
        assert plan.other_environment is not None  # noqa: S101 - a joining has two sides
        source = ChangeSource("person")
        self.plan, self.entity = plan, entity
        self.theirs = Workspace(plan.other_environment, source, plan.requested_at)
        self.ours = Workspace(plan.environment, source, plan.requested_at)
        merged = plan.rows.filter(entity=entity, outcome=MergeOutcome.MERGE)
        self.taken: dict[UUID | None, str] = dict(merged.values_list("right_id", "left_title"))

    def match(self, rows: list[PlannedMerge]) -> None:
        ids = [row.left_id for row in rows if row.left_id]
        self.theirs.load(ids)
        same = {theirs: (own, name) for theirs, own, name in fetch_rows(_SAME_IDS, [self.plan.environment_id, ids])}
        candidates = self._candidates()
        self.ours.load({*(own for own, _ in same.values()), *(i for found in candidates.values() for i in found)})
        planned = self._planned_links()
        for row in rows:
            state = self.theirs.find(row.left_id)
            if state is None:
                row.outcome, row.message = MergeOutcome.ERROR, "The record is gone."
            elif row.left_id in same:
                own, name = same[state.id]
                reason = {"rule": "same_id", "label": f"Same id in {name}", "points": 100}
                self._take(row, state, own, Score(100, (reason,)))
            elif self.entity in RULES:
                self._decide(row, state, candidates.get(str(state.id), set()), planned)
            else:
                row.outcome = MergeOutcome.NEW
        PlannedMerge.objects.bulk_update(
            rows, ["outcome", "right_id", "right_title", "score", "reasons", "contested", "message"]
        )

    def _candidates(self) -> dict[str, set[UUID]]:
        keys = {str(s.id): match_keys(self.entity, s.data) for s in self.theirs.loaded()}
        return find_candidates(
            environment_id=self.plan.environment_id, entity=self.entity, connection_id=NO_CONNECTION, object_name="",
            keys=keys,
        )  # fmt: skip

    def _planned_links(self) -> dict[UUID, UUID]:
        """{their record: ours} for what their records refer to, as far as it was decided."""
        targets = {target for state in self.theirs.loaded() for target in state.links.values()}
        decided = self.plan.rows.filter(left_id__in=targets, outcome=MergeOutcome.MERGE)
        return {left: right for left, right in decided.values_list("left_id", "right_id") if left and right}

    def _decide(self, row: PlannedMerge, state: State, candidates: set[UUID], planned: dict[UUID, UUID]) -> None:
        thresholds = thresholds_of(self.entity, self.plan.customer_id)
        subject = Subject(state.data, {name: planned.get(target, target) for name, target in state.links.items()})
        known = [found for found in map(self.ours.find, candidates) if found]
        scored = [(score(self.entity, subject, Subject(s.data, s.links), thresholds), s) for s in known]
        likely = sorted((pair for pair in scored if pair[0].points >= thresholds.ask), key=_by_points)
        clear = [pair for pair in likely if pair[0].points >= thresholds.merge]
        if len(clear) == 1:
            self._take(row, state, clear[0][1].id, clear[0][0])
        elif likely:
            self._fill(row, state, likely[0][1], likely[0][0], MergeOutcome.ASK)
            if len(likely) > 1:
                row.message = f"{len(likely)} records may be the same."
        else:
            row.outcome = MergeOutcome.NEW

    def _take(self, row: PlannedMerge, state: State, own_id: UUID, how_sure: Score) -> None:
        own = self.ours.find(own_id)
        assert own is not None  # noqa: S101 - loaded by the caller
        obstacle = _obstacle(state.id, own.id, self.taken.get(own.id))
        self._fill(row, state, own, how_sure, MergeOutcome.CONFLICT if obstacle else MergeOutcome.MERGE)
        row.message = obstacle
        if not obstacle:
            self.taken[own.id] = row.left_title

    def _fill(self, row: PlannedMerge, state: State, own: State, how_sure: Score, outcome: MergeOutcome) -> None:
        row.outcome, row.right_id, row.right_title = outcome, own.id, own.title
        row.score, row.reasons, row.contested = how_sure.points, list(how_sure.reasons), contested(state.data, own.data)


def contested(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Fields in which both say something, and not the same."""
    both = [name for name in right if right[name] not in (None, "") and left.get(name) not in (None, "")]
    return sorted(name for name in both if left[name] != right[name])


def _obstacle(left_id: UUID, right_id: UUID, taken_by: str | None) -> str:
    if taken_by is not None:
        return f"The record it meets is matched with “{taken_by}” already."
    if is_derived(left_id) and is_derived(right_id):
        return BOTH_DERIVED
    return ""


def _by_points(pair: tuple[Score, State]) -> tuple[int, str]:
    return -pair[0].points, str(pair[1].id)


def decide_by_hand(plan: MergePlan, row: PlannedMerge, right_id: UUID | None) -> PlannedMerge:
    """This function will note a person's word on a record, in the caller's transaction. Raises UnableToCarryOut."""
    row.by_hand, row.score, row.reasons, row.message = True, None, [], ""
    if right_id is None:
        row.outcome, row.right_id, row.right_title, row.contested = MergeOutcome.NEW, None, "", []
        row.save()
        return row
    found = CanonicalRecord.objects.filter(environment_id=plan.environment_id, entity=row.entity)
    right, left = found.filter(pk=right_id).first(), CanonicalRecord.objects.filter(pk=row.left_id or right_id).first()
    if right is None or left is None:
        raise UnableToCarryOut(f"There is no such record at {plan.customer}.", field="right")
    taken = plan.rows.filter(right_id=right_id, outcome=MergeOutcome.MERGE).exclude(pk=row.pk).first()
    obstacle = _obstacle(left.pk, right.pk, taken.left_title if taken else None)
    if obstacle:
        raise UnableToCarryOut(obstacle, field="right")
    row.outcome, row.right_id, row.right_title = MergeOutcome.MERGE, right.pk, str(right)
    row.contested = contested(left.data, right.data)
    row.save()
    return row


def merge_row(plan: MergePlan, row: PlannedMerge, actor: Actor, now: datetime) -> None:
    """This function will make the row's two records one, after both stand in one environment. Raises UnableToMerge."""
    found = CanonicalRecord.objects.select_related("environment").in_bulk([row.left_id, row.right_id])
    left, right = found.get(row.left_id), found.get(row.right_id)
    if left is None or right is None:
        raise UnableToMerge("One of the two records is gone.")
    take: Iterable[str] = ()
    if plan.is_joining:
        _, drop = order_pair(right, left)
        preferred = left if plan.prefers_other else right
        take = drop.data if preferred == drop else ()
    merge_settled(actor=actor, now=now, first=left, second=right, take=list(take), batch_id=plan.pk)


def doubts_of(row: PlannedMerge) -> list[Doubtful]:
    """The question that a row leaves for a person."""
    if row.left_id is None or row.right_id is None:
        return []
    return [Doubtful(row.entity, row.left_id, row.right_id, Score(row.score or 0, tuple(row.reasons)))]
