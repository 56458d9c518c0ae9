"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.quickbooks import QuickBooksConnector
from apps.connectors.vendors.quickbooks.manifest import MANIFEST
from sandbox.quickbooks.company import realm_of
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.evaluation import Mappings

TOKEN = "qb-token-1"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def connect(server: RunningSandbox, account: str, *, token: str = TOKEN, **settings: Any) -> QuickBooksConnector:
    server.control("quickbooks", account).credentials(access_token=TOKEN, client_id="app-1", client_secret="secret-1")
    return QuickBooksConnector(
        ConnectionContext(
            settings={
                "base_url": server.base_url("quickbooks", account),
                "realm_id": realm_of(account),
                "sales_item": "1",
                **settings,
            },
            credentials={"access_token": token},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )


mappings = Mappings(MANIFEST)
map_source, map_refs, map_sink = mappings.source, mappings.refs, mappings.sink


def add_customer(control: AccountControl, name: str = "Initech", **fields: Any) -> str:
    return str(control.create("customers", {"DisplayName": name, **fields})["Id"])


def sold(amount: float, *, quantity: float = 1, **more: Any) -> dict[str, Any]:
    detail = {"ItemRef": {"value": "1"}, "Qty": quantity, "UnitPrice": amount / quantity, **more}
    return {"DetailType": "SalesItemLineDetail", "Amount": amount, "SalesItemLineDetail": detail}


def add_invoice(control: AccountControl, customer_id: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = control.create(
        "invoices",
        {"CustomerRef": {"value": customer_id}, "TxnDate": "2026-11-20", "Line": [sold(585, quantity=4)], **fields},
    )
    return made


def pay(control: AccountControl, customer_id: str, *shares: tuple[str, float], **fields: Any) -> dict[str, Any]:
    lines = [{"Amount": amount, "LinkedTxn": [{"TxnId": found, "TxnType": "Invoice"}]} for found, amount in shares]
    total = sum(amount for _, amount in shares)
    made: dict[str, Any] = control.create(
        "payments", {"CustomerRef": {"value": customer_id}, "TotalAmt": total, "Line": lines, **fields}
    )
    return made
