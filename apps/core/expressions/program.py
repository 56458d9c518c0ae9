"""Compiling a mapping and running it over records."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any

import cel

from apps.core.expressions.functions import DemandNotMet, moment
from apps.core.expressions.guards import VARIABLES, ExpressionError, guard_lists, guard_source, tokenize
from apps.core.expressions.library import LIBRARY
from apps.core.expressions.lifting import NeedsEngine, Thunk, is_member, lift, walk, whole

# The engine logs every failed function call with its data, which is our customers' data.
logging.getLogger("cel").setLevel(logging.CRITICAL + 1)
ENGINE_NOISE = re.compile(
    r"^Function '\w+' error: Python function call failed: \w+: |\.? Check (?:function|that) .*$", re.DOTALL
)
SYNTAX_ERROR = re.compile(r"^<input>:\d+:(?P<place>\d+): Syntax error: (?P<what>[^|]*)")
NOTHING: dict[str, Any] = {name: {} for name in VARIABLES}
SINGLE = "value"
BUILT_IN = frozenset(
    {
        "size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "contains", "startsWith",
        "endsWith", "matches", "timestamp", "duration", "min", "max", "getFullYear", "getMonth", "getDate",
        "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip


class MappingProgram:
    """A compiled mapping. Reusable and free of state; evaluating gives plain JSON values."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self.source = dict(source)
        self._loops = False
        self._direct: dict[str, Thunk] = {}
        self._members: list[tuple[str, list[str], itemgetter[Any]]] = []
        self._lifted: list[Thunk] = []
        rest: list[str] = []
        members: dict[str, dict[str, str]] = {}
        for field, expression in self.source.items():
            loop_variables = guard_source(field, expression)
            self._loops = self._loops or bool(loop_variables)
            check(field, expression, loop_variables)
            tokens = tokenize(expression)
            thunk = whole(tokens)
            if is_member(tokens):
                members.setdefault(tokens[0], {})[field] = tokens[2]
            elif thunk is not None:
                self._direct[field] = thunk
            else:
                rest.append(f"{quote(field)}: ({' '.join(lift(tokens, self._lifted))})")
        for variable, found in members.items():
            if len(found) > 1:
                self._members.append((variable, list(found), itemgetter(*found.values())))
            else:
                self._direct.update({field: walk(variable, [name]) for field, name in found.items()})
        self._is_ordered = not rest and (not members or (len(members) == 1 and not self._direct))
        self._program = cel.compile("{" + ", ".join(rest) + "}") if rest else None
        self._variables = [v for v in self._program.variables() if v in VARIABLES] if self._program else []
        self._functions = {f: LIBRARY[f] for f in self._program.functions() if f in LIBRARY} if self._program else {}

    def evaluate(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """All fields, in the order they were written. Raises ExpressionError naming the field that failed."""
        values = {**NOTHING, **context}
        if self._loops:
            self._guard_lists(values)
        try:
            return self._evaluate(values)
        except Exception:  # noqa: BLE001 - whatever failed is found again, field by field, with a message for people
            return {field: evaluate_field(field, source, values) for field, source in self.source.items()}

    def _evaluate(self, values: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for variable, fields, pick in self._members:  # most of a mapping: one call for all plain fields
            found.update(zip(fields, pick(values[variable]), strict=True))
        for field, thunk in self._direct.items():
            found[field] = thunk(values)
        if self._is_ordered:
            return found
        if self._program is not None:
            self._compute(found, values)
        return {field: found[field] for field in self.source}

    def _compute(self, found: dict[str, Any], values: dict[str, Any]) -> None:
        assert self._program is not None  # noqa: S101 - asked by the caller
        variables = {name: values[name] for name in self._variables}
        variables.update({f"lifted_{n}": thunk(values) for n, thunk in enumerate(self._lifted)})
        computed = self._program.execute(cel.Context(variables=variables, functions=self._functions))
        found.update({field: plain(value) for field, value in computed.items()})

    def _guard_lists(self, values: dict[str, Any]) -> None:
        try:
            guard_lists(values)
        except ValueError as error:
            raise ExpressionError(next(iter(self.source)), str(error)) from None


def compile(source: Mapping[str, str]) -> MappingProgram:  # noqa: A001 - reads as expressions.compile
    """One program for all fields. Raises ExpressionError for the first field that is not a valid, bounded expression."""
    return _compile(tuple(source.items()))


@lru_cache(maxsize=2048)
def _compile(source: tuple[tuple[str, str], ...]) -> MappingProgram:
    # Checking and compiling costs milliseconds, and every run of a flow needs the same few programs.
    return MappingProgram(dict(source))


def compile_one(expression: str) -> MappingProgram:
    """A program for one expression; its result is under "value"."""
    return compile({SINGLE: expression})


def check(field: str, expression: str, loop_variables: frozenset[str]) -> None:
    """Raises ExpressionError unless the expression parses and uses only known variables and functions."""
    try:
        program = cel.compile(expression)
    except ValueError as error:
        raise ExpressionError(field, _in_words(str(error).partition("ERROR: ")[2].strip() or str(error))) from None
    names = sorted(set(program.variables()) - VARIABLES - loop_variables)
    if names:
        raise ExpressionError(field, f"unknown name {names[0]!r}; known: {', '.join(sorted(VARIABLES))}")
    functions = sorted(f for f in program.functions() if f.isidentifier() and f not in BUILT_IN and f not in LIBRARY)
    if functions:
        raise ExpressionError(field, f"unknown function {functions[0]!r}; known: {', '.join(sorted(LIBRARY))}")


def _in_words(message: str) -> str:
    """`<input>:1:8: Syntax error: missing ')' at '<EOF>' | …` without the engine's picture of the place."""
    found = SYNTAX_ERROR.match(message)
    if found is None:
        return message
    what = "the expression ends too early" if "<EOF>" in found["what"] else found["what"].strip()
    return f"at character {found['place']}: {what}"


def evaluate_field(field: str, expression: str, values: Mapping[str, Any]) -> Any:
    """The slow and exact way, one field at a time, to find out which one failed and why."""
    thunk = whole(tokenize(expression))
    try:
        if thunk is not None:
            with suppress(NeedsEngine):
                return thunk(values)
        found = cel.compile(expression).execute(cel.Context(variables=dict(values), functions=dict(LIBRARY)))
    except KeyError as error:
        name = error.args[0] if error.args else ""
        raise ExpressionError(field, f"{name!r} is missing; test with has(...) or read it with get(...)") from None
    except Exception as error:  # noqa: BLE001 - the engine raises many kinds; all mean this field failed
        # The engine keeps an exception's name and text, not its kind.
        is_demand = isinstance(error, DemandNotMet) or f"failed: {DemandNotMet.__name__}: " in str(error)
        raise ExpressionError(field, ENGINE_NOISE.sub("", str(error)).strip(), is_demand=is_demand) from None
    return plain(found)


def plain(value: Any) -> Any:
    """JSON values only: timestamps become ISO text, durations seconds."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return value


def quote(field: str) -> str:
    return '"' + field.replace("\\", "\\\\").replace('"', '\\"') + '"'
