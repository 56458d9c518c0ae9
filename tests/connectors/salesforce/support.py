"""A Salesforce connector over the simulator, and its mappings as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES, validate_entity
from apps.connectors.vendors.salesforce import SalesforceConnector
from apps.core import expressions
from sandbox.testing import RunningSandbox

TOKEN = "00D-token-1234567890"
SETTINGS = {
    "currency": "EUR", "open_stage": "Prospecting", "won_stage": "Closed Won", "lost_stage": "Closed Lost",
}  # fmt: skip
MANIFEST = SalesforceConnector.manifest


def connect(server: RunningSandbox, account: str, **settings: Any) -> SalesforceConnector:
    server.control("salesforce", account).credentials(access_token=TOKEN)
    return SalesforceConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("salesforce", account), **SETTINGS, **settings},
            credentials={"access_token": TOKEN},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )


def map_source(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """The canonical fields, checked against the entity's published shape."""
    spec = MANIFEST.stream(stream)
    fields = expressions.compile(spec.fields).evaluate({"record": record, "connection": SETTINGS})
    validate_entity(spec.entity, {name: value for name, value in fields.items() if value is not None})
    return fields


def map_refs(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    refs = MANIFEST.stream(stream).refs
    return {
        name: expressions.compile_one(ref["id"]).evaluate({"record": record})["value"] for name, ref in refs.items()
    }


def map_sink(sink: str, record: dict[str, Any], refs: dict[str, Any]) -> dict[str, Any]:
    entity = ENTITIES[MANIFEST.sink(sink).entity]
    complete = {field.name: None for field in msgspec.structs.fields(entity)} | record
    context = {"record": complete, "refs": refs, "settings": {}, "connection": SETTINGS}
    return expressions.compile(MANIFEST.sink(sink).fields).evaluate(context)
