"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.vendors.xero import XeroConnector
from apps.connectors.vendors.xero.manifest import MANIFEST
from apps.core import expressions
from sandbox.testing import AccountControl, RunningSandbox

TOKEN = "at-1"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def connect(server: RunningSandbox, account: str, *, token: str = TOKEN, **settings: Any) -> XeroConnector:
    control = server.control("xero", account)
    control.credentials(access_token=TOKEN, client_id="app-1", client_secret="app-secret-1")
    return XeroConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("xero", account), "sales_account": "200", **settings},
            credentials={"access_token": token},
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


def map_refs(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    refs = MANIFEST.stream(stream).refs
    return {
        name: expressions.compile_one(ref["id"]).evaluate({"record": record})["value"] for name, ref in refs.items()
    }


def map_sink(sink: str, record: dict[str, Any], refs: dict[str, Any], connection: dict[str, Any]) -> dict[str, Any]:
    entity = ENTITIES[MANIFEST.sink(sink).entity]
    complete = {field.name: None for field in msgspec.structs.fields(entity)} | record
    context = {"record": complete, "refs": refs, "settings": {}, "connection": connection}
    return expressions.compile(MANIFEST.sink(sink).fields).evaluate(context)


def add_contact(control: AccountControl, name: str = "Initech", **fields: Any) -> str:
    return str(control.create("contacts", {"Name": name, **fields})["ContactID"])


def add_invoice(control: AccountControl, contact_id: str, **fields: Any) -> dict[str, Any]:
    invoice: dict[str, Any] = control.create(
        "invoices",
        {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact_id},
            "Date": "2026-11-20",
            "DueDate": "2026-12-20",
            "Status": "AUTHORISED",
            "LineItems": [{"Description": "Rollout", "Quantity": 3.25, "UnitAmount": 150, "AccountCode": "200"}],
            **fields,
        },
    )
    return invoice
