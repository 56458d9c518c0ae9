"""All records that lead to the same target, summed up: several invoices of a project tell one payment status."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import orjson

from apps.connectors.sdk.entities import ENTITIES
from apps.core.bulk import fetch_rows
from apps.core.money import Money
from apps.sync.engine.context import full_record

_MONEY = "MoneyValue"
_WORD = re.compile(r"\w+")


def gather(entity: str, via: list[str], targets: list[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """{target: records of `entity` whose references `via` lead there}, oldest first."""
    found: dict[UUID, list[dict[str, Any]]] = {target: [] for target in targets}
    if not targets:
        return found
    hops = "".join(
        f" JOIN canonical_canonicallink hop{n} ON hop{n}.name = %s"
        f" AND hop{n}.source_id = {'record.id' if n == 0 else f'hop{n - 1}.target_id'}"
        for n in range(len(via))
    )
    statement = (
        f"SELECT hop{len(via) - 1}.target_id, record.data FROM canonical_canonicalrecord record{hops}"  # noqa: S608 - numbers only
        f" WHERE hop{len(via) - 1}.target_id = ANY(%s) AND record.entity = %s"
        " ORDER BY record.occurred_on NULLS FIRST, record.created_at, record.id"
    )
    for target, data in fetch_rows(statement, [*via, targets, entity]):
        found[target].append(full_record(entity, data if isinstance(data, dict) else orjson.loads(data)))
    return found


def summarize(entity: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What an expression sees: `count`, `latest` (null when there is none) and `sum` of every amount and whole number.

    Raises CurrencyMismatch when the records do not share a currency.
    """
    return {
        "count": len(records),
        "latest": records[-1] if records else None,
        "sum": added_up(entity, records),
    }


def added_up(entity: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Every money field and every whole number over the records. Raises CurrencyMismatch."""
    amounts = {name: _sum([record[name] for record in records]) for name in _money_fields(entity)}
    return {**amounts, **{name: sum(record[name] or 0 for record in records) for name in _number_fields(entity)}}


def _money_fields(entity: str) -> list[str]:
    return [name for name, kind in ENTITIES[entity].__annotations__.items() if _MONEY in str(kind)]


def _number_fields(entity: str) -> list[str]:
    return [name for name, kind in ENTITIES[entity].__annotations__.items() if "int" in _WORD.findall(str(kind))]


def _sum(values: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    present = [Money(value["amount"], value["currency"]) for value in values if value is not None]
    if not present:
        return None
    total = sum(present[1:], present[0])
    return {"amount": total.amount, "currency": total.currency}
