"""Search filters: `[["name", "=", "x"], ["OR", [...], [...]]]`, with paths through relations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.account import Account
from sandbox.tryton.records import Row, model_of, row_of, rows_of, value
from sandbox.tryton.wire import untagged

Test = Callable[[Any, Any], bool]


def search(account: Account, model: str, domain: Any, order: Any, limit: int | None) -> list[Row]:
    found = [row for row in rows_of(account, model) if matches(account, model, row, domain)]
    if not mentions(domain, "active") and "active" in model_of(model).fields:
        found = [row for row in found if row.get("active") is not False]
    for field, direction in reversed(order or [["id", "ASC"]]):
        found.sort(key=lambda row: untagged(value(account, model, row, field)), reverse=direction == "DESC")
    return found[:limit] if limit is not None else found


def mentions(domain: Any, field: str) -> bool:
    if isinstance(domain, list) and len(domain) == 3 and isinstance(domain[0], str) and domain[0] not in ("OR", "AND"):
        return bool(domain[0] == field)
    return any(mentions(part, field) for part in domain if isinstance(part, list))


def matches(account: Account, model: str, row: Row, domain: Any) -> bool:
    if not domain:
        return True
    if domain[0] == "OR":
        return any(matches(account, model, row, part) for part in domain[1:])
    if domain[0] == "AND":
        return all(matches(account, model, row, part) for part in domain[1:])
    if isinstance(domain[0], str):
        return clause(account, model, row, *domain)
    return all(matches(account, model, row, part) for part in domain)


def clause(account: Account, model: str, row: Row, path: str, operator: str, wanted: Any) -> bool:
    head, _, rest = path.partition(".")
    schema, found = model_of(model), value(account, model, row, head)
    if not rest:
        return compare(found, operator, wanted)
    if head in schema.many:
        child = schema.many[head][0]
        return any(clause(account, child, account.objects(child)[str(i)], rest, operator, wanted) for i in found)
    target = row_of(account, schema.one[head], found)
    return target is not None and clause(account, schema.one[head], target, rest, operator, wanted)


def compare(found: Any, operator: str, wanted: Any) -> bool:
    if operator == "in":
        if isinstance(found, list):
            return bool(set(found) & set(wanted))
        return any(compare(found, "=", item) for item in wanted)
    found, wanted = untagged(found), untagged(wanted)
    if operator == "=":
        return bool(found == wanted)
    if operator == "!=":
        return bool(found != wanted)
    if found is None:
        return False
    if operator == "like":
        return re.fullmatch(pattern(wanted), found, re.DOTALL) is not None
    tests: dict[str, Test] = {
        ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    }  # fmt: skip
    return tests[operator](found, wanted)


def pattern(like: str) -> str:
    """SQL's `like` as a regular expression; a backslash takes a wildcard literally."""
    parts = re.split(r"(\\.|%|_)", like)
    return "".join({"%": ".*", "_": "."}.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
