"""Conditions as the database can decide them, so that a hundred thousand records are not all read to find a few.

A condition is CEL; of what is joined by `&&`, comparisons of a field with a constant become SQL. That is never stricter
than the condition itself, which is evaluated on what is left. A condition on a linked record (`expected`) must become SQL
as a whole: nothing else looks at linked records.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

from apps.core.expressions.guards import tokenize
from apps.monitoring.paths import UnableToRead

RECORD, SHOWN = "record", "shown"
LONGEST_NUMBER = 30
COMPUTED = "time_"  # fields of a record that are worked out, not stored
_ORDER = {"<", "<=", ">", ">="}
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Clause:
    """`column` stands for what holds the fields: the record's data, or what a system was seen to show."""

    root: str
    sql: str
    parameters: tuple[Any, ...]


def clauses_of(condition: str) -> tuple[list[Clause], bool]:
    """What the database can decide of it, and whether that is all of it."""
    if not condition.strip():
        return [], True
    found = [_clause(part) for part in _conjuncts(tokenize(condition))]
    return [clause for clause in found if clause], all(found)


def demand_clauses(condition: str, field: str) -> list[Clause]:
    """Raises UnableToRead when the database cannot decide all of it."""
    found, is_all = clauses_of(condition)
    if not is_all:
        raise UnableToRead(
            "Of the linked record only fields can be compared with fixed values, joined by &&, such as "
            '`record.status == "paid"` or `shown.payment_status in ["paid"]`.',
            field=field,
        )
    return found


def _conjuncts(tokens: list[str]) -> list[list[str]]:
    """Split at every `&&` that stands in no bracket; with a `||` or `?` beside it, nothing is split."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth == 0 and token in ("||", "?"):
            return [tokens]
        if depth == 0 and token == "&&":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _clause(tokens: list[str]) -> Clause | None:
    if len(tokens) > 2 and tokens[0] == "(" and tokens[-1] == ")" and not set("()") & set(tokens[1:-1]):
        tokens = tokens[1:-1]
    path, rest = _path(tokens)
    if path is None or path[1].startswith(COMPUTED):
        return None
    root, names = path[0], list(path[1:])
    if not rest:
        return Clause(root, "{} #>> %s = 'true'", (names,))
    operator, values = rest[0], rest[1:]
    if operator == "in":
        texts = _texts(values)
        return Clause(root, "{} #>> %s = ANY(%s)", (names, texts)) if texts else None
    if len(values) != 1:
        return None
    return _comparison(root, names, operator, values[0])


def _path(tokens: list[str]) -> tuple[tuple[str, ...] | None, list[str]]:
    if len(tokens) < 3 or tokens[0] not in (RECORD, SHOWN):
        return None, tokens
    names, index = [tokens[0]], 1
    while index + 1 < len(tokens) and tokens[index] == "." and tokens[index + 1].isidentifier():
        names.append(tokens[index + 1])
        index += 2
    if len(names) < 2 or tokens[index : index + 1] == ["("]:
        return None, tokens
    return tuple(names), tokens[index:]


def _comparison(root: str, names: list[str], operator: str, token: str) -> Clause | None:
    if token == "null":
        words = {"==": "IS NULL", "!=": "IS NOT NULL"}.get(operator)
        return Clause(root, f"{{}} #>> %s {words}", (names,)) if words else None
    if token in ("true", "false"):
        token = f'"{token}"'
    if token[0].isdigit():
        return _number(root, names, operator, token)
    text = _text(token)
    if text is None:
        return None
    if operator == "==":
        return Clause(root, "{} #>> %s = %s", (names, text))
    if operator == "!=":
        return Clause(root, "{} #>> %s IS DISTINCT FROM %s", (names, text))
    # ISO dates and moments have the order of their letters; "C" is that order.
    return Clause(root, f'{{}} #>> %s {operator} %s COLLATE "C"', (names, text)) if operator in _ORDER else None


def _number(root: str, names: list[str], operator: str, token: str) -> Clause | None:
    if operator not in _ORDER | {"==", "!="} or token.endswith("u"):
        return None
    if len(token) > LONGEST_NUMBER or not math.isfinite(float(token)):
        return None  # the database knows no such number, and would fail on every record
    sql = {"==": "=", "!=": "IS DISTINCT FROM"}.get(operator, operator)
    # CASE, because the parts of an AND are decided in any order, and a text is no number.
    held = "CASE WHEN jsonb_typeof({} #> %s) = 'number' THEN ({} #>> %s)::numeric END"
    return Clause(root, f"{held} {sql} %s::numeric", (names, names, token))


def _texts(tokens: list[str]) -> list[str] | None:
    if len(tokens) < 3 or tokens[0] != "[" or tokens[-1] != "]":
        return None
    texts = [_text(token) for token in tokens[1:-1:2]]
    commas = tokens[2:-1:2]
    if any(text is None for text in texts) or any(comma != "," for comma in commas):
        return None
    return [text for text in texts if text is not None]


def _text(token: str) -> str | None:
    if len(token) < 2 or token[0] not in "\"'" or set(token) & set("\\\n\r"):
        return None
    found = ast.literal_eval(token)
    return found if isinstance(found, str) else None
