"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.chargebee import ChargebeeConnector
from apps.connectors.vendors.chargebee.manifest import MANIFEST
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.evaluation import Mappings

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


mappings = Mappings(MANIFEST, PRICES)
map_source, map_refs, map_sink = mappings.source, mappings.refs, mappings.sink


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
