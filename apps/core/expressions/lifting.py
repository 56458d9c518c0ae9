"""Lifts library calls on paths and literals out of an expression, to be run as plain Python.

`get(record, "a.b") == "x" ? 1 : 2` becomes `lifted_0 == "x" ? 1 : 2` and a Python closure for `lifted_0`. Only calls
whose arguments are literals, paths of the four variables, or such calls again are lifted; anything else stays CEL.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from apps.core.expressions.guards import VARIABLES
from apps.core.expressions.library import LIBRARY

Context = Mapping[str, Any]
Thunk = Callable[[Context], Any]
CONSTANTS = {"true": True, "false": False, "null": None}


class NotLiftable(Exception):
    """This part needs the CEL engine."""


class NeedsEngine(Exception):  # noqa: N818 - names the fact
    """The values met are not of the kinds whose CEL meaning is reproduced here; the engine decides."""


class Reader:
    """A recursive-descent reader over tokens that builds closures."""

    def __init__(self, tokens: list[str], position: int = 0) -> None:
        self.tokens = tokens
        self.position = position

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise NotLiftable
        self.position += 1
        return token

    def expression(self) -> Thunk:
        """Conditions, `==` and `!=` with a text or null literal, and joining of texts; no other operator."""
        condition = self.disjunction()
        if self.peek() != "?":
            return condition
        self.take("?")
        chosen = self.expression()
        self.take(":")
        return _choose(condition, chosen, self.expression())

    def disjunction(self) -> Thunk:
        found = self.conjunction()
        while self.peek() == "||":
            self.take("||")
            found = _choose(found, lambda context: True, _truth(self.conjunction()))
        return found

    def conjunction(self) -> Thunk:
        found = self.equality()
        while self.peek() == "&&":
            self.take("&&")
            found = _choose(found, _truth(self.equality()), lambda context: False)
        return found

    def equality(self) -> Thunk:
        start, left = self.position, self.joined()
        operator = self.peek()
        if operator not in ("==", "!="):
            return left
        self.take(operator)
        middle, right = self.position, self.joined()
        if not _is_plain(self.tokens[start : middle - 1]) and not _is_plain(self.tokens[middle : self.position]):
            raise NotLiftable
        if operator == "==":
            return lambda context: left(context) == right(context)
        return lambda context: left(context) != right(context)

    def joined(self) -> Thunk:
        start, parts = self.position, [self.value()]
        while self.peek() == "+":
            self.take("+")
            parts.append(self.value())
        if len(parts) == 1:
            return parts[0]
        if not any(token[0] in "\"'" for token in self.tokens[start : self.position]):
            raise NotLiftable
        return _join(parts)

    def value(self) -> Thunk:
        if self.peek() == "(":
            self.take("(")
            inner = self.expression()
            self.take(")")
            return inner
        token = self.peek()
        if token in LIBRARY:
            return self.call()
        if token in VARIABLES:
            return self.path()
        constant = self.literal()
        return lambda context: constant

    def call(self) -> Thunk:
        function = LIBRARY[self.take()]
        self.take("(")
        arguments: list[Thunk] = []
        while self.peek() != ")":
            arguments.append(self.expression())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return _bind(function, arguments)

    def path(self) -> Thunk:
        name, parts = self.take(), []
        while self.peek() == ".":
            self.take(".")
            part = self.take()
            if not part.isidentifier() or self.peek() == "(":
                raise NotLiftable
            parts.append(part)
        if self.peek() == "[":
            raise NotLiftable
        return walk(name, parts)

    def literal(self) -> Any:
        token = self.take()
        if token == "{":
            return self.map_literal()
        if token in CONSTANTS:
            return CONSTANTS[token]
        if token[0] in "\"'" and "\\" not in token:
            return token[1:-1]
        if token[0].isdigit() and not token.endswith("u"):
            return _number(token)
        raise NotLiftable

    def map_literal(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while self.peek() != "}":
            key = self.literal()
            if isinstance(key, dict):
                raise NotLiftable
            self.take(":")
            found[key] = self.literal()
            if self.peek() != "}":
                self.take(",")
        self.take("}")
        return found


def _number(token: str) -> Any:
    try:
        return ast.literal_eval(token)
    except SyntaxError:  # 0012 is a number to the engine, and none to Python
        raise NotLiftable from None


def lift(tokens: list[str], lifted: list[Thunk]) -> list[str]:
    """The tokens with every liftable call replaced by `lifted_<n>`; the closures are appended to `lifted`."""
    kept: list[str] = []
    index = 0
    while index < len(tokens):
        is_call = tokens[index] in LIBRARY and tokens[index + 1 : index + 2] == ["("] and kept[-1:] != ["."]
        reader = Reader(tokens, index)
        thunk = _attempt(reader) if is_call else None
        if thunk is None:
            kept.append(tokens[index])
            index += 1
            continue
        kept.append(f"lifted_{len(lifted)}")
        lifted.append(thunk)
        index = reader.position
    return kept


def whole(tokens: list[str]) -> Thunk | None:
    """A closure for the whole expression when nothing in it needs CEL."""
    reader = Reader(tokens)
    try:
        thunk = reader.expression()
    except NotLiftable:
        return None
    return thunk if reader.position == len(tokens) else None


def is_member(tokens: list[str]) -> bool:
    """`record.name` and no more."""
    return len(tokens) == 3 and tokens[0] in VARIABLES and tokens[1] == "." and tokens[2].isidentifier()


def _attempt(reader: Reader) -> Thunk | None:
    try:
        return reader.call()
    except NotLiftable:
        return None


def _bind(function: Callable[..., Any], arguments: list[Thunk]) -> Thunk:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda context: function(only(context))
    if len(arguments) == 2:
        first, second = arguments
        return lambda context: function(first(context), second(context))
    return lambda context: function(*[argument(context) for argument in arguments])


def _choose(condition: Thunk, chosen: Thunk, other: Thunk) -> Thunk:
    truth = _truth(condition)
    return lambda context: chosen(context) if truth(context) else other(context)


def _truth(thunk: Thunk) -> Thunk:
    def read(context: Context) -> bool:
        value = thunk(context)
        if not isinstance(value, bool):
            raise NeedsEngine
        return value

    return read


def _join(parts: list[Thunk]) -> Thunk:
    def read(context: Context) -> str:
        texts = [part(context) for part in parts]
        if not all(isinstance(text, str) for text in texts):
            raise NeedsEngine
        return "".join(texts)

    return read


def _is_plain(tokens: list[str]) -> bool:
    """A text or null literal: equal to nothing but itself, in CEL as in Python."""
    return len(tokens) == 1 and (tokens[0] == "null" or tokens[0][0] in "\"'")


def walk(name: str, parts: list[str]) -> Thunk:
    def read(context: Context) -> Any:
        value = context[name]
        for part in parts:
            value = value[part]
        return value

    return read
