"""Judges bracketed forms and queries by an OpenAPI description: the words of a form are read as what the schema asks for."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.contract.recorder import Exchange

_PART = re.compile(r"\[([^\]]*)\]")


class FormJudge:
    """`errors(exchange)` lists what is wrong; None when the description does not know the operation."""

    def __init__(self, path: Path) -> None:
        self.paths = json.loads(path.read_text())["paths"]
        self.patterns = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", name)), operations)
            # A literal path before one with a placeholder.
            for name, operations in sorted(self.paths.items(), key=lambda item: item[0].count("{"))
        ]

    def errors(self, exchange: Exchange) -> list[str] | None:
        operations = next((found for pattern, found in self.patterns if pattern.fullmatch(exchange.path)), None)
        operation = (operations or {}).get(exchange.method.lower())
        if operation is None:
            return None
        inputs = [given for given in operation.get("parameters", []) if given["in"] == "query"]
        query = {
            "properties": {given["name"]: given["schema"] for given in inputs},
            "required": [given["name"] for given in inputs if given.get("required")],
            "additionalProperties": False,
        }
        body = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
        wrong = _check(nested(exchange.query), query, "query")
        return wrong + _check(nested(exchange.body.decode()), body.get("schema", {"properties": {}}), "form")


@cache
def stripe_judge(evidence: Path) -> FormJudge:
    return FormJudge(evidence / "specs/stripe/spec3.json")


def nested(text: str) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parts = [name.partition("[")[0], *_PART.findall(name)]
        place = root
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1] or str(len(place))] = value
    return root


def _check(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    if "anyOf" in schema:
        verdicts = [_check(value, option, place) for option in schema["anyOf"]]
        return [] if [] in verdicts else min(verdicts, key=len)
    kind = schema.get("type", "object" if "properties" in schema or "additionalProperties" in schema else "string")
    if kind == "object":
        return _check_object(value, schema, place)
    if kind == "array":
        if not isinstance(value, dict) or not all(name.isdecimal() for name in value):
            return [f"{place}: a list expected"]
        return [line for name in value for line in _check(value[name], schema["items"], f"{place}[{name}]")]
    return _check_word(value, schema, kind, place)


def _check_object(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is not an object"]
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    wrong = [f"{place}.{name}: required" for name in schema.get("required", []) if name not in value]
    for name, entry in value.items():
        if name in properties:
            wrong += _check(entry, properties[name], f"{place}.{name}")
        elif isinstance(others, dict):
            wrong += _check(entry, others, f"{place}.{name}")
        elif not others:
            wrong.append(f"{place}.{name}: unknown")
    return wrong


def _check_word(value: Any, schema: dict[str, Any], kind: str, place: str) -> list[str]:
    if not isinstance(value, str):
        return [f"{place}: one word expected"]
    patterns = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": r"true|false"}
    if kind in patterns and not re.fullmatch(patterns[kind], value):
        return [f"{place}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is not one of {schema['enum']}"]
    if len(value) > schema.get("maxLength", len(value)):
        return [f"{place}: longer than {schema['maxLength']}"]
    return []
