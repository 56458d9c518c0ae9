"""Search domains: lists of conditions in Polish notation, an implied "and" between what is left."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.account import Account
from sandbox.odoo.records import Row, model_of, odoo_error, row_of, rows_of

ORDERED = {
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
}  # fmt: skip


def search(
    account: Account, model: str, domain: list[Any], *, order: str | None = None, limit: Any = None, offset: int = 0,
    active_test: bool = True,
) -> list[Row]:  # fmt: skip
    """Archived records are left out unless the context or the domain asks for them, even in a search by id."""
    rows = [row for row in rows_of(account, model) if matches(account, model, row, domain)]
    mentioned = any(isinstance(part, (list, tuple)) and part[0] == "active" for part in domain)
    if active_test and not mentioned and "active" in model_of(account, model).types:
        rows = [row for row in rows if row.get("active", True)]
    for part in reversed([part.split() for part in (order or "id").split(",")]):
        descending = len(part) > 1 and part[1].lower() == "desc"
        rows.sort(key=lambda row: sort_key(row.get(part[0])), reverse=descending)
    rows = rows[offset:]
    return rows[: int(limit)] if limit else rows


def sort_key(value: Any) -> tuple[bool, Any]:
    return (value in (None, False), value if value not in (None, False) else 0)


def matches(account: Account, model: str, row: Row, domain: list[Any]) -> bool:
    stack: list[bool] = []
    for part in reversed(domain):
        if part == "!":
            stack.append(not stack.pop())
        elif part in ("|", "&"):
            first, second = stack.pop(), stack.pop()
            stack.append((first or second) if part == "|" else (first and second))
        else:
            stack.append(condition(account, model, row, *part))
    return all(stack)


def condition(account: Account, model: str, row: Row, path: str, operator: str, wanted: Any) -> bool:
    head, _, rest = path.partition(".")
    schema = model_of(account, model)
    if head not in schema.types:
        raise odoo_error("builtins.ValueError", f"Invalid field {model}.{head} in leaf {(path, operator, wanted)!r}")
    if rest:
        relation = schema.relation(head)[0]
        target = row_of(account, relation, row.get(head))
        return target is not None and condition(account, relation, target, rest, operator, wanted)
    return compare(row.get(head), operator, wanted, moment=schema.kind(head) == "datetime")


def compare(found: Any, operator: str, wanted: Any, *, moment: bool) -> bool:
    if operator in ("in", "not in"):
        hits = found if isinstance(found, list) else [found or False]
        inside = any(hit in [item or False for item in wanted] for hit in hits)
        return inside == (operator == "in")
    if operator in ("=", "!="):
        return bool((found or False) == (wanted or False)) == (operator == "=")
    if operator in ("like", "ilike", "=like"):
        flags = re.IGNORECASE if operator == "ilike" else 0
        pattern = ".*".join(re.escape(part).replace("_", ".") for part in str(wanted).split("%"))
        matcher = re.fullmatch if operator == "=like" else re.search
        return matcher(pattern, str(found or ""), flags) is not None
    if found in (None, False):
        return False
    if moment:
        found, wanted = datetime.fromisoformat(found), datetime.fromisoformat(wanted).replace(tzinfo=UTC)
    return bool(ORDERED[operator](found, wanted))
