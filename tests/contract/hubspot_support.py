"""A HubSpot connector over the simulator, and its mappings as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.vendors.hubspot import CONNECTOR
from apps.core import expressions
from sandbox.testing import RunningSandbox

MANIFEST = CONNECTOR.manifest
TOKEN = "pat-contract-1"


def connect(server: RunningSandbox, account: str) -> Any:
    server.control("hubspot", account).credentials(api_key=TOKEN)
    return CONNECTOR(
        ConnectionContext(
            settings={"base_url": server.base_url("hubspot", account)},
            credentials={"api_key": TOKEN},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )


def map_source(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """The canonical fields, checked against the entity's published shape."""
    spec = MANIFEST.stream(stream)
    fields = expressions.compile(spec.fields).evaluate({"record": record})
    msgspec.convert(fields, ENTITIES[spec.entity])
    return fields


def map_sink(sink: str, record: dict[str, Any], refs: dict[str, Any]) -> dict[str, Any]:
    entity = ENTITIES[MANIFEST.sink(sink).entity]
    complete = {field.name: None for field in msgspec.structs.fields(entity)} | record
    context = {"record": complete, "refs": refs, "settings": {}, "connection": {}}
    return expressions.compile(MANIFEST.sink(sink).fields).evaluate(context)
