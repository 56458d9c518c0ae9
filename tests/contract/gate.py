"""Judges a request by the vendor's published OpenAPI description. Strict on what we send; answers are not judged here,
since recordings of real accounts contradict the descriptions of their answers and then the recordings win."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.testing import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

from tests.contract.recorder import Exchange


class Gate:
    """One description, mounted where its first server says."""

    def __init__(self, path: Path) -> None:
        description = _load(path)
        _forget_security(description)
        _forget_neighbors_of_references(description)
        self.server = description["servers"][0]["url"]
        # No check of the description itself: Xero's own file is not a valid one.
        self.api = OpenAPI.from_dict(description, config=Config(spec_validator_cls=None))

    def errors(self, exchange: Exchange, path: str) -> list[str] | None:
        """What is wrong with the request; None when the description does not know the path."""
        request = MockRequest(
            self.server.partition("://")[0] + "://" + self.server.split("/")[2],
            exchange.method.lower(),
            path,
            args=ImmutableMultiDict(parse_qsl(exchange.query, keep_blank_values=True)),
            headers=exchange.headers,
            data=exchange.body,
            content_type=exchange.headers.get("content-type", "application/json"),
        )
        found = list(self.api.iter_request_errors(request))
        if any(isinstance(error, PathError) for error in found):
            return None
        return [line for error in found for line in _lines(error)]


class Gates:
    """The descriptions of one vendor; the first that knows a path judges it."""

    def __init__(self, gates: list[Gate], *, prefix: str = "", aliases: dict[str, str] | None = None) -> None:
        self.gates = gates
        self.prefix = prefix
        self.aliases = aliases or {}

    def errors(self, exchange: Exchange) -> list[str] | None:
        path = exchange.path
        for ours, theirs in self.aliases.items():
            path = path.replace(ours, theirs)
        verdicts = (gate.errors(exchange, self.prefix + path) for gate in self.gates)
        return next((verdict for verdict in verdicts if verdict is not None), None)


@cache
def xero_gates(evidence: Path) -> Gates:
    specs = evidence / "specs/xero"
    return Gates([Gate(specs / "xero_accounting.yaml"), Gate(specs / "xero-projects.yaml")])


@cache
def hubspot_gates(evidence: Path) -> Gates:
    """Every object type described in the folder; the description of all objects alike judges what no other knows.

    Deals are described under their type id only.
    """
    found = sorted((evidence / "specs/hubspot").glob("*.json"), key=lambda path: (path.stem == "objects", path.stem))
    gates = [Gate(path) for path in found]
    return Gates(gates, aliases={"/crm/v3/objects/deals": "/crm/v3/objects/0-3"})


@cache
def jira_gates(evidence: Path, name: str) -> Gates:
    return Gates([Gate(evidence / "specs/jira" / name)])


def _load(path: Path) -> dict[str, Any]:
    text = path.read_text()
    if path.suffix == ".json":
        loaded: dict[str, Any] = json.loads(text)
        return loaded
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Through JSON, since YAML reads unquoted examples as dates, which no schema expects.
    plain: dict[str, Any] = json.loads(json.dumps(yaml.load(text, loader), default=str))
    return plain


def _forget_security(description: dict[str, Any]) -> None:
    description.pop("security", None)
    for path in description["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)


def _forget_neighbors_of_references(part: Any) -> None:
    """OpenAPI 3.0: whatever stands beside a `$ref` is ignored. Xero's file says `type: number` beside an object."""
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        for name in [name for name in part if name != "$ref"]:
            del part[name]
        return
    for child in children:
        _forget_neighbors_of_references(child)


def _lines(error: Exception) -> list[str]:
    cause = error.__cause__ or error
    schema_errors = getattr(cause, "schema_errors", None)
    if not schema_errors:
        return [f"{type(error).__name__}: {str(cause)[:200]}"]
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in schema_errors]
