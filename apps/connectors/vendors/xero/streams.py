"""Reading Xero: newest first, page by page, filtered by the vendor on modification time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from apps.connectors.sdk.client import Call
from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord

if TYPE_CHECKING:
    from apps.connectors.vendors.xero.connector import XeroConnector

API = "/api.xro/2.0"
LARGEST_PAGE = 1000
# If-Modified-Since counts whole seconds; reading a little again also catches what became visible late.
OVERLAP = timedelta(seconds=5)
_MS_DATE = re.compile(r"^/Date\((-?\d+)")


class XeroStream:
    """Incremental read of one list.

    Sorted newest first on purpose: pages are numbered, so an object that changes while we read moves to the front and
    pushes the others back – something is read twice, nothing is skipped. What changed meanwhile is newer than `high`,
    the newest time on the first page, and is found by the next run.
    """

    path: ClassVar[str]
    id_field: ClassVar[str]
    where: ClassVar[str | None] = None
    extra_params: ClassVar[dict[str, str]] = {}
    has_page_size: ClassVar[bool] = True

    def __init__(self, connector: XeroConnector) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = checkpoint or {}
        since, number, high = state.get("since"), state.get("page", 1), state.get("high")
        while True:
            data = self._fetch(since, number, min(page_size, LARGEST_PAGE))
            records = self.parse(data)
            high = high or _newest(records) or since
            if _is_last(data, number):
                yield Page(records=records, checkpoint={"since": _with_overlap(high, since)})
                return
            number += 1
            yield Page(records=records, checkpoint={"since": since, "page": number, "high": high})

    def get(self, external_id: str) -> SourceRecord | None:
        data = self.connector.client.find(f"{API}/{self.path}/{external_id}", headers=self.connector.tenant_header())
        records = self.parse(data) if data else []
        return records[0] if records else None

    def find_where(self, where: str) -> SourceRecord | None:
        """The first object that passes the filter; checked again by the caller's own comparison where it matters."""
        params = {"where": where, "page": 1, "pageSize": 10, **self.extra_params}
        data = self.connector.client.get(f"{API}/{self.path}", params=params, headers=self.connector.tenant_header())
        records = self.parse(data)
        return records[0] if records else None

    def parse(self, data: JsonDict) -> list[SourceRecord]:
        """The records of an answer, list or single."""
        try:
            return [self.record(item) for item in data[self.path] if self.belongs(item)]
        except (KeyError, TypeError) as error:
            raise FatalError(f"Xero's answer has no readable {self.path}: {error}", code="format") from error

    def record(self, item: JsonDict) -> SourceRecord:
        external_id = item[self.id_field]
        return SourceRecord(
            external_id=external_id,
            data=self.plain(item),
            modified_at=parse_ms_date(item.get("UpdatedDateUTC")),
            url=self.link(external_id) if self.connector.is_vendor_host else "",
            deleted=item.get("Status") == "DELETED",
        )

    def belongs(self, item: JsonDict) -> bool:
        """Checked here too, since a filter the vendor drops silently would let foreign documents in."""
        return True

    def plain(self, item: JsonDict) -> JsonDict:
        """Without empty texts: lists leave out what single reads show as ''."""
        return {key: value for key, value in item.items() if value != ""}

    def link(self, external_id: str) -> str:
        return ""

    def _fetch(self, since: str | None, number: int, size: int) -> JsonDict:
        headers = self.connector.tenant_header()
        if since:
            headers["if-modified-since"] = since
        params = {"order": "UpdatedDateUTC DESC", "page": number, **self.extra_params}
        if self.has_page_size:
            params["pageSize"] = size
        if self.where:
            params["where"] = self.where
        call = Call(method="GET", path=f"{API}/{self.path}", params=params, headers=headers)
        data = self.connector.client.send(call).data
        if not isinstance(data, dict):
            raise FatalError("Xero answered without an object.", code="format")
        return data


class ContactStream(XeroStream):
    path = "Contacts"
    id_field = "ContactID"
    extra_params: ClassVar[dict[str, str]] = {"includeArchived": "true"}

    def plain(self, item: JsonDict) -> JsonDict:
        phone = default_phone(item.get("Phones") or [])
        return {**super().plain(item), **({"Phone": phone} if phone else {})}

    def link(self, external_id: str) -> str:
        return f"https://go.xero.com/Contacts/View/{external_id}"


class InvoiceStream(XeroStream):
    path = "Invoices"
    id_field = "InvoiceID"
    where = 'Type=="ACCREC"'

    def belongs(self, item: JsonDict) -> bool:
        return bool(item["Type"] == "ACCREC")

    def link(self, external_id: str) -> str:
        return f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={external_id}"


class PaymentStream(XeroStream):
    path = "Payments"
    id_field = "PaymentID"
    where = 'PaymentType=="ACCRECPAYMENT"'

    def belongs(self, item: JsonDict) -> bool:
        return bool(item["PaymentType"] == "ACCRECPAYMENT")


class QuoteStream(XeroStream):
    """The one list that knows neither page sizes nor a count of pages: it ends at the first empty page."""

    path = "Quotes"
    id_field = "QuoteID"
    has_page_size = False

    def link(self, external_id: str) -> str:
        return f"https://go.xero.com/app/quotes/view/{external_id}"


def default_phone(phones: list[JsonDict]) -> str:
    """Country, area and number of the main phone, joined by single spaces."""
    main = next((phone for phone in phones if phone.get("PhoneType") == "DEFAULT"), {})
    parts = (main.get(part) or "" for part in ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"))
    return " ".join(part for part in parts if part)


def parse_ms_date(value: object) -> datetime | None:
    match = _MS_DATE.match(value) if isinstance(value, str) else None
    return datetime.fromtimestamp(int(match[1]) / 1000, tz=UTC) if match else None


def _newest(records: list[SourceRecord]) -> str | None:
    moments = [record.modified_at for record in records if record.modified_at]
    return _iso(max(moments)) if moments else None


def _is_last(data: JsonDict, number: int) -> bool:
    """By the vendor's count of pages; an answer without one ends at the first empty page."""
    pagination = data.get("pagination")
    if isinstance(pagination, dict) and "pageCount" in pagination:
        return number >= int(pagination["pageCount"])
    return not any(isinstance(value, list) and value for value in data.values())


def _with_overlap(high: str | None, since: str | None) -> str | None:
    """Where the next run starts: never before this one did, so that a quiet list does not drift backwards."""
    if high is None:
        return since
    start = _iso(datetime.fromisoformat(high) - OVERLAP)
    return max(start, since) if since else start


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
