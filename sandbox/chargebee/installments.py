"""Billing coming terms of a subscription ahead: on up to five dates, or at an interval."""

from __future__ import annotations

from typing import Any

from sandbox.chargebee.site import JsonDict, Site, known, refuse, whole

KIND = "advance_invoice_schedule"
MOST_DATES = 5


def of_subscription(site: Site, subscription: str) -> list[JsonDict]:
    return [row for row in site.account.objects(KIND).values() if row["subscription_id"] == subscription]


def shown(site: Site, subscription: str) -> JsonDict:
    """The schedules without what only we know, and the subscription, which says that it has some."""
    rows = of_subscription(site, subscription)
    entries = [{name: value for name, value in row.items() if name != "subscription_id"} for row in rows]
    held = site.require("subscription", subscription)
    if held.get("has_scheduled_advance_invoices", False) != bool(rows):
        held = site.save("subscription", {**held, "has_scheduled_advance_invoices": bool(rows)}, "subscription_changed")
    return {"subscription": held, "advance_invoice_schedules": entries}


def put(site: Site, subscription: str, entry: JsonDict) -> JsonDict:
    """Raises for a date in the past, and for one too many."""
    known(entry, {"id", "date", "terms_to_charge"})
    due, terms = whole(entry, "date"), whole(entry, "terms_to_charge", 1)
    if terms < 1:
        raise refuse("param_wrong_value", "terms_to_charge : should be at least 1", param="terms_to_charge")
    own = str(entry.get("id") or f"ais_{site.account.next_number(KIND):08d}")
    if entry.get("id") and own not in site.account.objects(KIND):
        raise refuse("resource_not_found", f"{own} not found", status=404)
    if not entry.get("id") and len(of_subscription(site, subscription)) >= MOST_DATES:
        raise refuse("invalid_request", "No more than 5 dates can be scheduled.")
    plan = {"terms_to_charge": terms, "date": due, "created_at": site.now}
    row = {"id": own, "object": KIND, "schedule_type": "specific_dates", "specific_dates_schedule": plan}
    site.account.put(KIND, own, {**row, "subscription_id": subscription})
    return row


def by_hand(site: Site, data: JsonDict) -> JsonDict:
    """What a person schedules: {subscription_id, date, terms_to_charge} or a whole `fixed_interval_schedule`."""
    subscription = str(data["subscription_id"])
    if "fixed_interval_schedule" in data:
        own = f"ais_{site.account.next_number(KIND):08d}"
        made: JsonDict = {"id": own, "object": KIND, "schedule_type": "fixed_intervals", **data}
        site.account.put(KIND, own, made)
    else:
        made = put(site, subscription, {name: data[name] for name in ("date", "terms_to_charge") if name in data})
    shown(site, subscription)
    return {**made, "subscription_id": subscription}


def change_by_hand(site: Site, object_id: str, data: dict[str, Any]) -> JsonDict:
    row = site.account.objects(KIND)[object_id]
    plan = {**row["specific_dates_schedule"], **data}
    site.account.put(KIND, object_id, {**row, "specific_dates_schedule": plan})
    return row


def remove_by_hand(site: Site, object_id: str) -> None:
    subscription = site.account.objects(KIND)[object_id]["subscription_id"]
    site.account.remove(KIND, object_id)
    shown(site, subscription)
