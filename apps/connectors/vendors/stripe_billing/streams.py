"""Reading Stripe: whole lists the first time, then the objects that events of the last thirty days name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.stripe_billing import documents

if TYPE_CHECKING:
    from apps.connectors.vendors.stripe_billing.connector import StripeConnector

LARGEST_PAGE = 100
# Events are kept for 30 days; a day of margin, then the whole list is read again.
LONGEST_ABSENCE = timedelta(days=29)
OVERLAP_SECONDS = 10


class StripeStream:
    """Lists can only be filtered by creation, so changes are found through events.

    An event holds the object as it was, in whatever API version the account had: it only says what to look at, and the
    object is read as it is now. An event of an object that is gone means it was deleted.
    """

    path: ClassVar[str]
    event_types: ClassVar[JsonDict]
    list_params: ClassVar[JsonDict] = {}
    expand: ClassVar[tuple[str, ...]] = ()

    def __init__(self, connector: StripeConnector) -> None:
        self.connector = connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = checkpoint or {}
        size = min(page_size, LARGEST_PAGE)
        if "since" in state and not self._is_too_old(state["since"]):
            yield from self._changed(state, size)
        else:
            yield from self._listed({} if "since" in state else state, size)

    def get(self, external_id: str) -> SourceRecord | None:
        item = self.connector.find(f"{self.path}/{external_id}", {"expand": list(self.expand)})
        return self.record(item) if item is not None and not item.get("deleted") and self.belongs(item) else None

    def record(self, item: JsonDict) -> SourceRecord:
        external_id = item["id"]
        test = "" if item.get("livemode") else "test/"
        return SourceRecord(
            external_id=external_id,
            data=self.plain(item),
            url=f"https://dashboard.stripe.com/{test}{self.path.removeprefix('/v1/')}/{external_id}"
            if self.connector.is_vendor_host
            else "",
            deleted=self.is_undone(item),
        )

    def belongs(self, item: JsonDict) -> bool:
        return True

    def is_undone(self, item: JsonDict) -> bool:
        return False

    def plain(self, item: JsonDict) -> JsonDict:
        return item

    def _listed(self, state: JsonDict, size: int) -> Iterator[Page]:
        """Newest first, by position of an object: what is created meanwhile is in front and found through its event."""
        start, after = state.get("start"), state.get("after")
        start = self._newest_event() if start is None else start
        while True:
            expand = [f"data.{name}" for name in self.expand]
            params = {**self.list_params, "limit": size, "starting_after": after, "expand": expand}
            try:
                data = self.connector.get(self.path, params)
            except RecordRejected as error:
                if after is None or error.code != "resource_missing":
                    raise
                # The object that marked our place was deleted: everything before it is read once more.
                after = None
                continue
            records = self._records(_items(data))
            if not data.get("has_more") or not data["data"]:
                yield Page(records=records, checkpoint={"since": start})
                return
            after = data["data"][-1]["id"]
            yield Page(records=records, checkpoint={"start": start, "after": after})

    def _changed(self, state: JsonDict, size: int) -> Iterator[Page]:
        since, after, high = state["since"], state.get("event"), state.get("high")
        seen: set[str] = set()
        while True:
            window = {"created": {"gte": since}, "limit": size, "starting_after": after}
            data = self.connector.get("/v1/events", {**self.event_types, **window})
            events = _items(data)
            high = max([high or since, *(event["created"] for event in events)])
            # Newest first: the first event of an object is its last, and one look is enough.
            ids = dict.fromkeys(event["data"]["object"]["id"] for event in events)
            records = [self._now(external_id) for external_id in ids if external_id not in seen]
            seen.update(ids)
            found = [record for record in records if record is not None]
            if not data.get("has_more") or not events:
                yield Page(records=found, checkpoint={"since": max(since, high - OVERLAP_SECONDS)})
                return
            after = events[-1]["id"]
            yield Page(records=found, checkpoint={"since": since, "event": after, "high": high})

    def _now(self, external_id: str) -> SourceRecord | None:
        item = self.connector.find(f"{self.path}/{external_id}", {"expand": list(self.expand)})
        if item is None or item.get("deleted"):
            return SourceRecord(external_id=external_id, data={"id": external_id}, deleted=True)
        return self.record(item) if self.belongs(item) else None

    def _records(self, items: list[JsonDict]) -> list[SourceRecord]:
        try:
            return [self.record(item) for item in items if self.belongs(item)]
        except (KeyError, TypeError) as error:
            raise FatalError(f"Stripe's answer is not as described: {error}", code="format") from error

    def _newest_event(self) -> int:
        """Where events begin that this pass cannot have seen, by Stripe's clock."""
        events = _items(self.connector.get("/v1/events", {**self.event_types, "limit": 1}))
        earliest = int((self.connector.context.now() - LONGEST_ABSENCE).timestamp()) + 3600
        return max([earliest, *(int(event["created"]) for event in events)])

    def _is_too_old(self, since: int) -> bool:
        return datetime.fromtimestamp(since, tz=UTC) < self.connector.context.now() - LONGEST_ABSENCE


class CustomerStream(StripeStream):
    path = "/v1/customers"
    event_types: ClassVar[JsonDict] = {"types": ["customer.created", "customer.updated", "customer.deleted"]}
    expand = ("tax_ids",)

    def plain(self, item: JsonDict) -> JsonDict:
        tax_ids = _items(item.get("tax_ids") or {"data": []})
        return {**item, "tax_id": tax_ids[0].get("value") if tax_ids else None}


class InvoiceStream(StripeStream):
    path = "/v1/invoices"
    event_types: ClassVar[JsonDict] = {"type": "invoice.*"}

    def plain(self, item: JsonDict) -> JsonDict:
        return documents.invoice(item, self.lines_of(item))

    def lines_of(self, item: JsonDict) -> list[JsonDict]:
        """An invoice shows its first ten lines."""
        lines = item.get("lines") or {"data": []}
        found = _items(lines)
        while lines.get("has_more"):
            params = {"limit": LARGEST_PAGE, "starting_after": found[-1]["id"]}
            lines = self.connector.get(f"{self.path}/{item['id']}/lines", params)
            found += _items(lines)
        return found


class PaymentStream(StripeStream):
    path = "/v1/charges"
    event_types: ClassVar[JsonDict] = {"type": "charge.*"}

    def belongs(self, item: JsonDict) -> bool:
        """Attempts that failed or wait are no payments."""
        return bool(item["status"] == "succeeded" and item["paid"])

    def is_undone(self, item: JsonDict) -> bool:
        return bool(item["refunded"])

    def plain(self, item: JsonDict) -> JsonDict:
        return documents.payment(item)


class SubscriptionStream(StripeStream):
    path = "/v1/subscriptions"
    event_types: ClassVar[JsonDict] = {"type": "customer.subscription.*"}
    # Canceled ones are left out unless they are asked for.
    list_params: ClassVar[JsonDict] = {"status": "all"}

    def plain(self, item: JsonDict) -> JsonDict:
        return documents.subscription(item)


class QuoteStream(StripeStream):
    path = "/v1/quotes"
    event_types: ClassVar[JsonDict] = {"type": "quote.*"}
    expand = ("line_items",)

    def plain(self, item: JsonDict) -> JsonDict:
        return documents.quote(item, self._lines(item))

    def _lines(self, item: JsonDict) -> list[JsonDict]:
        lines = item.get("line_items") or {"data": []}
        found = _items(lines)
        while lines.get("has_more"):
            params = {"limit": LARGEST_PAGE, "starting_after": found[-1]["id"]}
            lines = self.connector.get(f"{self.path}/{item['id']}/line_items", params)
            found += _items(lines)
        return found


def _items(data: JsonDict) -> list[Any]:
    found = data.get("data")
    if not isinstance(found, list):
        raise FatalError("Stripe's list has no data.", code="format")
    return list(found)
