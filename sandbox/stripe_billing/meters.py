"""Meters: events are taken, and only shown as what was counted for a customer in a day."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.account import Account
from sandbox.stripe_billing.api import FILTERS, _query
from sandbox.stripe_billing.book import listing
from sandbox.stripe_billing.forms import JsonDict, integer, known, nested, refuse
from sandbox.stripe_billing.vendor import VENDOR
from sandbox.vendor import Call

DAY = 86_400
OLDEST = 35 * DAY
AHEAD = 300
METER = {
    "id": "mtr_test_hours", "object": "billing.meter", "display_name": "Support hours", "event_name": "support_hours",
    "status": "active", "default_aggregation": {"formula": "sum"}, "event_time_window": None, "livemode": False,
    "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
    "value_settings": {"event_payload_key": "value"},
}  # fmt: skip


@VENDOR.route("/v1/billing/meters", methods=["GET"])
def meters(call: Call) -> JsonDict:
    args = known(_query(call), FILTERS)
    integer(args, "limit", 10)
    return listing([METER], "/v1/billing/meters", has_more=False)


@VENDOR.route("/v1/billing/meters/<meter>/event_summaries", methods=["GET"])
def summaries(call: Call, meter: str) -> JsonDict:
    """Whole days by UTC; anything else is refused."""
    names = {"customer", "start_time", "end_time", "value_grouping_window", "limit", "starting_after"}
    args = known(_query(call), names)
    start, end = integer(args, "start_time"), integer(args, "end_time")
    if start % DAY or end % DAY or args.get("value_grouping_window") != "day":
        raise refuse("start_time and end_time must be aligned with the grouping window.", param="start_time")
    counted: dict[int, Decimal] = defaultdict(Decimal)
    for event in call.account.objects("meter_event").values():
        if event["customer"] == args.get("customer") and start <= event["timestamp"] < end and meter == METER["id"]:
            counted[event["timestamp"] // DAY * DAY] += Decimal(event["value"])
    found = [
        {
            "id": f"mtrusg_{day}", "object": "billing.meter_event_summary", "aggregated_value": float(value),
            "start_time": day, "end_time": day + DAY, "meter": meter, "livemode": False,
        }
        for day, value in sorted(counted.items(), reverse=True)
    ]  # fmt: skip
    return listing(found, f"/v1/billing/meters/{meter}/event_summaries", has_more=False)


@VENDOR.route("/v1/billing/meter_events", methods=["POST"])
def take_event(call: Call) -> JsonDict:
    values = known(nested(call.request.get_data().decode()), {"event_name", "identifier", "timestamp", "payload"})
    return add_event(call.account, values)


def add_event(account: Account, values: JsonDict) -> JsonDict:
    payload: dict[str, Any] = values.get("payload") or {}
    now = int(account.now().timestamp())
    at = integer(values, "timestamp", now)
    if values.get("event_name") != METER["event_name"]:
        raise refuse("No active meter found for this event name.", param="event_name")
    if payload.get("stripe_customer_id") not in account.objects("customer"):
        raise refuse("No such customer", param="payload[stripe_customer_id]", code="resource_missing")
    if not now - OLDEST <= at <= now + AHEAD:
        raise refuse(
            "The timestamp must be within the past 35 days or up to 5 minutes in the future.", param="timestamp"
        )
    identifier = str(values.get("identifier") or f"id{account.next_number('meter_event')}")
    if identifier in account.objects("meter_event"):
        raise refuse(f"An event already exists with identifier {identifier}.", param="identifier")
    try:
        value = Decimal(str(payload.get("value")))
    except InvalidOperation:
        raise refuse("Invalid value in the payload.", param="payload[value]") from None
    event = {"customer": payload["stripe_customer_id"], "value": str(value), "timestamp": at}
    account.put("meter_event", identifier, event)
    shown = {"event_name": values["event_name"], "identifier": identifier, "payload": payload, "timestamp": at}
    moment = int(datetime.now(UTC).timestamp())
    return {"object": "billing.meter_event", "created": moment, "livemode": False, **shown}
