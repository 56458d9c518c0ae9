"""Which records break a rule, and since when: the database finds candidates by the thousand, CEL has the last word.

A candidate is of the rule's kind, fulfils what the database can decide of the condition, is known to some system, has
passed its days, and has no way to what is expected. Nothing is written here: a preview and an evaluation are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from apps.canonical.models import name_of
from apps.connectors.sdk.entities import ENTITIES
from apps.core.bulk import fetch_rows
from apps.core.expressions import ExpressionError, MappingProgram, compile_one
from apps.core.money import Money
from apps.customers.models import Environment
from apps.monitoring.conditions import COMPUTED
from apps.monitoring.models import ExceptionRule
from apps.monitoring.paths import Way, joins, prefixes, read_ways
from apps.monitoring.statements import HELD, candidate_condition
from apps.monitoring.time_value import COUNTS_TIME, TimeValue, value_time

CHUNK = 5000
LARGEST = 2**53
CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that breaks the rule. `stake` is what is at stake, None where the rule names no amount."""

    record_id: UUID
    title: str
    since: datetime
    stake: Money | None


@dataclass(frozen=True)
class CompiledRule:
    """Everything of a rule that can be wrong is found when its parts are first asked for. Raises UnableToRead,
    ExpressionError."""

    rule: ExceptionRule

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        return read_ways(self.rule.expectation, self.rule.entity, "expectation")

    @cached_property
    def only_if(self) -> tuple[Way, ...]:
        return read_ways(self.rule.only_if, self.rule.entity, "only_if")

    @cached_property
    def condition(self) -> MappingProgram | None:
        return compile_one(self.rule.condition) if self.rule.condition.strip() else None

    @cached_property
    def amount(self) -> MappingProgram | None:
        return compile_one(self.rule.amount) if self.rule.amount.strip() else None

    @property
    def needs_time(self) -> bool:
        return COMPUTED in f"{self.rule.condition} {self.rule.amount}"

    @cached_property
    def statement(self) -> tuple[str, list[Any]]:
        """(the conditions of a candidate, their parameters)."""
        return candidate_condition(self.rule, self.ways, self.only_if)


_FIND = """
SELECT r.id, r.title, r.data, r.created_at{since}
FROM canonical_canonicalrecord r
WHERE r.environment_id = %s AND r.entity = %s AND r.id > %s{subset} AND r.created_at <= %s AND {where} AND {held}
ORDER BY r.id LIMIT %s
"""
# When the state became what it is: the last change that touched it.
_STATE_SINCE = """,
  coalesce((SELECT max(c.at) FROM canonical_canonicalchange c
            WHERE c.record_id = r.id AND (c.fields ? 'status' OR c.fields ? 'stage')), r.created_at)"""


def find_hits(
    compiled: CompiledRule, environment: Environment, now: datetime, *, record_ids: Sequence[UUID] | None = None
) -> Iterator[list[Hit]]:
    """This function will yield what breaks the rule in the environment, a chunk at a time; among `record_ids` if given."""
    rule = compiled.rule
    if rule.only_where_known and not _is_known(compiled, environment):
        return
    cutoff = now - timedelta(days=rule.within_days)
    where, parameters = compiled.statement
    if rule.counted_from:
        where += ' AND r.data->>%s <= %s COLLATE "C"'
        parameters = [*parameters, rule.counted_from, cutoff.date().isoformat()]
    statement = _FIND.format(
        since="" if rule.counted_from else _STATE_SINCE, where=where, held=HELD.format(id="r.id"),
        subset=" AND r.id = ANY(%s::uuid[])" if record_ids is not None else "",
    )  # fmt: skip
    last = UUID(int=0)
    while True:
        given: list[Any] = [environment.pk, rule.entity, last]
        given += [list(record_ids)] if record_ids is not None else []
        # A record cannot have been in its state for longer than it is known, unless its own date says so.
        rows = fetch_rows(statement, [*given, now if rule.counted_from else cutoff, *parameters, CHUNK])
        if rows:
            yield _judge(compiled, environment, rows, now, cutoff)
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]


def _is_known(compiled: CompiledRule, environment: Environment) -> bool:
    """Whether the systems hold any record of a kind that is expected."""
    kinds = sorted({way[-1].entity for way in compiled.ways})
    found = fetch_rows(
        "SELECT EXISTS (SELECT 1 FROM canonical_canonicalrecord WHERE environment_id = %s AND entity = ANY(%s))",
        [environment.pk, kinds],
    )
    return bool(found[0][0])


def _judge(
    compiled: CompiledRule, environment: Environment, rows: list[tuple[Any, ...]], now: datetime, cutoff: datetime
) -> list[Hit]:
    rule = compiled.rule
    values = value_time(environment, rule.entity, [row[0] for row in rows]) if compiled.needs_time else {}
    settings = {"today": now.date().isoformat()}
    empty = dict.fromkeys(ENTITIES[rule.entity].__struct_fields__)
    hits = []
    for row in rows:
        data: dict[str, Any] = orjson.loads(row[2])
        since = _date_of(data, rule.counted_from) if rule.counted_from else row[4]
        if since is None or since > cutoff:
            continue
        context = {"record": {**empty, **_computed(values.get(row[0])), **data}, "settings": settings}
        if compiled.condition is None or _value(compiled.condition, context) is True:
            hits.append(
                Hit(
                    row[0],
                    name_of(rule.entity, row[1], str(data.get("work_date") or "")),
                    since,
                    _stake(compiled.amount, context),
                )
            )
    return hits


def _computed(value: TimeValue | None) -> dict[str, Any]:
    if value is None:
        return {"time_seconds": None, "time_count": None, "time_amount": None}
    return {"time_seconds": value.seconds, "time_count": value.count, "time_amount": value.money}


def _date_of(data: dict[str, Any], field: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(str(data.get(field))[:10]), time(0), UTC)
    except ValueError:
        return None


def _value(program: MappingProgram, context: dict[str, Any]) -> Any:
    try:
        return program.evaluate(context)["value"]
    except ExpressionError:
        return None  # this record lacks what the expression asks for: it says nothing about it


def _stake(program: MappingProgram | None, context: dict[str, Any]) -> Money | None:
    found = _value(program, context) if program else None
    if not isinstance(found, dict) or not isinstance(found.get("amount"), int):
        return None
    amount, currency = abs(found["amount"]), str(found.get("currency") or "")
    # Any text and number can be written as an amount; one that no row holds would end the look at everything else.
    return Money(amount, currency) if amount <= LARGEST and CURRENCY.fullmatch(currency) else None


def roots_of(compiled: CompiledRule, environment: Environment, touched: Sequence[UUID]) -> set[UUID]:
    """The records of the rule's kind for which a change of these records may matter."""
    entity = compiled.rule.entity
    found = {row[0] for row in fetch_rows(
        "SELECT id FROM canonical_canonicalrecord WHERE environment_id = %s AND entity = %s AND id = ANY(%s::uuid[])",
        [environment.pk, entity, list(touched)],
    )}  # fmt: skip
    ways = [*compiled.ways, *compiled.only_if]
    if compiled.needs_time and entity in COUNTS_TIME:
        ways += read_ways(f"time_entry.{entity}", entity, "amount")
    for way in prefixes(ways):
        tables, parameters, end = joins(way, "r.id", "w")
        rows = fetch_rows(
            f"SELECT DISTINCT r.id FROM canonical_canonicalrecord r JOIN {tables}"  # noqa: S608 - made of names
            f" WHERE {end} = ANY(%s::uuid[]) AND r.environment_id = %s AND r.entity = %s",
            [*parameters, list(touched), environment.pk, entity],
        )
        found |= {row[0] for row in rows}
    return found
