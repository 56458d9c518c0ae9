"""One authorized NetSuite account."""

from __future__ import annotations

import time
from functools import cached_property, partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.netsuite.api import NetSuiteApi
from apps.connectors.vendors.netsuite.manifest import MANIFEST
from apps.connectors.vendors.netsuite.sinks import (
    CompanySink,
    EstimateSink,
    ExpenseSink,
    InvoiceSink,
    JobSink,
    NetSuiteSink,
    PaymentSink,
)
from apps.connectors.vendors.netsuite.streams import NetSuiteStream
from apps.connectors.vendors.netsuite.tables import TABLES

SINKS: dict[str, type[NetSuiteSink]] = {
    **dict.fromkeys(TABLES, NetSuiteSink),
    "customers": CompanySink,
    "time_bills": JobSink,
    "invoices": InvoiceSink,
    "quotes": EstimateSink,
    "payments": PaymentSink,
    "expenses": ExpenseSink,
}


class NetSuiteConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(NetSuiteStream, name=name) for name in TABLES}
    sink_types = {name: partial(kind, name=name) for name, kind in SINKS.items()}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.wait = time.sleep
        self.api = NetSuiteApi(context, wait=lambda seconds: self.wait(seconds))

    def close(self) -> None:
        self.api.close()

    def check(self) -> CheckResult:
        """Reads a customer's number: the token works, and its role may query."""
        self.api.query("SELECT t.id AS id FROM customer t ORDER BY t.id", limit=1)
        return CheckResult(account_id=self.api.account, account_name=f"NetSuite {self.api.account}")

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the clock stands that NetSuite's stamps are read from."""
        name = str(self.context.settings.get("time_zone") or "America/Los_Angeles")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigurationError(f"there is no time zone {name}", code="time_zone") from None

    @cached_property
    def _currencies(self) -> dict[str, str]:
        return {
            row["symbol"]: row["id"]
            for row in self.api.query_all("SELECT c.id AS id, c.symbol AS symbol FROM currency c")
        }

    def currency_id(self, code: str) -> str:
        if code not in self._currencies:
            raise RecordRejected(f"NetSuite has no currency {code}", code="currency")
        return self._currencies[code]
