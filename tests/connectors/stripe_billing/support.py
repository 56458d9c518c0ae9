"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.stripe_billing import StripeConnector
from apps.connectors.vendors.stripe_billing.manifest import MANIFEST
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.evaluation import Mappings

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


mappings = Mappings(MANIFEST, {"product": "prod_1"})
map_source, map_refs, map_sink = mappings.source, mappings.refs, mappings.sink


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
