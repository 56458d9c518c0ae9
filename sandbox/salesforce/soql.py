"""The part of SOQL that clients of an org use: select, subselect, where, order by, limit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.vendor import VendorError

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|[=<>(),]))"
)
Literal = str | float | bool | None
# Either a joint of two conditions ("and", "or"), or a comparison of a path with a literal or a list of them.
Condition = tuple[str, Any, Any]


@dataclass
class Query:
    source: str = ""
    fields: list[str] = field(default_factory=list)
    children: list[Query] = field(default_factory=list)
    where: Condition | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None


def malformed(message: str) -> VendorError:
    return VendorError(400, message, code="MALFORMED_QUERY")


def parse(text: str) -> Query:
    """Raises VendorError MALFORMED_QUERY."""
    parser = _Parser(text)
    found = parser.query()
    if parser.peek() is not None:
        raise malformed(f"unexpected token: '{parser.peek()}'")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = TOKEN.match(text, place)
            if match is None:
                raise malformed(f"unexpected char: '{text[place]}'")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self.place = 0

    def peek(self) -> str | None:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else None

    def is_next(self, *words: str) -> bool:
        ahead = [value.upper() for _, value in self.tokens[self.place : self.place + len(words)]]
        return ahead == list(words)

    def take(self, *words: str) -> bool:
        if self.is_next(*words):
            self.place += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            raise malformed(f"expecting '{' '.join(words)}', found '{self.peek()}'")

    def next(self, kind: str = "") -> tuple[str, str]:
        if self.place >= len(self.tokens) or (kind and self.tokens[self.place][0] != kind):
            raise malformed(f"unexpected token: '{self.peek()}'")
        self.place += 1
        return self.tokens[self.place - 1]

    def query(self) -> Query:
        self.expect("SELECT")
        found = Query()
        self._column(found)
        while self.take(","):
            self._column(found)
        self.expect("FROM")
        found.source = self.next("name")[1]
        if self.take("WHERE"):
            found.where = self._disjunction()
        if self.take("ORDER", "BY"):
            found.order.append(self._ordering())
            while self.take(","):
                found.order.append(self._ordering())
        if self.take("LIMIT"):
            found.limit = int(self.next("number")[1])
        return found

    def _column(self, found: Query) -> None:
        if self.take("("):
            found.children.append(self.query())
            self.expect(")")
        else:
            found.fields.append(self.next("name")[1])

    def _ordering(self) -> tuple[str, bool]:
        path = self.next("name")[1]
        if self.take("DESC"):
            return path, True
        self.take("ASC")
        return path, False

    def _disjunction(self) -> Condition:
        left = self._conjunction()
        while self.take("OR"):
            left = ("or", left, self._conjunction())
        return left

    def _conjunction(self) -> Condition:
        left = self._condition()
        while self.take("AND"):
            left = ("and", left, self._condition())
        return left

    def _condition(self) -> Condition:
        if self.take("("):
            inner = self._disjunction()
            self.expect(")")
            return inner
        path = self.next("name")[1]
        if self.take("IN"):
            self.expect("(")
            values = [self._literal()]
            while self.take(","):
                values.append(self._literal())
            self.expect(")")
            return "in", path, values
        return self.next("sign")[1], path, self._literal()

    def _literal(self) -> Literal:
        kind, value = self.next()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", value[1:-1])
        if kind == "number":
            return float(value)
        if kind == "moment":
            return stamp(value)
        words: dict[str, Literal] = {"TRUE": True, "FALSE": False, "NULL": None}
        if value.upper() in words:
            return words[value.upper()]
        raise malformed(f"unexpected token: '{value}'")


def stamp(text: str) -> str:
    """Moments in one form, so that they compare as text."""
    if "T" not in text:
        return text
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
