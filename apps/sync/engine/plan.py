"""From wanted writes to intents: what a target does not hold yet, what must exist there first, what cannot be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from apps.canonical.doubts import held_back
from apps.canonical.references import Reference, by_record
from apps.canonical.services.values import questioned_fields
from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.entities import REFERENCES
from apps.flows.binding import sink_for, sink_of
from apps.flows.definition import WriteSpec
from apps.sync.engine.approvals import gates_of
from apps.sync.engine.context import BoundSystem, RunContext
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.payload import Desired, PayloadContext, SinkMapping, desired_create, desired_update
from apps.sync.models import ErrorClass, IntentKind

# What is referred to is written before what refers to it.
RANKS = {
    "account": 0, "resource": 0, "contact": 1, "opportunity": 2, "quote": 3, "project": 4, "contract": 5, "ticket": 5,
    "subscription": 6, "task": 6, "assignment": 7, "usage_record": 7, "invoice": 8, "time_entry": 8, "expense": 8,
    "milestone": 9, "payment": 9, "invoice_schedule": 10, "revenue": 10,
}  # fmt: skip
MAX_DEPTH = 6


@dataclass(slots=True)
class PlannedWrite:
    """`desired` is None while a record it refers to has yet to be written: then it is computed when that is done."""

    state: State
    system: BoundSystem
    mapping: SinkMapping
    kind: IntentKind
    rule: int | None
    desired: Desired | None
    reference: Reference | None
    is_fresh: bool = False  # the record came to life in this transaction

    @property
    def rank(self) -> int:
        return RANKS[self.state.entity]


@dataclass(frozen=True, slots=True)
class PlanProblem:
    state: State
    system: BoundSystem
    mapping: SinkMapping
    problem: RecordProblem


@dataclass
class Plan:
    """What came out of planning. `held`: records whose target holds everything already.

    `doubtful`: records the target may know under another name; they wait for a person's answer. `awaiting`: those that
    a person has to release.
    """

    writes: dict[tuple[UUID, UUID, str], PlannedWrite] = field(default_factory=dict)
    held: list[tuple[State, BoundSystem, SinkMapping]] = field(default_factory=list)
    problems: list[PlanProblem] = field(default_factory=list)
    doubtful: list[tuple[State, BoundSystem, SinkMapping]] = field(default_factory=list)
    awaiting: set[UUID] = field(default_factory=set)


class Planner:
    """Plans in one transaction; the cross-references of a target are asked for once per batch."""

    def __init__(self, context: RunContext, workspace: Workspace) -> None:
        self.context = context
        self.workspace = workspace
        self.plan = Plan()
        self._doubts: dict[tuple[UUID, UUID], str] = {}
        self._withheld: dict[tuple[UUID, UUID], set[str]] = {}

    def want(self, wanted: Iterable[tuple[State, int]]) -> Plan:
        """This method will plan (record, position of the write rule) pairs."""
        by_rule: dict[int, list[State]] = defaultdict(list)
        for state, position in wanted:
            by_rule[position].append(state)
        for position, states in sorted(by_rule.items()):
            write = self.context.spec.rules[position].write
            assert write is not None  # noqa: S101 - only write rules are wanted
            system = self.context.systems[write.role]
            mapping = self._mapping(system, sink_of(system.manifest, write, states[0].entity).name)
            self._plan_all(system, mapping, states, write, position, depth=0)
        return self.plan

    def again(self, system: BoundSystem, sink: str, states: list[State], rule: int | None) -> Plan:
        """Plans what an intent was made for once more, now that more is known."""
        write = self._write_spec(system, rule)
        self._plan_all(system, self._mapping(system, sink), states, write, rule, depth=0)
        return self.plan

    def _write_spec(self, system: BoundSystem, rule: int | None) -> WriteSpec:
        found = self.context.spec.rules[rule].write if rule is not None else None
        role = next(role for role, bound in self.context.systems.items() if bound is system)
        return found or WriteSpec(role=role, update=False)

    def _mapping(self, system: BoundSystem, sink: str) -> SinkMapping:
        key = (system.connection.pk, sink)
        if key not in self.context.caches:
            self.context.caches[key] = SinkMapping(system.manifest, system.manifest.sink(sink))
        mapping: SinkMapping = self.context.caches[key]
        return mapping

    def _plan_all(
        self,
        system: BoundSystem,
        mapping: SinkMapping,
        states: list[State],
        write: WriteSpec,
        rule: int | None,
        depth: int,
    ) -> None:
        targets = [target for state in states for name in mapping.spec.refs if (target := state.links.get(name))]
        references = self._references(system, [*self._known(system, states), *targets])
        new = [
            state.id
            for state in states
            if (state.id, mapping.spec.stream) not in references
            # Nobody has been asked yet about what came to life here, except in this very transaction.
            and (self.workspace.has_questions or not self.workspace.is_created_here(state))
        ]
        found = held_back(mapping.spec.entity, new, system.connection.pk)
        self._doubts.update({(record_id, system.connection.pk): other for record_id, other in found.items()})
        if self.context.policies.asks(mapping.spec.entity):
            questioned = questioned_fields(system.connection.pk, [state.id for state in states])
            self._withheld.update({(record_id, system.connection.pk): names for record_id, names in questioned.items()})
        awaiting = self._awaiting_release(system, mapping, states, write, references)
        for state in states:
            if state.id in awaiting:
                continue
            try:
                self._plan_one(system, mapping, state, write, rule, references, depth)
            except RecordProblem as problem:
                self.plan.problems.append(PlanProblem(state, system, mapping, problem))

    def _references(self, system: BoundSystem, record_ids: list[UUID]) -> dict[tuple[UUID, str], Reference]:
        return by_record(system.connection.pk, record_ids)

    def _awaiting_release(
        self, system: BoundSystem, mapping: SinkMapping, states: list[State], write: WriteSpec,
        references: dict[tuple[UUID, str], Reference],
    ) -> set[UUID]:  # fmt: skip
        """Those that a person has to release first; what would not be written anyway is not asked about."""
        gate = gates_of(self.context).get((mapping.spec.entity, system.connection.pk, mapping.spec.name))
        if gate is None:
            return set()
        kinds = {s.id: _kind(references.get((s.id, mapping.spec.stream))) for s in states}
        held = gate.holds_back([s for s in states if _is_allowed(mapping, write, kinds[s.id])], self.workspace.now)
        self.plan.awaiting |= held
        return held

    def _known(self, system: BoundSystem, states: list[State]) -> list[UUID]:
        """Those that the system may hold: what came to life in this transaction is only where it was read."""
        if self.workspace.source.connection_id == system.connection.pk:
            return [state.id for state in states]
        return [state.id for state in states if not self.workspace.is_created_here(state)]

    def _plan_one(
        self, system: BoundSystem, mapping: SinkMapping, state: State, write: WriteSpec, rule: int | None,
        references: dict[tuple[UUID, str], Reference], depth: int,
    ) -> None:  # fmt: skip
        reference = references.get((state.id, mapping.spec.stream))
        if reference and reference.deleted_at:  # what was deleted there is neither changed nor made again
            return
        kind = _kind(reference)
        if not _is_allowed(mapping, write, kind):
            return
        if kind is IntentKind.CREATE and (state.id, system.connection.pk) in self._doubts:
            if depth == 0:  # what was only to be written for another's sake is told with that one
                self.plan.doubtful.append((state, system, mapping))
            return
        refs, missing = self._refs(mapping, state, references)
        waits = self._ensure(system, mapping, state, write, missing, depth)
        desired = None if waits else self._desired(system, mapping, state, refs, reference, write)
        if desired is None and not waits:
            self.plan.held.append((state, system, mapping))
            return
        is_fresh = self.workspace.is_created_here(state)
        planned = PlannedWrite(state, system, mapping, kind, rule, desired, reference, is_fresh)
        # A write asked for by a rule says more than one on demand.
        key = (state.id, system.connection.pk, mapping.spec.name)
        if rule is not None or key not in self.plan.writes:
            self.plan.writes[key] = planned

    def _desired(
        self, system: BoundSystem, mapping: SinkMapping, state: State, refs: dict[str, str | None],
        reference: Reference | None, write: WriteSpec,
    ) -> Desired | None:  # fmt: skip
        context = PayloadContext(system, self.context.settings)
        if reference is None:
            return desired_create(mapping, state.data, refs, context)
        withheld = self._withheld.get((state.id, system.connection.pk), ())
        return desired_update(mapping, state.data, refs, context, reference, write.fields, withheld)

    def _refs(
        self, mapping: SinkMapping, state: State, references: dict[tuple[UUID, str], Reference]
    ) -> tuple[dict[str, str | None], dict[str, UUID]]:
        """The references' external ids in the target, and those that are not there."""
        refs: dict[str, str | None] = {}
        missing: dict[str, UUID] = {}
        for name in mapping.spec.refs:
            target = state.links.get(name)
            found = references.get((target, mapping.object_of_ref(name))) if target else None
            refs[name] = found.external_id if found and not found.deleted_at else None
            if target and refs[name] is None:
                missing[name] = target
        return refs, missing

    def _ensure(
        self, system: BoundSystem, mapping: SinkMapping, state: State, write: WriteSpec, missing: dict[str, UUID],
        depth: int,
    ) -> bool:  # fmt: skip
        """Plans what must exist first; True when the write has to wait for it. Raises RecordProblem."""
        waits = False
        for name in mapping.spec.required_refs:
            if name not in state.links:
                raise _no_reference(system, state, name)
        for name, target_id in missing.items():
            if name not in write.ensure and name not in mapping.spec.required_refs:
                continue
            sink = sink_for(system.manifest, REFERENCES[state.entity][name])
            self.workspace.load([target_id])
            target = self.workspace.find(target_id)
            if sink is None or not sink.creates or target is None or depth >= MAX_DEPTH:
                if name not in mapping.spec.required_refs:
                    continue
                raise _not_there(system, name, target)
            waits = True
            if self._is_planned(target_id, system, sink.name):
                continue
            demand = WriteSpec(role=write.role, update=False)
            before = len(self.plan.problems)
            self._plan_all(system, self._mapping(system, sink.name), [target], demand, None, depth + 1)
            other = self._doubts.get((target_id, system.connection.pk))
            if other is not None:
                raise _doubtful(system, name, target, other)
            self._demand_under_way(system, name, target, before)
        return waits

    def _demand_under_way(self, system: BoundSystem, name: str, target: State, problems_before: int) -> None:
        """Raises RecordProblem when what must exist first was asked for and is not going to be written now."""
        if target.id in self.plan.awaiting:
            raise _unreleased(system, name, target)
        if len(self.plan.problems) > problems_before:
            raise _not_there(system, name, target)

    def _is_planned(self, record_id: UUID, system: BoundSystem, sink: str) -> bool:
        return (record_id, system.connection.pk, sink) in self.plan.writes


def _kind(reference: Reference | None) -> IntentKind:
    return IntentKind.UPDATE if reference else IntentKind.CREATE


def _is_allowed(mapping: SinkMapping, write: WriteSpec, kind: IntentKind) -> bool:
    if kind is IntentKind.CREATE:
        return write.create and mapping.spec.creates
    return write.update and mapping.spec.updates


def _no_reference(system: BoundSystem, state: State, name: str) -> RecordProblem:
    message = f"It has no {name.replace('_', ' ')}, which {system.manifest.name} demands."
    return RecordProblem(ErrorClass.MISSING_REFERENCE, message, code=f"no_{name}")


def _not_there(system: BoundSystem, name: str, target: State | None) -> RecordProblem:
    title = f" “{target.title}”" if target else ""
    message = f"Its {name.replace('_', ' ')}{title} is not in {system.connection.name} yet."
    return RecordProblem(ErrorClass.MISSING_REFERENCE, message, code=f"missing_{name}")


def _unreleased(system: BoundSystem, name: str, target: State) -> RecordProblem:
    message = f"Its {name.replace('_', ' ')} “{target.title}” waits to be released for {system.connection.name}."
    return RecordProblem(ErrorClass.MISSING_REFERENCE, message, code="unreleased")


def _doubtful(system: BoundSystem, name: str, target: State, other: str) -> RecordProblem:
    message = (
        f"Its {name.replace('_', ' ')} “{target.title}” may be the same as “{other}” in {system.connection.name}. "
        "Answer that question first."
    )
    return RecordProblem(ErrorClass.MISSING_REFERENCE, message, code="same_or_not")
