"""Records that are on no document yet become documents: time, expenses, milestones, one invoice per project.

The unique reference of a record to its document is what keeps it from a second one; records, lines and references are
written in one transaction. A line's amount is quantity × unit price, rounded half up, once per line; the total is the
sum of the lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from apps.canonical.workspace import State, Workspace
from apps.connectors.sdk.entities import ENTITIES, REFERENCES, InvalidRecord
from apps.core import expressions
from apps.core.bulk import fetch_rows, json_text
from apps.core.expressions import ExpressionError, MappingProgram
from apps.core.money import CurrencyMismatch, round_half_up
from apps.flows.definition import AggregateSpec
from apps.sync.derived import derived_id
from apps.sync.engine.claim import effects
from apps.sync.engine.consequences import draw_consequences, note_failures
from apps.sync.engine.context import RunContext, full_record, rule_context
from apps.sync.engine.crashpoints import crash_here
from apps.sync.engine.errors import RecordProblem
from apps.sync.engine.failures import FailedRecord, resolve_writing
from apps.sync.engine.gathering import added_up
from apps.sync.engine.hashing import digest
from apps.sync.models import ErrorClass

_GROUPS = """
SELECT hop{last}.target_id, array_agg(entry.id ORDER BY entry.occurred_on, entry.id)
FROM canonical_canonicalrecord entry{hops}
WHERE entry.environment_id = %s AND entry.entity = %s AND entry.data @> %s::jsonb{conditions}
  AND NOT EXISTS (
    SELECT 1 FROM canonical_canonicallink billed WHERE billed.source_id = entry.id AND billed.name = %s)
GROUP BY hop{last}.target_id ORDER BY hop{last}.target_id
"""
_HOP = " JOIN canonical_canonicallink hop{n} ON hop{n}.name = %s AND hop{n}.source_id = {before}"


@dataclass
class Collector:
    """One aggregate of a flow with its compiled expressions, on the day of the run."""

    context: RunContext
    spec: AggregateSpec

    @property
    def label(self) -> str:
        """What is collected."""
        return self.spec.label or self.spec.collect.replace("_", " ")

    @property
    def object_name(self) -> str:
        return f"{'unbilled' if self.spec.into == 'invoice' else 'unvalued'} {self.label}"[:40]

    @cached_property
    def when(self) -> MappingProgram | None:
        return expressions.compile_one(self.spec.when) if self.spec.when else None

    @cached_property
    def fields(self) -> MappingProgram:
        return expressions.compile(self.spec.fields)

    @cached_property
    def line(self) -> MappingProgram:
        line = self.spec.line
        return expressions.compile({"description": line.description, "unit_price": line.unit_price})

    @cached_property
    def quantity(self) -> MappingProgram:
        return expressions.compile_one(self.spec.line.quantity)

    @property
    def surroundings(self) -> dict[str, Any]:
        return {"settings": self.context.expression_settings, "today": self.context.today}

    def until(self) -> date | None:
        if not self.spec.until:
            return None
        found = expressions.compile_one(self.spec.until).evaluate(self.surroundings)["value"]
        return date.fromisoformat(found) if found else None

    def takes(self, workspace: Workspace, state: State) -> bool:
        """Looked at again under the lock: what the groups were made of may have changed. Raises ExpressionError."""
        is_matching = all(state.data.get(name) == value for name, value in self.spec.match.items())
        if not is_matching or self.spec.mark in state.links:
            return False
        return self.when is None or self.when.evaluate(self.seen(workspace, state))["value"] is True

    def seen(self, workspace: Workspace, state: State) -> dict[str, Any]:
        """What a line's expressions see: the record, and all that it refers to."""
        linked = {}
        for name, entity in REFERENCES[state.entity].items():
            target = workspace.find(state.links.get(name))
            linked[name] = full_record(entity, target.data if target else {})
        settings = self.context.expression_settings
        return {**rule_context(state, settings, self.context.today), "linked": linked}


def documents_of(spec: AggregateSpec) -> str:
    """What people call the records that are made."""
    return "revenue entries" if spec.into == "revenue" else f"{spec.into.replace('_', ' ')}s"


def aggregate(context: RunContext, spec: AggregateSpec) -> int:
    """This function will make the documents of all groups with something to put on them; returns how many."""
    collector, made = Collector(context, spec), 0
    for group_id, record_ids in fetch_rows(*_groups(collector)):
        made += _take_group(collector, group_id, record_ids)
        crash_here("aggregated")
    return made


def _groups(collector: Collector) -> tuple[str, list[Any]]:
    spec, path = collector.spec, collector.spec.group_by.split(".")
    hops = "".join(_HOP.format(n=n, before="entry.id" if n == 0 else f"hop{n - 1}.target_id") for n in range(len(path)))
    conditions, values = "", list[Any]()
    if "status" in spec.match:  # the same as in the data, by an index
        conditions, values = " AND entry.state = %s", [spec.match["status"]]
    until = collector.until()
    if until:
        conditions, values = conditions + " AND entry.occurred_on < %s", [*values, until]
    statement = _GROUPS.format(last=len(path) - 1, hops=hops, conditions=conditions)
    environment_id = collector.context.flow.environment_id
    return statement, [*path, environment_id, spec.collect, json_text(spec.match), *values, spec.mark]


def _take_group(collector: Collector, group_id: UUID, record_ids: list[UUID]) -> int:
    context = collector.context
    with effects(context) as now:
        workspace = context.workspace()
        workspace.load([group_id, *record_ids])
        group, known = workspace.find(group_id), [s for s in map(workspace.find, record_ids) if s]
        workspace.load(target for state in known for target in state.links.values())
        if group is None:
            return 0
        try:
            document = _make_document(collector, workspace, group, known)
        except RecordProblem as problem:
            note_failures(context, [_failed(collector, group, problem)], now)
            return 0
        workspace.flush()
        if context.has_failures and not context.is_dry:
            resolve_writing(context, _connection_id(context), collector.object_name, [group.id], now)
        draw_consequences(context, workspace, workspace.take_touched(), now)
    return 1 if document else 0


def _make_document(collector: Collector, workspace: Workspace, group: State, known: list[State]) -> State | None:
    """None when there is nothing to put on it. Raises RecordProblem."""
    context, spec = collector.context, collector.spec
    try:
        states = [state for state in known if collector.takes(workspace, state)]
        if not states:
            return None
        lines = document_lines(collector, workspace, states)
        values = collector.fields.evaluate(rule_context(group, context.expression_settings, context.today))
        data = {
            **{name: value for name, value in values.items() if value is not None and value != ""},
            **_totals(lines),
        }
        links = {name: group.id if origin == "self" else group.links.get(origin) for name, origin in spec.refs.items()}
        origin = f"{group.id}:{digest(sorted(str(state.id) for state in states))}"
        document = workspace.create(
            derived_id(context.flow.environment_id, origin, spec.key), spec.into,
            {name: value for name, value in data.items() if name in ENTITIES[spec.into].__struct_fields__},
            {name: target for name, target in links.items() if target},
        )  # fmt: skip
    except (ExpressionError, InvalidRecord, CurrencyMismatch) as error:
        message = error.message if isinstance(error, ExpressionError) else str(error)
        is_demand = isinstance(error, ExpressionError) and error.is_demand
        kind = ErrorClass.BUSINESS_RULE if is_demand else ErrorClass.MAPPING
        raise RecordProblem(kind, message, code="demand" if is_demand else "aggregate") from error
    for state in states:
        workspace.change(state, {}, {spec.mark: document.id})
    return document


def document_lines(collector: Collector, workspace: Workspace, states: Iterable[State]) -> list[dict[str, Any]]:
    """One line for all that is alike in description and price, by description. Raises ExpressionError."""
    alike: dict[tuple[str, int, str], list[State]] = {}
    for state in states:
        found = collector.line.evaluate(collector.seen(workspace, state))
        price = found["unit_price"]
        if not isinstance(price, dict):
            raise ExpressionError("unit_price", f"There is no price for “{state.title or found['description']}”.")
        alike.setdefault((str(found["description"]), price["amount"], price["currency"]), []).append(state)
    return [_line(collector, *key, records) for key, records in sorted(alike.items(), key=lambda item: item[0])]


def _line(collector: Collector, text: str, price: int, currency: str, states: list[State]) -> dict[str, Any]:
    records = [full_record(state.entity, state.data) for state in states]
    total = {"count": len(records), **added_up(collector.spec.collect, records)}
    quantity = str(collector.quantity.evaluate({**collector.surroundings, "total": total})["value"])
    return {
        "description": text,
        "quantity": quantity,
        "unit_price": {"amount": price, "currency": currency},
        "amount": {"amount": round_half_up(Decimal(quantity) * price), "currency": currency},
    }


def _totals(lines: list[dict[str, Any]]) -> dict[str, Any]:
    currencies = {line["amount"]["currency"] for line in lines}
    if len(currencies) > 1:
        raise CurrencyMismatch(f"The prices have several currencies: {', '.join(sorted(currencies))}.")
    currency = currencies.pop()
    total = {"amount": sum(line["amount"]["amount"] for line in lines), "currency": currency}
    return {"currency": currency, "lines": lines, "subtotal": total, "total": total}


def _failed(collector: Collector, group: State, problem: RecordProblem) -> FailedRecord:
    return FailedRecord(
        connection_id=_connection_id(collector.context), direction="write", object_name=collector.object_name,
        record_id=group.id, title=group.title, problem=problem,
    )  # fmt: skip


def _connection_id(context: RunContext) -> UUID:
    system = context.systems.get("billing") or next(iter(context.systems.values()))
    return system.connection.pk
