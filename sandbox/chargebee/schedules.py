"""The routes of advance invoice schedules, all below their subscription."""

from __future__ import annotations

from werkzeug.wrappers import Response

from sandbox.chargebee import installments
from sandbox.chargebee.api import API, once
from sandbox.chargebee.site import JsonDict, Site, known, refuse
from sandbox.chargebee.vendor import VENDOR
from sandbox.vendor import Call


@VENDOR.route(f"{API}/subscriptions/<object_id>/retrieve_advance_invoice_schedule", methods=["GET"])
def retrieve(call: Call, object_id: str) -> JsonDict:
    site = Site(call.account)
    site.require("subscription", object_id)
    return {"advance_invoice_schedules": installments.shown(site, object_id)["advance_invoice_schedules"]}


@VENDOR.route(
    f"{API}/subscriptions/<object_id>/<any(charge_future_renewals, edit_advance_invoice_schedule):step>",
    methods=["POST"],
)
def schedule(call: Call, object_id: str, step: str) -> Response:
    def act(site: Site, values: JsonDict) -> JsonDict:
        names = {"schedule_type", "specific_dates_schedule"}
        known(values, names | ({"invoice_immediately"} if step == "charge_future_renewals" else set()))
        site.require("subscription", object_id)
        if step == "charge_future_renewals" and installments.of_subscription(site, object_id):
            raise refuse("invalid_state_for_request", "The subscription has an advance invoice schedule.", status=409)
        for entry in values.get("specific_dates_schedule") or []:
            installments.put(site, object_id, entry)
        return installments.shown(site, object_id)

    return once(call, act)


@VENDOR.route(f"{API}/subscriptions/<object_id>/remove_advance_invoice_schedule", methods=["POST"])
def remove(call: Call, object_id: str) -> Response:
    def act(site: Site, values: JsonDict) -> JsonDict:
        known(values, {"specific_dates_schedule"})
        for entry in values.get("specific_dates_schedule") or installments.of_subscription(site, object_id):
            site.account.remove(installments.KIND, entry["id"])
        return installments.shown(site, object_id)

    return once(call, act)
