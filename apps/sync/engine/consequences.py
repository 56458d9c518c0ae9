"""What every transaction does after it changed canonical records: rules, writing back, planning, facts, failures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.sync.engine.context import AtOnce, RunContext
from apps.sync.engine.events import facts_of, record_facts
from apps.sync.engine.failures import FailedRecord, from_planning, open_failures, resolve_writing
from apps.sync.engine.intents import Intent, save_planned
from apps.sync.engine.journal import Entry, cause_key
from apps.sync.engine.listening import tell_flows
from apps.sync.engine.notices import give_notices
from apps.sync.engine.plan import Plan, Planner
from apps.sync.engine.rules import CompiledRule, RuleWork, compile_rules
from apps.sync.models import RecordAction
from apps.sync.redaction import payload_rules


@dataclass
class Consequences:
    plan: Plan = field(default_factory=Plan)
    stuck: set[UUID] = field(default_factory=set)  # records on which a rule failed
    sent: list[Intent] = field(default_factory=list)  # to be sent once this is committed


def rules_of(context: RunContext) -> list[CompiledRule]:
    if "rules" not in context.caches:
        context.caches["rules"] = compile_rules(context.spec)
    rules: list[CompiledRule] = context.caches["rules"]
    return rules


def draw_consequences(
    context: RunContext, workspace: Workspace, states: list[State], now: datetime, at_once: AtOnce | None = None
) -> Consequences:
    """This function will work off the rules for `states`, write the canonical changes and plan what follows from them.

    Cross-references of new records must have been saved: planning looks them up. With `at_once` the caller sends what
    comes back as sent.
    """
    rules = rules_of(context)
    work = RuleWork(workspace, rules, context.expression_settings, context.today)
    work.run(states)
    workspace.flush()
    if work.noticed and not context.is_dry:
        give_notices(context, rules, work, now)
    planner = Planner(context, workspace)
    plan = planner.want((state, rule) for (_, rule), state in work.wanted.items())
    sent = settle_plan(context, plan, now, at_once)
    _note_rule_problems(context, work, now)
    facts = facts_of(workspace)
    record_facts(facts, now)
    tell_flows(context, {name for name, _, _ in facts}, now)
    return Consequences(plan, {state.id for state, _ in work.problems}, sent)


def _note_rule_problems(context: RunContext, work: RuleWork, now: datetime) -> None:
    """A rule that failed on a record belongs to no system: it is noted at the flow's first one, under the entity."""
    anchor = next(iter(context.systems.values())).connection.pk
    if context.has_failures and not context.is_dry:
        stuck = {state.id for state, _ in work.problems}
        passed: dict[str, list[UUID]] = defaultdict(list)
        for state in work.passed.values():
            if state.id not in stuck:
                passed[state.entity].append(state.id)
        for entity, record_ids in passed.items():
            resolve_writing(context, anchor, entity, record_ids, now)
    failed = [
        FailedRecord(
            connection_id=anchor, direction="write", object_name=state.entity, record_id=state.id, title=state.title,
            problem=problem,
        )
        for state, problem in work.problems
    ]  # fmt: skip
    note_failures(context, failed, now)
    for state, _ in work.problems:
        context.journal.note(
            Entry(
                connection_id=anchor, direction="write", object_name=state.entity, entity=state.entity,
                action=RecordAction.FAILED, record_id=state.id, title=state.title,
            )
        )  # fmt: skip


def settle_plan(context: RunContext, plan: Plan, now: datetime, at_once: AtOnce | None = None) -> list[Intent]:
    """This function will store intents, note what cannot be written, and resolve failures of what is held already.

    Returns what the caller has to send once this is committed.
    """
    if context.is_dry:
        return []
    sent = save_planned(context, plan.writes.values(), now, at_once)
    note_failures(context, [from_planning(problem) for problem in plan.problems], now)
    for problem in plan.problems:
        context.journal.note(
            Entry(
                connection_id=problem.system.connection.pk, direction="write", object_name=problem.mapping.spec.name,
                entity=problem.state.entity, action=RecordAction.FAILED, record_id=problem.state.id,
                title=problem.state.title,
            )
        )  # fmt: skip
    for state, system, mapping in plan.doubtful:
        context.journal.note(
            Entry(
                connection_id=system.connection.pk, direction="write", object_name=mapping.spec.name,
                entity=state.entity, action=RecordAction.SKIPPED, record_id=state.id, title=state.title,
            )
        )  # fmt: skip
    if context.has_failures:
        _resolve_held(context, plan, now)
    return sent


def _resolve_held(context: RunContext, plan: Plan, now: datetime) -> None:
    held: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for state, system, mapping in plan.held:
        held[system.connection.pk, mapping.spec.name].append(state.id)
    for (connection_id, object_name), record_ids in held.items():
        resolve_writing(context, connection_id, object_name, record_ids, now)


def note_failures(context: RunContext, failed: list[FailedRecord], now: datetime) -> None:
    if failed and context.is_dry:
        context.dry_failures.extend(failed)
    elif failed:
        rules = payload_rules({one.connection_id for one in failed})
        for one in failed:
            one.problem.message = rules[one.connection_id].hide_text(one.problem.message, one.payload or {})
            key = cause_key(one.direction, one.connection_id, one.object_name, one.record_id, one.external_id)
            context.journal.note_cause(key, one.problem.error_class, one.problem.message)
        open_failures(context, failed, now)
        context.has_failures = True
