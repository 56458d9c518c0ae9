"""A Salesforce connector over the simulator, and its mappings as the engine evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.salesforce import SalesforceConnector
from sandbox.testing import RunningSandbox
from tests.connectors.evaluation import Mappings

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


mappings = Mappings(MANIFEST, SETTINGS)
map_source, map_refs, map_sink = mappings.source, mappings.refs, mappings.sink
