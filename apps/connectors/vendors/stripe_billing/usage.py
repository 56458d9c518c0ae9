"""Metered usage: sent as meter events, read as what the meters counted for each customer and day.

Source: Stripe's documentation of usage-based billing and its Python library (16.1); the API description in use elsewhere here
is older than meters. Stripe shows no single event, counts within minutes, takes events of the last 35 days, and refuses a
second event of one identifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord, WriteRequest, WriteResult

if TYPE_CHECKING:
    from apps.connectors.vendors.stripe_billing.connector import StripeConnector

LARGEST_PAGE = 100
LOOK_BACK = timedelta(days=35)
NOON = time(12, tzinfo=UTC)


class UsageStream:
    """Usage of the last 35 days by meter, customer and day, read in full: a count may rise for days.

    An id is meter, customer and day; behind `#` what tells our own events of one day apart, which Stripe counts together.
    """

    def __init__(self, connector: StripeConnector) -> None:
        self.connector = connector

    @cached_property
    def meters(self) -> list[JsonDict]:
        found = self.connector.get("/v1/billing/meters", {"status": "active", "limit": LARGEST_PAGE})
        return list(found["data"])

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        after = (checkpoint or {}).get("after")
        while True:
            params = {"limit": min(page_size, LARGEST_PAGE), "starting_after": after}
            listed = self.connector.get("/v1/customers", params)
            customers = [customer["id"] for customer in listed["data"]]
            records = [record for customer in customers for record in self._of_customer(customer)]
            if not listed.get("has_more") or not customers:
                yield Page(records=records, checkpoint={})
                return
            after = customers[-1]
            yield Page(records=records, checkpoint={"after": after})

    def get(self, external_id: str) -> SourceRecord | None:
        parts = external_id.partition("#")[0].split("/")
        meter = next((meter for meter in self.meters if meter["id"] == parts[0]), None)
        if meter is None or len(parts) != len(("meter", "customer", "day")):
            return None
        start = datetime.combine(date.fromisoformat(parts[2]), time(), UTC)
        found = self._summaries(meter, parts[1], start, start + timedelta(days=1))
        return record_of(meter, parts[1], found[0], external_id) if found else None

    def _of_customer(self, customer: str) -> Iterator[SourceRecord]:
        end = datetime.combine(self.connector.context.now().astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        for meter in self.meters:
            for summary in self._summaries(meter, customer, end - LOOK_BACK, end):
                yield record_of(meter, customer, summary)

    def _summaries(self, meter: JsonDict, customer: str, start: datetime, end: datetime) -> list[JsonDict]:
        params = {
            "customer": customer,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
            "value_grouping_window": "day",
            "limit": LARGEST_PAGE,
        }
        found = self.connector.get(f"/v1/billing/meters/{meter['id']}/event_summaries", params)["data"]
        return [summary for summary in found if summary["aggregated_value"]]


class UsageSink:
    """One event a record. The key is its identifier: a repeat is refused as known, and that is what was wanted."""

    def __init__(self, connector: StripeConnector) -> None:
        self.connector = connector
        self.stream = UsageStream(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        return [self._write_one(request) for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        """Stripe shows no single event: the same one, sent again, is counted once."""
        return None

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def _write_one(self, request: WriteRequest) -> WriteResult:
        try:
            return WriteResult(key=request.key, record=self._send(request))
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)

    def _send(self, request: WriteRequest) -> SourceRecord:
        payload = request.payload
        meter, customer = self._meter(payload), self._customer(payload)
        day = date.fromisoformat(str(payload["usage_date"]))
        value = plain(payload["quantity"])
        event = {
            "event_name": meter["event_name"],
            "identifier": request.key,
            "timestamp": int(min(datetime.combine(day, NOON), self.connector.context.now()).timestamp()),
            "payload": {
                meter["customer_mapping"]["event_payload_key"]: customer,
                meter["value_settings"]["event_payload_key"]: value,
            },
        }
        try:
            self.connector.post("/v1/billing/meter_events", event)
        except RecordRejected as error:
            if "identifier" not in error.message or "already exists" not in error.message:
                raise
        summary = {"start_time": int(datetime.combine(day, time(), UTC).timestamp()), "aggregated_value": value}
        tail = hashlib.sha256(request.key.encode()).hexdigest()[:12]
        return record_of(meter, customer, summary, f"{meter['id']}/{customer}/{day.isoformat()}#{tail}")

    def _meter(self, payload: JsonDict) -> JsonDict:
        wanted = payload.get("meter")
        meter = next((meter for meter in self.stream.meters if wanted in (meter["event_name"], meter["id"])), None)
        if meter is None:
            raise RecordRejected(f"Stripe has no active meter for “{wanted or ''}”.", code="no_meter")
        return meter

    def _customer(self, payload: JsonDict) -> str:
        if payload.get("customer"):
            return str(payload["customer"])
        subscription = payload.get("subscription")
        found = self.connector.find(f"/v1/subscriptions/{subscription}") if subscription else None
        if found is None:
            raise RecordRejected("Usage needs a customer or a subscription of Stripe.", code="required")
        return str(found["customer"])


def record_of(meter: JsonDict, customer: str, summary: JsonDict, external_id: str = "") -> SourceRecord:
    day = datetime.fromtimestamp(summary["start_time"], UTC).date().isoformat()
    data: dict[str, Any] = {
        "meter": meter["id"],
        "name": meter["display_name"],
        "event_name": meter["event_name"],
        "customer": customer,
        "day": day,
        "quantity": plain(summary["aggregated_value"]),
    }
    return SourceRecord(external_id=external_id or f"{meter['id']}/{customer}/{day}", data=data)


def plain(number: Any) -> str:
    """Without exponent and trailing zeros."""
    return f"{Decimal(str(number)).normalize():f}"
