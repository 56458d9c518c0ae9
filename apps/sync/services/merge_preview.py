"""What a merge would cause, worked out in memory: nothing is written and nothing is locked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.canonical.models import CanonicalRecord, MatchQuestion
from apps.canonical.references import Reference, by_record
from apps.canonical.services import UnableToMerge, check_merge, gains
from apps.canonical.workspace import Workspace
from apps.connectors.sdk.entities import InvalidRecord
from apps.core.actor import Actor
from apps.flows.models import Flow
from apps.sync.engine.consequences import rules_of
from apps.sync.engine.context import BoundSystem, RunContext, build_context
from apps.sync.engine.plan import PlannedWrite, Planner
from apps.sync.engine.rules import RuleWork
from apps.sync.services.stewardship import chosen_fields, demand_quiet, live_flows


@dataclass(frozen=True, slots=True)
class PlannedUpdate:
    """What a system would be told after the merge. `diff` is {the vendor's field: [now, then]}."""

    system: str
    object_label: str
    action: str
    diff: dict[str, list[Any]]


class _MergedPlanner(Planner):
    """Plans as if what hangs on the record that ends hung on the kept one already."""

    def __init__(self, context: RunContext, workspace: Workspace, keep_id: UUID, drop_id: UUID) -> None:
        super().__init__(context, workspace)
        self.keep_id, self.drop_id = keep_id, drop_id

    def _references(self, system: BoundSystem, record_ids: list[UUID]) -> dict[tuple[UUID, str], Reference]:
        wanted = [*record_ids, self.drop_id] if self.keep_id in record_ids else record_ids
        found = by_record(system.connection.pk, wanted)
        moved = {(self.keep_id, name): place for (record_id, name), place in found.items() if record_id == self.drop_id}
        return {**found, **moved}


def preview_merge(*, actor: Actor, question: MatchQuestion, take: Collection[str] = ()) -> list[PlannedUpdate]:
    """What the live flows would write after this merge, by the real planning. Raises UnableToMerge, NotVisible."""
    actor.require("errors.resolve")
    actor.require_sight(question.customer_id, "There is no such question.")
    keep, drop = check_merge(question.right, question.left)
    demand_quiet([keep.pk, drop.pk])
    right = chosen_fields(question, keep, take)
    planned = [write for flow in live_flows(question.environment_id) for write in _plan(flow, keep, drop, right)]
    unique = {(w.system.connection.pk, w.mapping.spec.name, w.state.id): w for w in planned if w.desired}
    return [
        PlannedUpdate(w.system.connection.name, w.mapping.spec.label, str(w.kind), w.desired.diff if w.desired else {})
        for w in unique.values()
    ]


def _plan(flow: Flow, keep: CanonicalRecord, drop: CanonicalRecord, take: Collection[str]) -> list[PlannedWrite]:
    context = build_context(flow, None)
    workspace = context.workspace()
    workspace.load([keep.pk])
    state = workspace.find(keep.pk)
    if state is None:
        return []
    fields, links = gains(keep, drop, take)
    try:
        workspace.change(state, fields, dict(links))
    except InvalidRecord as error:
        raise UnableToMerge(f"The one record could not be kept: {error}.") from error
    work = RuleWork(workspace, rules_of(context), context.expression_settings, context.today)
    work.run([state])
    planner = _MergedPlanner(context, workspace, keep.pk, drop.pk)
    return list(planner.want((found, rule) for (_, rule), found in work.wanted.items()).writes.values())
