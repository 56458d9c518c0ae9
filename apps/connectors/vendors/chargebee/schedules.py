"""Installments in Chargebee: the dates on which coming terms of a subscription are billed ahead.

Source: "Advance invoice schedules" of Chargebee's API reference (up to five dates, each with a number of terms), and the
names that its client library declares. A schedule that repeats at an interval shows as its next date.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.passes import Batch
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.chargebee.sinks import ChargebeeSink, call_key
from apps.connectors.vendors.chargebee.streams import ChargebeeStream, SubscriptionStream
from apps.connectors.vendors.chargebee.wire import moment, money, seconds_of

DAY = 86_400
SPECIFIC = "specific_dates"


class ScheduleStream(ChargebeeStream):
    """Asked for below each subscription that says it has one; the external id is `<subscription>/<schedule>`."""

    resource = "subscription"
    incremental: ClassVar[bool] = False

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        params = {"sort_by[asc]": "updated_at", "limit": size, "offset": place.get("offset")}
        data = self.connector.get("subscriptions", params)
        try:
            held = [entry["subscription"] for entry in data["list"]]
        except (KeyError, TypeError) as error:
            raise FatalError(f"Chargebee's answer is not as described: {error}", code="format") from error
        planned = [item for item in held if item.get("has_scheduled_advance_invoices")]
        offset = data.get("next_offset")
        records = [record for item in planned for record in self.of_subscription(item)]
        return Batch(records=records, place={"offset": offset} if offset else None)

    def get(self, external_id: str) -> SourceRecord | None:
        subscription, _, _ = external_id.rpartition("/")
        data = self.connector.find(f"subscriptions/{subscription}") if subscription else None
        item = (data or {}).get("subscription")
        found = self.of_subscription(item) if isinstance(item, dict) and not item.get("deleted") else []
        return next((record for record in found if record.external_id == external_id), None)

    def of_subscription(self, item: JsonDict) -> list[SourceRecord]:
        if not item.get("has_scheduled_advance_invoices"):
            return []
        data = self.connector.get(f"subscriptions/{item['id']}/retrieve_advance_invoice_schedule")
        price = SubscriptionStream(self.connector).plain(item)["amount"]
        return [self._installment(item, entry, price) for entry in data.get("advance_invoice_schedules") or []]

    def _installment(self, item: JsonDict, entry: JsonDict, price: JsonDict | None) -> SourceRecord:
        kind = "specific_dates_schedule" if entry.get("schedule_type") == SPECIFIC else "fixed_interval_schedule"
        plan = entry.get(kind) or {}
        terms = int(plan.get("terms_to_charge") or 1)
        due = plan.get("date")
        if due is None and item.get("next_billing_at"):
            due = item["next_billing_at"] - int(plan.get("days_before_renewal") or 0) * DAY
        data = {
            "id": entry["id"],
            "subscription_id": item["id"],
            "name": f"{terms} {'term' if terms == 1 else 'terms'} in advance",
            "due_at": moment(due),
            "terms": terms,
            "amount": money(price["amount"] * terms, price["currency"]) if price else None,
        }
        return SourceRecord(external_id=f"{item['id']}/{entry['id']}", data=data)


class ScheduleSink(ChargebeeSink):
    """A subscription has one installment a day: a create whose answer was lost finds the one it made by its date."""

    stream_type = ScheduleStream
    stream: ScheduleStream

    def create(self, request: WriteRequest) -> str:
        subscription = self._subscription(str(request.payload["subscription_id"]))
        found = self._of_day(subscription, request.payload)
        if found is None:
            step = "edit_advance_invoice_schedule" if self.stream.of_subscription(subscription) else None
            self._send(subscription, step or "charge_future_renewals", request)
            found = self._of_day(self._subscription(subscription["id"]), request.payload)
        if found is None:
            raise FatalError("Chargebee confirmed the installment but does not show it", code="read_back")
        return found.external_id

    def update(self, external_id: str, request: WriteRequest) -> None:
        subscription, _, own = external_id.rpartition("/")
        self._send(self._subscription(subscription), "edit_advance_invoice_schedule", request, {"id": own})

    def remove(self, external_id: str) -> None:
        subscription, _, own = external_id.rpartition("/")
        path = f"subscriptions/{subscription}/remove_advance_invoice_schedule"
        self.connector.post(path, {"specific_dates_schedule": [{"id": own}]})

    def _send(self, subscription: JsonDict, step: str, request: WriteRequest, own: JsonDict | None = None) -> None:
        entry = {
            **(own or {}),
            "date": seconds_of(request.payload["date"]),
            **self._terms(subscription, request.payload),
        }
        values: JsonDict = {"schedule_type": SPECIFIC, "specific_dates_schedule": [entry]}
        if step == "charge_future_renewals":
            values["invoice_immediately"] = False
        key = call_key(request.key, values) if own is None else ""
        self.connector.post(f"subscriptions/{subscription['id']}/{step}", values, key=key)

    def _terms(self, subscription: JsonDict, payload: JsonDict) -> JsonDict:
        """Chargebee bills whole terms ahead. Raises RecordRejected for an amount that is none."""
        price = SubscriptionStream(self.connector).plain(subscription)["amount"]
        if not payload.get("amount") or not price or price["currency"] != payload["amount"]["currency"]:
            raise RecordRejected("An installment needs an amount in the subscription's currency.", code="amount")
        terms, rest = divmod(payload["amount"]["amount"], price["amount"]) if price["amount"] else (0, 1)
        if rest or terms < 1:
            raise RecordRejected("The amount is not that of whole terms of the subscription.", code="fraction")
        return {"terms_to_charge": terms}

    def _subscription(self, external_id: str) -> JsonDict:
        data = self.connector.find(f"subscriptions/{external_id}")
        item = (data or {}).get("subscription")
        if not isinstance(item, dict) or item.get("deleted"):
            raise RecordRejected("Chargebee does not have this subscription any more.", code="resource_not_found")
        return item

    def _of_day(self, subscription: JsonDict, payload: JsonDict) -> SourceRecord | None:
        seconds = seconds_of(payload["date"])
        wanted: Any = datetime.fromtimestamp(seconds, tz=UTC).date().isoformat() if seconds else None
        found = self.stream.of_subscription(subscription)
        return next((record for record in found if (record.data["due_at"] or "")[:10] == wanted), None)
