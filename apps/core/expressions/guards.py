"""What an expression may not do: CEL has no time limit and holds the interpreter lock, so size is bounded up front."""

from __future__ import annotations

import re
from typing import Any

MAX_SOURCE_BYTES = 2048
MAX_LIST_ITEMS = 1000
MAX_NESTING = 40
VARIABLES = frozenset({"record", "refs", "settings", "connection", "today", "linked", "total"})
MACROS = frozenset({"map", "filter", "all", "exists", "exists_one", "existsOne"})
# In a raw text a backslash is a letter: `r"\"` ends where another text would go on.
TOKEN = re.compile(
    r"""\s+ | //[^\n]* | [bB]?[rR]"[^"]*" | [bB]?[rR]'[^']*' | [bB]?"(?:\\.|[^"\\])*" | [bB]?'(?:\\.|[^'\\])*' | [A-Za-z_]\w*
    | 0[xX][0-9a-fA-F]+[uU]? | \d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uU]? | \.\d+(?:[eE][+-]?\d+)?
    | == | != | <= | >= | && | \|\| | .""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionError(Exception):
    """`field` could not be compiled or evaluated; `message` is written for the person who wrote the mapping.

    `is_demand`: nothing is wrong with the expression, the record lacks what it demands.
    """

    def __init__(self, field: str, message: str, *, is_demand: bool = False) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.is_demand = is_demand


def tokenize(source: str) -> list[str]:
    """Tokens without white space and comments; joining them with spaces gives an equal expression."""
    return [t for t in TOKEN.findall(source) if not t.isspace() and not t.startswith("//")]


def guard_source(field: str, source: str) -> frozenset[str]:
    """The loop variables of the expression (none: it does not loop). Raises ExpressionError when it is too long or loops within a loop."""
    if not source.strip():
        raise ExpressionError(field, "the expression is empty")
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise ExpressionError(field, f"the expression is longer than {MAX_SOURCE_BYTES} bytes")
    if '"""' in source or "'''" in source:
        # They would tokenize as three strings and hide what stands inside from the checks below.
        raise ExpressionError(field, "triple-quoted text is not allowed")
    return _guard_loops(field, tokenize(source))


def _guard_loops(field: str, tokens: list[str]) -> frozenset[str]:
    open_parens: list[bool] = []
    variables: set[str] = set()
    for index, token in enumerate(tokens):
        if token in "([{":
            is_loop = token == "(" and tokens[max(0, index - 1)] in MACROS and tokens[max(0, index - 2)] == "."
            if is_loop and any(open_parens):
                raise ExpressionError(field, "a loop (map, filter, all, exists) inside a loop is not allowed")
            if is_loop:
                variables.add(loop_variable(field, tokens, index + 1))
            open_parens.append(is_loop)
            if len(open_parens) > MAX_NESTING:
                raise ExpressionError(field, "the expression is nested too deeply")
        elif token in ")]}" and open_parens:
            open_parens.pop()
    return frozenset(variables)


def loop_variable(field: str, tokens: list[str], index: int) -> str:
    name = tokens[index] if index < len(tokens) else ""
    if name in VARIABLES:
        raise ExpressionError(field, f"{name!r} cannot be a loop variable")
    return name


def guard_lists(value: Any) -> None:
    """Raises ValueError when any list in the data is longer than a loop may go."""
    left = [value]
    while left:  # not by calling itself: data may be nested deeper than calls may
        found = left.pop()
        if isinstance(found, dict):
            left.extend(found.values())
        elif isinstance(found, list):
            if len(found) > MAX_LIST_ITEMS:
                raise ValueError(f"a list has more than {MAX_LIST_ITEMS} items")
            left.extend(found)
