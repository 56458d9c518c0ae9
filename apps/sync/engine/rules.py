"""Rules, worked off in rounds until nothing changes any more: derive records, update linked ones, want writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.entities import REFERENCES, InvalidRecord
from apps.core import expressions
from apps.core.expressions import ExpressionError, MappingProgram
from apps.flows.definition import FlowSpec, RuleSpec
from apps.sync.business import UnableToCall, call_service
from apps.sync.derived import derived_id
from apps.sync.engine.context import rule_context
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.gathering import gather, summarize
from apps.sync.models import ErrorClass

MAX_ROUNDS = 20


@dataclass
class CompiledRule:
    position: int
    spec: RuleSpec

    @cached_property
    def when(self) -> MappingProgram | None:
        return expressions.compile_one(self.spec.when) if self.spec.when else None

    @cached_property
    def keep(self) -> MappingProgram | None:
        return expressions.compile_one(self.spec.gather) if self.spec.gather else None

    @cached_property
    def fields(self) -> MappingProgram:
        return expressions.compile(self.spec.fields)

    @cached_property
    def inputs(self) -> MappingProgram:
        return expressions.compile(self.spec.call.inputs if self.spec.call else {})

    @cached_property
    def notice(self) -> MappingProgram:
        notify = self.spec.notify
        return expressions.compile({"subject": notify.subject, "text": notify.text} if notify else {})

    def applies(self, context: dict[str, Any]) -> bool:
        return self.when is None or self.when.evaluate(context)["value"] is True


def compile_rules(spec: FlowSpec) -> list[CompiledRule]:
    return [CompiledRule(position, rule) for position, rule in enumerate(spec.rules)]


@dataclass
class RuleWork:
    """One working-off: `wanted` are the (record, rule) pairs to be written, `noticed` those that people are told of,
    `problems` the records that stuck.
    """

    workspace: Workspace
    rules: list[CompiledRule]
    settings: dict[str, Any]
    today: str
    wanted: dict[tuple[UUID, int], State] = field(default_factory=dict)
    noticed: dict[tuple[UUID, int], State] = field(default_factory=dict)
    problems: list[tuple[State, RecordProblem]] = field(default_factory=list)
    passed: dict[UUID, State] = field(default_factory=dict)

    def run(self, states: list[State]) -> None:
        """This method will work off `states` and everything that changes because of them."""
        pending = list(dict.fromkeys(states))
        for _ in range(MAX_ROUNDS):
            if not pending:
                return
            self.passed.update({state.id: state for state in pending})
            for rule in self.rules:
                self._run_rule(rule, [state for state in pending if state.entity == rule.spec.on])
            pending = self.workspace.take_touched()
        raise RuntimeError("the rules of this flow change each other's results without end")

    def _run_rule(self, rule: CompiledRule, states: list[State]) -> None:
        chosen = [state for state in states if self._applies(rule, state)]
        if not chosen:
            return
        if rule.spec.write:
            self.wanted.update({(state.id, rule.position): state for state in chosen})
        elif rule.spec.notify:
            self.noticed.update({(state.id, rule.position): state for state in chosen})
        elif rule.spec.call:
            self._call_all(rule, chosen)
        elif rule.spec.derive:
            self._derive_all(rule, chosen)
        elif rule.spec.gather:
            self._update_gathered(rule, chosen)
        else:
            self._update_linked(rule, chosen)

    def _applies(self, rule: CompiledRule, state: State) -> bool:
        if rule.when is None:
            return True
        try:
            return rule.applies(self._context(state))
        except ExpressionError as error:
            self.stick(state, error)
            return False

    def _derive_all(self, rule: CompiledRule, states: list[State]) -> None:
        environment_id = self.workspace.environment.pk
        origins = {state.id: _origin(rule.spec, state) for state in states}
        states = [state for state in states if origins[state.id] is not None]
        ids = {state.id: derived_id(environment_id, str(origins[state.id]), rule.spec.alias) for state in states}
        self.workspace.load(ids.values())
        if rule.spec.gather:
            self._summarize_all(rule, states, ids)
            return
        far = {n: self._follow(path.split("."), states) for n, path in rule.spec.refs.items() if "." in path}
        for state in states:
            if any(state.id not in ends for ends in far.values()):
                self._wait(state, next(rule.spec.refs[name] for name, ends in far.items() if state.id not in ends))
                continue
            links = _derived_links(rule.spec, state, far)
            existing = self.workspace.find(ids[state.id])
            if existing is None:
                self._guarded(state, partial(self._derive, rule, state, ids[state.id], links))
            else:
                # Made once: from then on it lives its own life. Only what could not be linked then is linked now.
                late: dict[str, UUID | None] = {n: t for n, t in links.items() if n not in existing.links}
                self.workspace.change(existing, {}, late)

    def _derive(self, rule: CompiledRule, state: State, record_id: UUID, links: dict[str, UUID]) -> None:
        values = rule.fields.evaluate(self._context(state))
        data = {name: value for name, value in values.items() if value is not None and value != ""}
        self.workspace.create(record_id, rule.spec.derive, data, links)

    def _summarize_all(self, rule: CompiledRule, states: list[State], ids: dict[UUID, UUID]) -> None:
        """Each combination's record is made, or brought up to date, from all records of that combination."""
        reference = next(name for name in rule.spec.per if name in REFERENCES[rule.spec.on])
        self.workspace.flush()
        found = gather(rule.spec.on, [reference], list({state.links[reference] for state in states}))
        for state in {ids[state.id]: state for state in states}.values():
            records = found[state.links[reference]]
            self._guarded(state, partial(self._summarize, rule, state, ids[state.id], records))

    def _summarize(self, rule: CompiledRule, state: State, record_id: UUID, records: list[dict[str, Any]]) -> None:
        key = {name: state.data[name] for name in rule.spec.per if name in state.data}
        alike = [r for r in records if all(r.get(name) == value for name, value in key.items())]
        kept = [
            r for r in alike if rule.keep and rule.keep.evaluate({"record": r, **self._surroundings()})["value"] is True
        ]
        record = {**summarize(rule.spec.on, kept), "key": key}
        values = rule.fields.evaluate({"record": record, **self._surroundings()})
        existing = self.workspace.find(record_id)
        if existing is not None:
            self.workspace.change(existing, values)
        elif kept:
            data = {name: value for name, value in values.items() if value is not None and value != ""}
            self.workspace.create(record_id, rule.spec.derive, data, _derived_links(rule.spec, state, {}))

    def _update_linked(self, rule: CompiledRule, states: list[State]) -> None:
        targets = self._follow(rule.spec.via, states)
        for state in states:
            target = targets.get(state.id)
            if target is not None:
                self._guarded(target, partial(self._set, rule, target, self._context(state)))

    def _update_gathered(self, rule: CompiledRule, states: list[State]) -> None:
        targets = {t.id: t for t in self._follow(rule.spec.via, states).values()}
        # The summary is asked of the database: what this transaction changed has to be there.
        self.workspace.flush()
        found = gather(rule.spec.on, rule.spec.via, list(targets))
        for target_id, target in targets.items():
            self._guarded(target, partial(self._set_summary, rule, target, found[target_id]))

    def _set_summary(self, rule: CompiledRule, target: State, records: list[dict[str, Any]]) -> None:
        kept = [
            r
            for r in records
            if rule.keep and rule.keep.evaluate({"record": r, **self._surroundings()})["value"] is True
        ]
        self._set(rule, target, {"record": summarize(rule.spec.on, kept), **self._surroundings()})

    def _set(self, rule: CompiledRule, target: State, context: dict[str, Any]) -> None:
        self.workspace.change(target, rule.fields.evaluate(context))

    def _follow(self, via: list[str], states: list[State]) -> dict[UUID, State]:
        """{start: record at the end of the chain of references}, for those that get there."""
        reached = {state.id: state for state in states}
        for name in via:
            self.workspace.load(state.links[name] for state in reached.values() if name in state.links)
            ahead = {start: self.workspace.find(state.links.get(name)) for start, state in reached.items()}
            reached = {start: state for start, state in ahead.items() if state is not None}
        return reached

    def _context(self, state: State) -> dict[str, Any]:
        return rule_context(state, self.settings, self.today)

    def _surroundings(self) -> dict[str, Any]:
        return {"settings": self.settings, "today": self.today}

    def _call_all(self, rule: CompiledRule, states: list[State]) -> None:
        for state in states:
            self._guarded(state, partial(self._call, rule, state))

    def _call(self, rule: CompiledRule, state: State) -> None:
        assert rule.spec.call is not None  # noqa: S101 - asked by the caller
        inputs = rule.inputs.evaluate(self._context(state))
        given = {name: value for name, value in inputs.items() if value is not None and value != ""}
        key = f"{rule.spec.alias or rule.spec.call.service}:{state.id}"
        call_service(self.workspace, rule.spec.call.service, given, key=key, today=self.today)

    def _guarded(self, state: State, step: Callable[[], None]) -> None:
        try:
            step()
            self.passed[state.id] = state
        except (ExpressionError, InvalidRecord, UnableToCall, ValueError) as error:
            self.stick(state, error)

    def _wait(self, state: State, path: str) -> None:
        """Tried again with every run: what is missing may be on its way."""
        *_, before, last = (name.replace("_", " ") for name in (state.entity, *path.split(".")))
        message = f"The {before} it belongs to has no {last} yet."
        self.problems.append((state, RecordProblem(ErrorClass.MISSING_REFERENCE, message, code="waits")))

    def stick(self, state: State, error: Exception) -> None:
        if isinstance(error, ExpressionError) and error.is_demand:
            problem = RecordProblem(ErrorClass.BUSINESS_RULE, error.message, code="demand")
        elif isinstance(error, UnableToCall):
            problem = RecordProblem(ErrorClass.BUSINESS_RULE, str(error), code="rule")
        else:
            problem = RecordProblem(ErrorClass.MAPPING, str(error), code="rule")
        self.problems.append((state, problem))


def _origin(spec: RuleSpec, state: State) -> str | None:
    """What the derived record is made for: the record itself, or a combination; None while a part of that is unknown."""
    if not spec.per:
        return str(state.id)
    parts = [state.id if name == "self" else state.links.get(name, state.data.get(name)) for name in spec.per]
    return None if any(part is None for part in parts) else ":".join(str(part) for part in parts)


def _derived_links(spec: RuleSpec, state: State, far: dict[str, dict[UUID, State]]) -> dict[str, UUID]:
    """`far`: where the references that lead over others end, by reference and record."""
    found: dict[str, UUID] = {}
    for name, origin in spec.refs.items():
        if name in far:
            target: UUID | None = far[name][state.id].id
        else:
            target = state.id if origin == "self" else state.links.get(origin)
        if target is not None:
            found[name] = target
    return found
