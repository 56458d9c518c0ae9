"""One authorized company of Business Central."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.business_central.api import BusinessCentralApi
from apps.connectors.vendors.business_central.documents import InvoiceSink, QuoteSink
from apps.connectors.vendors.business_central.manifest import MANIFEST
from apps.connectors.vendors.business_central.sinks import BusinessCentralSink, PaymentSink, PersonSink
from apps.connectors.vendors.business_central.streams import (
    ENTITY_SETS,
    BusinessCentralStream,
    PaymentStream,
    ProjectStream,
)

STREAMS: dict[str, type[BusinessCentralStream]] = {
    **dict.fromkeys(ENTITY_SETS, BusinessCentralStream),
    "projects": ProjectStream,
    "payments": PaymentStream,
}
SINKS: dict[str, type[BusinessCentralSink]] = {
    **dict.fromkeys(STREAMS, BusinessCentralSink),
    "contacts": PersonSink,
    "invoices": InvoiceSink,
    "quotes": QuoteSink,
    "payments": PaymentSink,
}


class BusinessCentralConnector(Connector):
    manifest = MANIFEST
    stream_types = {name: partial(kind, name=name) for name, kind in STREAMS.items()}
    sink_types = {name: partial(kind, name=name, stream=STREAMS[name]) for name, kind in SINKS.items()}

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.settings = context.settings
        self.api = BusinessCentralApi(context)

    def close(self) -> None:
        self.api.close()

    def check(self) -> CheckResult:
        company = self.api.company
        environment = self.settings.get("environment") or ""
        return CheckResult(
            account_id=f"{environment}/{company['id']}", account_name=company["displayName"] or company["name"]
        )

    @cached_property
    def currency(self) -> str:
        """The books' own currency, which documents and payments leave unsaid."""
        rows, _ = self.api.page("companyInformation", {}, link="", size=1)
        if not rows or not rows[0].get("currencyCode"):
            raise ConfigurationError("Business Central does not tell the company's currency", code="currency")
        return str(rows[0]["currencyCode"])

    @cached_property
    def payment_journal(self) -> str:
        """Id of the journal that payments are lines of: the named one, or the first."""
        wanted = str(self.settings.get("payment_journal") or "")
        rows, _ = self.api.page("customerPaymentJournals", {}, link="", size=100)
        found = [row for row in rows if wanted in ("", row["code"])]
        if not found:
            raise ConfigurationError(f"there is no customer payment journal {wanted}", code="payment_journal")
        return str(found[0]["id"])

    @property
    def revenue_account(self) -> str:
        found: Any = self.settings.get("revenue_account")
        if not found:
            raise RecordRejected("name the revenue account in the connection's settings", code="revenue_account")
        return str(found)
