"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.vendors.chargebee import ChargebeeConnector
from apps.connectors.vendors.chargebee.manifest import MANIFEST
from apps.core import expressions
from sandbox.testing import AccountControl, RunningSandbox

KEY = "test_0123456789"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PRICES = {"item_price": "consulting-EUR-Monthly", "usage_item_price": "metered-hours"}


def connect(server: RunningSandbox, account: str, *, key: str = KEY, **settings: Any) -> ChargebeeConnector:
    server.control("chargebee", account).credentials(api_key=KEY)
    return ChargebeeConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("chargebee", account), **PRICES, **settings},
            credentials={"api_key": key},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )


def map_source(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """The canonical fields, checked against the entity's published shape."""
    spec = MANIFEST.stream(stream)
    fields = expressions.compile(spec.fields).evaluate({"record": record})
    msgspec.convert({name: value for name, value in fields.items() if value is not None}, ENTITIES[spec.entity])
    return fields


def map_refs(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    refs = MANIFEST.stream(stream).refs
    return {
        name: expressions.compile_one(ref["id"]).evaluate({"record": record})["value"] for name, ref in refs.items()
    }


def map_sink(sink: str, record: dict[str, Any], refs: dict[str, Any]) -> dict[str, Any]:
    entity = ENTITIES[MANIFEST.sink(sink).entity]
    complete = {field.name: None for field in msgspec.structs.fields(entity)} | record
    context = {"record": complete, "refs": refs, "settings": {}, "connection": PRICES}
    return expressions.compile(MANIFEST.sink(sink).fields).evaluate(context)


def euros(cents: int) -> dict[str, Any]:
    return {"amount": cents, "currency": "EUR"}


def line(amount: int, text: str = "Work") -> dict[str, Any]:
    return {"description": text, "quantity": "1", "unit_price": euros(amount), "amount": euros(amount)}


def add_customer(control: AccountControl, name: str = "Initech", **fields: Any) -> str:
    return str(control.create("customers", {"company": name, **fields})["id"])


def add_invoice(control: AccountControl, customer: str, *amounts: int, **fields: Any) -> str:
    charges = [{"amount": amount, "description": "Work"} for amount in amounts or (10_000,)]
    return str(control.create("invoices", {"customer_id": customer, "charges": charges, **fields})["id"])


def add_subscription(control: AccountControl, customer: str, item_price: str = "consulting", **fields: Any) -> str:
    items = [{"item_price_id": item_price, "quantity": 2, "unit_price": 5000}]
    return str(control.create("subscriptions", {"customer_id": customer, "subscription_items": items, **fields})["id"])


def read_all(stream: Any, checkpoint: Any = None, *, page_size: int = 100) -> tuple[list[Any], Any]:
    records = []
    for page in stream.read(checkpoint=checkpoint, page_size=page_size):
        records += page.records
        checkpoint = page.checkpoint
    return records, checkpoint
