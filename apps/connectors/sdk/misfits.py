"""What does not fit a shape, said so that somebody who never saw the shape can put it right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

_PLACE = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_ELEMENT = re.compile(r"\[[^\]]*\]")
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]+)`(?:, got `(?P<given>\w+)`)?$")
_LIMIT = re.compile(r"Expected `\w+` (?P<sign><=|>=|<|>) (?P<limit>\S+)$")
_LENGTH = re.compile(r"Expected `(?P<kind>\w+)` of length (?P<sign><=|>=) (?P<limit>\d+)$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`$")
_CHOICE = re.compile(r"Invalid enum value (?P<given>.*)$", re.DOTALL)
_PATTERN = re.compile(r"Expected `str` matching regex (?P<pattern>.*)$", re.DOTALL)

_NO_PATTERNS: Mapping[str, str] = MappingProxyType({})
_KINDS = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "yes or no (true or false)",
    "array": "a list", "object": "a group of named values", "null": "empty",
}  # fmt: skip
_GIVEN = {**_KINDS, "float": "a number with decimals", "bool": "yes or no", "object": "a group of values"}
_LIMITS = {">=": "at least {}", "<=": "at most {}", ">": "more than {}", "<": "less than {}"}
_FORMS = {
    "Invalid RFC3339 encoded date": "a date like 2026-11-30",
    "Invalid RFC3339 encoded datetime": "a moment like 2026-11-30T09:00:00Z",
}
_PATTERNS = {
    r"^[A-Z]{3}$": "a currency code of three capital letters, like EUR",
    r"^-?\d+(\.\d+)?$": "a number like 12.50",
}


class Misfit(NamedTuple):
    """`field`: dotted path as programs name it, "" for the whole; `message`: a sentence without its full stop."""

    field: str
    message: str


def describe_misfit(
    error: msgspec.ValidationError, shape: type, patterns: Mapping[str, str] = _NO_PATTERNS, *, at: str = ""
) -> Misfit:
    """This function will say what a value lacks to be a `shape`, given the error of converting it.

    `patterns`: what a text must be that has to match a regular expression of the shape. `at`: the path to the value itself.
    """
    text, inner = str(error), ""
    if place := _PLACE.search(text):
        text, inner = text[: place.start()], _ELEMENT.sub("", place["path"])
    path = _join(at, inner)
    if found := _UNKNOWN.match(text):
        inside = f" in {_said(path).lower()}" if path else ""
        return Misfit(_join(path, found["name"]), f"There is no field “{found['name']}”{inside}")
    if found := _MISSING.match(text):
        path = _join(path, found["name"])
        return Misfit(path, f"{_said(path)} is missing")
    return Misfit(path, f"{_said(path) or 'It'} {_demand(text, inner, shape, {**_PATTERNS, **patterns})}")


def _said(path: str) -> str:
    """`lines.unit_price` as “Lines, unit price”; lengths of time are said in hours elsewhere, so their unit is left out."""
    names = [name.removeprefix("x_").removesuffix("_seconds").replace("_", " ") for name in path.split(".")]
    words = ", ".join(names)
    return words[:1].upper() + words[1:]


def _demand(text: str, path: str, shape: type, patterns: Mapping[str, str]) -> str:
    if found := _LIMIT.match(text):
        return f"must be {_LIMITS[found['sign']].format(found['limit'])}"
    if found := _LENGTH.match(text):
        parts = "characters" if found["kind"] == "str" else "entries"
        if (found["sign"], found["limit"]) == (">=", "1"):
            return "must not be empty"
        return f"must have {_LIMITS[found['sign']].format(found['limit'])} {parts}"
    if found := _CHOICE.match(text):
        choices = _choices(shape, path)
        return (
            f"must be one of {', '.join(choices)}; {found['given']} is not"
            if choices
            else f"cannot be {found['given']}"
        )
    if found := _PATTERN.match(text):
        pattern = found["pattern"][1:-1].replace("\\\\", "\\")
        return f"must be {patterns[pattern]}" if pattern in patterns else "is not written as it has to be"
    if form := _FORMS.get(text):
        return f"must be {form}"
    if found := _EXPECTED.match(text):
        kinds = [_KINDS.get(kind, kind) for kind in found["kinds"].split(" | ") if kind != "null"]
        given = f", not {_GIVEN.get(found['given'], found['given'])}" if found["given"] else ""
        return f"must be {' or '.join(kinds)}{given}"
    return f"is not right: {text}"


def _choices(shape: type, path: str) -> list[str]:
    """The words a field of the shape itself may hold; none for fields further in."""
    return _literals(get_type_hints(shape).get(path))


def _literals(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return [choice for part in get_args(kind) for choice in _literals(part)]


def _join(path: str, name: str) -> str:
    return ".".join(part for part in (path, name) if part)
