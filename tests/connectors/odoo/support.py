"""A connector over the simulator, and its mappings as the engine evaluates them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES, validate_entity
from apps.connectors.sdk.types import SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.odoo.connector import OdooConnector
from apps.connectors.vendors.odoo.manifest import MANIFEST
from apps.core import expressions
from sandbox.testing import AccountControl, RunningSandbox

KEY = "odoo-key-1234567890"
LOGIN = "integration@example.com"
_accounts = itertools.count(1)


class Firm:
    """An account with an Odoo of one version."""

    def __init__(self, sandbox: RunningSandbox, version: int) -> None:
        account = f"firm{next(_accounts)}"
        self.version = version
        self.base_url = sandbox.base_url("odoo", account)
        self.control: AccountControl = sandbox.control("odoo", account)
        self.control.credentials(api_key=KEY)
        self.control.settings(version=version, database="northwind")

    def connect(self, *, key: str = KEY, **settings: Any) -> OdooConnector:
        rpc = {"database": "northwind", "login": LOGIN} if self.version == 17 else {}
        context = ConnectionContext(
            settings={"base_url": self.base_url, "product": "CONSULT", **rpc, **settings},
            credentials={"api_key": key},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
        return OdooConnector(context)

    def make(self, kind: str, **data: Any) -> str:
        return str(self.control.create(kind, data)["id"])

    def calls(self, method: str) -> int:
        """How often a model's method was called since the log was cleared."""
        return len([r for r in self.control.requests() if method in (r["path"].rsplit("/", 1)[-1], rpc_method(r))])


def rpc_method(request: dict[str, Any]) -> str:
    args = ((request["body"] or {}).get("params") or {}).get("args") or []
    return str(args[4]) if len(args) > 4 else ""


def mapped(stream: str, record: SourceRecord | None) -> dict[str, Any]:
    """Canonical fields without the empty ones, checked against the entity; references under `refs`."""
    assert record is not None
    spec = MANIFEST.stream(stream)
    context = {"record": record.data, "connection": {}, "settings": {}}
    fields = expressions.compile(spec.fields).evaluate(context)
    given = {name: value for name, value in fields.items() if value is not None}
    validate_entity(spec.entity, given)
    refs = {name: expressions.compile_one(ref["id"]).evaluate(context)["value"] for name, ref in spec.refs.items()}
    return {**given, "refs": {name: value for name, value in refs.items() if value}}


def payload(sink: str, record: dict[str, Any], **refs: str | None) -> dict[str, Any]:
    """What the engine hands to a sink."""
    spec = MANIFEST.sink(sink)
    names = [field.name for field in msgspec.structs.fields(ENTITIES[spec.entity])]
    complete = {**dict.fromkeys(names), "lines": [], **record}
    context = {"record": complete, "refs": {**dict.fromkeys(spec.refs), **refs}, "settings": {}, "connection": {}}
    return expressions.compile(spec.fields).evaluate(context)


def write(
    connector: OdooConnector, sink: str, key: str, record: dict[str, Any], *, external_id: str | None = None,
    **refs: str | None,
) -> WriteResult:  # fmt: skip
    request = WriteRequest(key=key, payload=payload(sink, record, **refs), external_id=external_id)
    return connector.sink(sink).write([request])[0]


def made(result: WriteResult) -> SourceRecord:
    assert result.error is None, result.error
    assert result.record is not None
    return result.record


def read_all(connector: OdooConnector, stream: str, checkpoint: Any = None, size: int = 100) -> Any:
    pages = list(connector.stream(stream).read(checkpoint=checkpoint, page_size=size))
    return {record.external_id: record for page in pages for record in page.records}, pages[-1].checkpoint


def euros(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "EUR"}
