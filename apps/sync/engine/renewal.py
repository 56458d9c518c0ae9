"""Planned intents that cannot be sent as they stand: their record has moved on, or waited for another one."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.core.bulk import execute, fetch_rows
from apps.sync.engine.consequences import settle_plan
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.intents import Group, Intent, mark_sent, planned_intents, reject_intents, under_way_elsewhere
from apps.sync.engine.plan import Plan, PlannedWrite, Planner, PlanProblem
from apps.sync.models import ErrorClass

_ON_ITS_WAY = """
SELECT 1 FROM sync_writeintent WHERE connection_id = %s AND record_id = ANY(%s) AND status = 'sent' LIMIT 1
"""
_DROP = "DELETE FROM sync_writeintent WHERE id = ANY(%s)"


def renew(
    context: RunContext, system: BoundSystem, group: Group, limit: int, left_out: set[UUID], now: datetime
) -> list[Intent]:
    """This function will mark the group's next intents as sent, with the payload of this moment.

    Those that need no call any more, or cannot be sent, are ended; those that must wait go to `left_out`.
    """
    intents = planned_intents(context, group, limit, left_out)
    blocked = under_way_elsewhere(intents)
    left_out |= blocked
    intents = [intent for intent in intents if intent.id not in blocked]
    workspace = context.workspace()
    workspace.load(intent.record_id for intent in intents)
    renewal = _Renewal(context, system, workspace, now)
    ready = renewal.run(intents)
    left_out |= renewal.waiting
    mark_sent(ready, context.run_id, now)
    for intent in ready:
        intent.attempts += 1
    return ready


class _Renewal:
    """Plans a group's intents once more. `waiting`: those that something still on its way holds up."""

    def __init__(self, context: RunContext, system: BoundSystem, workspace: Workspace, now: datetime) -> None:
        self.context = context
        self.system = system
        self.workspace = workspace
        self.now = now
        self.waiting: set[UUID] = set()

    def run(self, intents: list[Intent]) -> list[Intent]:
        """What can be sent now."""
        by_rule: dict[int | None, list[Intent]] = defaultdict(list)
        for intent in intents:
            if not intent.is_frozen:
                by_rule[intent.rule].append(intent)
        planned = [ready for rule, found in by_rule.items() for ready in self._plan_again(rule, found)]
        return [*(intent for intent in intents if intent.is_frozen), *planned]

    def _plan_again(self, rule: int | None, intents: list[Intent]) -> list[Intent]:
        states = [state for intent in intents if (state := self.workspace.find(intent.record_id))]
        plan = Planner(self.context, self.workspace).again(self.system, intents[0].object_name, states, rule)
        failed = {problem.state.id for problem in plan.problems}
        ready: list[Intent] = []
        refused: list[Intent] = []
        needless: list[Intent] = []
        for intent in intents:
            own = plan.writes.get((intent.record_id, self.system.connection.pk, intent.object_name))
            if own and own.desired:
                _take_over(intent, own)
                ready.append(intent)
            elif own and self._is_on_its_way(own.state):
                self.waiting.add(intent.id)
            elif own:
                plan.problems.append(self._still_missing(own))
                refused.append(intent)
            else:
                (refused if intent.record_id in failed else needless).append(intent)
        settle_plan(self.context, Plan(problems=plan.problems, held=plan.held, doubtful=plan.doubtful), self.now)
        reject_intents(refused, self.now)
        self._drop(needless)
        return ready

    def _drop(self, needless: list[Intent]) -> None:
        if needless:
            self.context.journal.count("unchanged", len(needless))
            execute(_DROP, [[intent.id for intent in needless]])

    def _is_on_its_way(self, state: State) -> bool:
        """Something the record refers to is sent, its outcome still open: then this is no failure, only later."""
        return bool(fetch_rows(_ON_ITS_WAY, [self.system.connection.pk, list(state.links.values())]))

    def _still_missing(self, own: PlannedWrite) -> PlanProblem:
        """What it waits for was tried before it and did not get there."""
        message = f"A record it refers to could not be written to {self.system.connection.name}."
        problem = RecordProblem(ErrorClass.MISSING_REFERENCE, message, code="waits")
        return PlanProblem(own.state, self.system, own.mapping, problem)


def _take_over(intent: Intent, own: PlannedWrite) -> None:
    assert own.desired is not None  # noqa: S101 - checked by the caller
    intent.kind, intent.payload, intent.diff = str(own.kind), own.desired.payload, own.desired.diff
    intent.payload_hash, intent.rest_hash = own.desired.payload_hash, own.desired.rest_hash
    intent.record_version = own.state.version
