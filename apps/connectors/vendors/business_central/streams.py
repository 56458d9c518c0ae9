"""Reading Business Central: changed since, page by page along the links the server gives."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from apps.connectors.sdk.passes import Batch, PassStream
from apps.connectors.sdk.passes import moment as parsed
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.connectors.vendors.business_central.api import moment, quoted

if TYPE_CHECKING:
    from apps.connectors.vendors.business_central.connector import BusinessCentralConnector

GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


class EntitySet(msgspec.Struct, frozen=True, kw_only=True):
    """`stamp` is the property with the time of the last change; "" where the entity has none and is read whole.

    `mark` is the property that a neutral reference is left in, `mark_length` what fits.
    """

    path: str
    stamp: str = "lastModifiedDateTime"
    condition: str = ""
    expand: str = ""
    mark: str = ""
    mark_length: int = 20


ENTITY_SETS: dict[str, EntitySet] = {
    "customers": EntitySet(path="customers", mark="number"),
    "contacts": EntitySet(path="contacts", condition="type eq 'Person'", expand="contactsInformation", mark="number"),
    # The reference lists no time of change for projects.
    "projects": EntitySet(path="projects", stamp="", mark="number"),
    "employees": EntitySet(path="employees", mark="number"),
    # Spelled so in the API itself.
    "time_entries": EntitySet(
        path="timeRegistrationEntries",
        stamp="lastModfiedDateTime",  # spell-checker:disable-line
    ),
    # 35 characters hold the mark and what is to become of the invoice.
    "invoices": EntitySet(
        path="salesInvoices", expand="salesInvoiceLines", mark="externalDocumentNumber", mark_length=20
    ),
    "quotes": EntitySet(path="salesQuotes", expand="salesQuoteLines", mark="externalDocumentNumber", mark_length=32),
}


class BusinessCentralStream(PassStream):
    """The link of the next page holds the key it goes on after, so what changes meanwhile shifts nothing; it is found by
    the next pass, which starts where this one began at the latest.
    """

    max_page: ClassVar[int] = 1000
    overlap: ClassVar[timedelta] = timedelta(minutes=5)

    def __init__(self, connector: BusinessCentralConnector, *, name: str) -> None:
        super().__init__(connector)
        self.api = connector.api
        self.name = name
        self.entity = ENTITY_SETS[name]

    @property
    def path(self) -> str:
        return self.entity.path

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        conditions = [self.entity.condition] if self.entity.condition else []
        if since is not None and self.entity.stamp:
            conditions.append(f"{self.entity.stamp} ge {moment(since)}")
        params = {**self._params(), **({"$filter": " and ".join(conditions)} if conditions else {})}
        rows, link = self.api.page(self.path, params, link=place.get("link", ""), size=size)
        return Batch(records=[self.record(row) for row in rows], place={"link": link} if link else None)

    def get(self, external_id: str) -> SourceRecord | None:
        if not GUID.match(external_id):
            return None
        row = self.api.one(f"{self.path}({external_id})", self._params())
        return self.record(row) if row else None

    def marked(self, value: str) -> SourceRecord | None:
        """The record whose mark is exactly this."""
        row = self.api.first(self.path, f"{self.entity.mark} eq {quoted(value)}")
        return self.get(row["id"]) if row else None

    def marked_from(self, start: str) -> list[SourceRecord]:
        """The records whose mark begins so."""
        condition = f"startswith({self.entity.mark}, {quoted(start)})"
        rows, _ = self.api.page(self.path, {**self._params(), "$filter": condition}, link="", size=self.max_page)
        return [self.record(row) for row in rows]

    def record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(
            external_id=row["id"],
            data={**row, "currency": row.get("currencyCode") or self.connector.currency},
            modified_at=parsed(row.get(self.entity.stamp)) if self.entity.stamp else None,
        )

    def _params(self) -> dict[str, Any]:
        return {"$expand": self.entity.expand} if self.entity.expand else {}


class ProjectStream(BusinessCentralStream):
    incremental: ClassVar[bool] = False


class PaymentStream(BusinessCentralStream):
    """Payments as lines of the payment journal, until a bookkeeper posts it; the invoice's balance tells the rest."""

    def __init__(self, connector: BusinessCentralConnector, *, name: str) -> None:
        self.entity = EntitySet(path="customerPayments", mark="comment", mark_length=64)
        PassStream.__init__(self, connector)
        self.api = connector.api
        self.name = name

    @property
    def path(self) -> str:
        return f"customerPaymentJournals({self.connector.payment_journal})/customerPayments"
