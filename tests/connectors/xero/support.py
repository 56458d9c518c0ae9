"""A connector over the simulator, and the mappings of its manifest as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.xero import XeroConnector
from apps.connectors.vendors.xero.manifest import MANIFEST
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.evaluation import Mappings

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


mappings = Mappings(MANIFEST)
map_source, map_refs, map_sink = mappings.source, mappings.refs, mappings.sink


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
