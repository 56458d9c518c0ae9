"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import ENTITIES
from apps.connectors.vendors.stripe_billing import StripeConnector
from apps.connectors.vendors.stripe_billing.manifest import MANIFEST
from apps.core import expressions
from sandbox.testing import AccountControl, RunningSandbox

KEY = "sk_test_0123456789"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def connect(server: RunningSandbox, account: str, *, key: str = KEY, **settings: Any) -> StripeConnector:
    server.control("stripe_billing", account).credentials(api_key=KEY)
    return StripeConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("stripe_billing", account), "product": "prod_1", **settings},
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
    context = {"record": complete, "refs": refs, "settings": {}, "connection": {"product": "prod_1"}}
    return expressions.compile(MANIFEST.sink(sink).fields).evaluate(context)


def euros(cents: int) -> dict[str, Any]:
    return {"amount": cents, "currency": "EUR"}


def line(amount: int, *, quantity: str = "1", price: int | None = None, text: str = "Work") -> dict[str, Any]:
    unit = euros(amount if price is None else price)
    return {"description": text, "quantity": quantity, "unit_price": unit, "amount": euros(amount)}


def add_customer(control: AccountControl, name: str = "Initech", **fields: Any) -> str:
    return str(control.create("customers", {"name": name, **fields})["id"])


def add_subscription(control: AccountControl, customer: str, amount: int | None = 5000, **fields: Any) -> str:
    price: dict[str, Any] = {"currency": "eur", "product": "prod_1", "recurring": {"interval": "month"}}
    if amount is not None:
        price["unit_amount"] = amount
    made = control.create(
        "subscriptions", {"customer": customer, "items": [{"price_data": price, "quantity": 2}], **fields}
    )
    return str(made["id"])


def read_all(stream: Any, checkpoint: Any = None, *, page_size: int = 100) -> tuple[list[Any], Any]:
    records = []
    for page in stream.read(checkpoint=checkpoint, page_size=page_size):
        records += page.records
        checkpoint = page.checkpoint
    return records, checkpoint
