"""Reading QuickBooks: the first time by query, then by change data capture, which also shows what was deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from apps.connectors.sdk.errors import ConnectorError, FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.quickbooks.documents import invoice_fields, linked_invoice, sales_lines

if TYPE_CHECKING:
    from apps.connectors.vendors.quickbooks.connector import QuickBooksConnector

LARGEST_PAGE = 1000
# An answer of change data capture holds no more, and does not say that it was cut.
CAPTURE_CAP = 1000
# Capture looks back 30 days; a day of margin, then everything is read by query again.
LONGEST_ABSENCE = timedelta(days=29)
OVERLAP = timedelta(seconds=5)
NOT_FOUND = "610"


class QuickBooksStream:
    """Incremental read of one entity.

    A query pass is sorted by modification time and moves on by that time, so an object that changes while we read moves
    to the end and is read again there. Objects of the same second are told apart by position: each such page begins with
    the last object of the one before (`anchor`), and when it does not, the second is read again from its first object.
    What changed or was deleted meanwhile is newer than `pass`, the vendor's time at the beginning, where capture starts.
    """

    entity: ClassVar[str]
    page_address: ClassVar[str]
    is_name_list: ClassVar[bool] = False

    def __init__(self, connector: QuickBooksConnector) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = checkpoint or {}
        since = state.get("since")
        if since and not self._is_too_old(since):
            state = {}
            for page in self._captured(since):
                yield page
                state = page.checkpoint
            if "since" in state:
                return
        elif since:
            state = {}
        # One object of overlap needs room for a second one.
        yield from self._pass(state, max(2, min(page_size, LARGEST_PAGE)))

    def get(self, external_id: str) -> SourceRecord | None:
        try:
            data = self.connector.get(f"{self.entity.lower()}/{external_id}")
        except ConnectorError as error:
            if error.code == NOT_FOUND or error.status == 404:
                return None
            raise
        item = data.get(self.entity)
        return self.record(item) if isinstance(item, dict) and self.belongs(item) else None

    def find_all(self, external_ids: list[str]) -> dict[str, JsonDict]:
        """The vendor's own objects by id, whatever their state; deleted ones are missing."""
        listed = ", ".join(f"'{quoted(external_id)}'" for external_id in external_ids)
        items = self._items(self.connector.query(self._select(f"Id IN ({listed})", 1, LARGEST_PAGE)))
        return {item["Id"]: item for item in items}

    def record(self, item: JsonDict) -> SourceRecord:
        external_id = item["Id"]
        is_deleted = item.get("status") == "Deleted"
        return SourceRecord(
            external_id=external_id,
            data=dict(item) if is_deleted else self.plain(item),
            modified_at=_moment(item),
            url=self.page_address.format(external_id) if self.connector.is_vendor_host else "",
            deleted=is_deleted,
        )

    def belongs(self, item: JsonDict) -> bool:
        return True

    def plain(self, item: JsonDict) -> JsonDict:
        return dict(item)

    def customer_of(self, item: JsonDict) -> str | None:
        """The customer behind a document, also when it is made out to a job or project of theirs."""
        named = (item.get("CustomerRef") or {}).get("value")
        return self.connector.top_customers.get(named, named) if named else None

    def _records(self, items: list[JsonDict]) -> list[SourceRecord]:
        try:
            return [self.record(item) for item in items if self.belongs(item)]
        except (KeyError, TypeError, ArithmeticError) as error:
            raise FatalError(f"QuickBooks' answer has no readable {self.entity}: {error}", code="format") from error

    def _captured(self, since: str) -> Iterator[Page]:
        """One page of changes. Where the answer is full, more may have changed than it says: a query pass follows."""
        data = self.connector.get("cdc", entities=self.entity, changedSince=since)
        items = self._items({"QueryResponse": answer} for answer in _capture_answers(data))
        start = _earlier(data)
        is_cut = len(items) >= CAPTURE_CAP
        yield Page(
            records=self._records(items), checkpoint={"pass": start, "from": since} if is_cut else {"since": start}
        )

    def _pass(self, state: JsonDict, size: int) -> Iterator[Page]:
        start, since = state.get("pass"), state.get("from")
        position, anchor = state.get("position", 1), state.get("anchor")
        while True:
            where = f"MetaData.LastUpdatedTime >= '{since}'" if since else ""
            data = self.connector.query(self._select(where, position, size))
            items = self._items(data)
            start = start or _earlier(data)
            if position > 1 and (not items or items[0]["Id"] != anchor):
                position = 1
                continue
            if len(items) < size:
                yield Page(records=self._records(items), checkpoint={"since": start})
                return
            last = items[-1]["MetaData"]["LastUpdatedTime"]
            position, anchor = (position + size - 1, items[-1]["Id"]) if last == since else (1, None)
            since = last
            checkpoint = {"pass": start, "from": since, "position": position, "anchor": anchor}
            yield Page(records=self._records(items), checkpoint=checkpoint)

    def _select(self, where: str, position: int, size: int) -> str:
        conditions = [where] if where else []
        if self.is_name_list:
            # Customers who were made inactive are left out unless they are asked for.
            conditions.append("Active IN (true, false)")
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"ORDERBY MetaData.LastUpdatedTime STARTPOSITION {position} MAXRESULTS {size}"
        return f"SELECT * FROM {self.entity}{clause} {order}"  # noqa: S608 - no SQL, and nothing of it comes from outside

    def _items(self, answers: object) -> list[JsonDict]:
        given = [answers] if isinstance(answers, dict) else list(answers)  # type: ignore[call-overload]
        return [item for answer in given for item in answer["QueryResponse"].get(self.entity) or []]

    def _is_too_old(self, since: str) -> bool:
        return datetime.fromisoformat(since) < self.connector.context.now() - LONGEST_ABSENCE


class CustomerStream(QuickBooksStream):
    entity = "Customer"
    page_address = "https://app.qbo.intuit.com/app/customerdetail?nameId={}"
    is_name_list = True

    def belongs(self, item: JsonDict) -> bool:
        """Jobs and projects are kept as customers below a customer."""
        return not item.get("Job")


class InvoiceStream(QuickBooksStream):
    entity = "Invoice"
    page_address = "https://app.qbo.intuit.com/app/invoice?txnId={}"

    def plain(self, item: JsonDict) -> JsonDict:
        return {**item, **invoice_fields(item), "CustomerId": self.customer_of(item)}


class PaymentStream(QuickBooksStream):
    entity = "Payment"
    page_address = "https://app.qbo.intuit.com/app/recvpayment?txnId={}"

    def plain(self, item: JsonDict) -> JsonDict:
        return {**item, "InvoiceId": linked_invoice(item)}


class EstimateStream(QuickBooksStream):
    entity = "Estimate"
    page_address = "https://app.qbo.intuit.com/app/estimate?txnId={}"

    def plain(self, item: JsonDict) -> JsonDict:
        return {**item, "Lines": sales_lines(item), "CustomerId": self.customer_of(item)}


def quoted(value: str) -> str:
    """For use between the single quotes of a statement."""
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _capture_answers(data: JsonDict) -> list[JsonDict]:
    try:
        return [answer for part in data["CDCResponse"] for answer in part["QueryResponse"]]
    except (KeyError, TypeError) as error:
        raise FatalError("QuickBooks answered without a CDCResponse.", code="format") from error


def _earlier(data: JsonDict) -> str:
    """The vendor's clock at this answer, a little set back: what became visible late is read again."""
    try:
        moment = datetime.fromisoformat(data["time"].replace("Z", "+00:00"))
    except (KeyError, ValueError, AttributeError) as error:
        raise FatalError("QuickBooks' answer has no readable time.", code="format") from error
    return (moment.astimezone(UTC) - OVERLAP).replace(microsecond=0).isoformat()


def _moment(item: JsonDict) -> datetime | None:
    stamp = (item.get("MetaData") or {}).get("LastUpdatedTime")
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")) if stamp else None
