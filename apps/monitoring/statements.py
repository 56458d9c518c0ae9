"""Rules as conditions of a statement over `canonical_canonicalrecord r`. Made of names and placeholders alone: what people
wrote is only ever a parameter, or a name checked against the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.monitoring.conditions import SHOWN, clauses_of, demand_clauses
from apps.monitoring.models import ExceptionRule
from apps.monitoring.paths import Way, joins

Part = tuple[str, list[Any]]


def candidate_condition(rule: ExceptionRule, ways: Sequence[Way], only_if: Sequence[Way]) -> Part:
    """What a record that may break the rule fulfils. Raises UnableToRead."""
    where: list[str] = ["TRUE"]
    parameters: list[Any] = []
    for clause in clauses_of(rule.condition)[0]:
        where.append(f"({clause.sql.replace('{}', 'r.data')})")
        parameters += clause.parameters
    for led, word, expected in ((only_if, "", ""), (ways, "NOT ", rule.expected)):
        if led:
            sql, given = _leads(led, expected, "o" if led is only_if else "w")
            where.append(f"{word}({sql})")
            parameters += given
    return " AND ".join(where), parameters


# Some system still has the record, or none has it yet: what was deleted everywhere counts no more.
HELD = (
    "(EXISTS (SELECT 1 FROM canonical_crossreference x WHERE x.record_id = {id} AND x.deleted_at IS NULL)"
    " OR NOT EXISTS (SELECT 1 FROM canonical_crossreference x WHERE x.record_id = {id}))"
)
# What we derived and no system took is not there for anybody: it waits on the error desk.
_ARRIVED = (
    " AND (EXISTS (SELECT 1 FROM canonical_crossreference a WHERE a.record_id = {end} AND a.deleted_at IS NULL)"
    " OR {end} NOT IN (SELECT f.record_id FROM sync_recordfailure f"
    " WHERE f.status <> 'resolved' AND f.direction = 'write' AND f.record_id IS NOT NULL))"
)


def _leads(ways: Sequence[Way], expected: str, prefix: str) -> Part:
    """Whether any of the ways leads from the record to one that fulfils `expected`."""
    parts: list[str] = []
    parameters: list[Any] = []
    for number, way in enumerate(ways):
        sql, given = _leads_along(way, expected, f"{prefix}{number}_")
        parts.append(sql)
        parameters += given
    return " OR ".join(parts), parameters


def _leads_along(way: Way, expected: str, prefix: str) -> Part:
    tables, parameters, end = joins(way, "r.id", prefix)
    # The record itself stands outside: the first table's condition is one of WHERE.
    first, _, rest = tables.partition(" ON ")
    outside, _, inside = rest.partition(" JOIN ")
    source = f"{first} JOIN {inside}" if inside else first
    where = outside
    parameters = [*parameters[1:], parameters[0]]
    where += _ARRIVED.format(end=end)
    if expected.strip():
        target = f"{prefix}target"
        source += f" JOIN canonical_canonicalrecord {target} ON {target}.id = {end}"
        sql, given = _fulfils(expected, target)
        where, parameters = f"{where} AND {sql}", [*parameters, *given]
    return f"EXISTS (SELECT 1 FROM {source} WHERE {where})", parameters  # noqa: S608


def _fulfils(expected: str, target: str) -> Part:
    """`record.…` is what is known of it; `shown.…` what some system was seen to show."""
    clauses = demand_clauses(expected, "expected")
    own = [clause for clause in clauses if clause.root != SHOWN]
    shown = [clause for clause in clauses if clause.root == SHOWN]
    where = [f"({clause.sql.replace('{}', f'{target}.data')})" for clause in own]
    if shown:
        inner = " AND ".join(f"({clause.sql.replace('{}', 'x.seen')})" for clause in shown)
        where.append(
            f"EXISTS (SELECT 1 FROM canonical_crossreference x WHERE x.record_id = {target}.id"  # noqa: S608
            f" AND x.deleted_at IS NULL AND {inner})"
        )
    return " AND ".join(where), [value for clause in [*own, *shown] for value in clause.parameters]
