"""Answers and errors of the simulated Chargebee.

`control.credentials(api_key=…)` names the key; `control.settings(currency="USD", taxed=True)` changes the site.
Control-plane kinds are customers, invoices, payments, subscriptions, quotes, usages and schedules, with Chargebee's parameter
names. A webhook's secret is `user:password`, which deliveries show as basic authorization: Chargebee signs nothing.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.chargebee import installments
from sandbox.chargebee import site as rules
from sandbox.chargebee.site import JsonDict, Site
from sandbox.vendor import Call, Vendor, VendorError, json_response

KINDS = {"customers": "customer", "invoices": "invoice", "payments": "transaction", "subscriptions": "subscription",
         "quotes": "quote", "usages": "usage", "schedules": installments.KIND}  # fmt: skip
_CODES = {401: "api_authentication_failed", 403: "api_authorization_failed", 404: "resource_not_found",
          429: "api_request_limit_exceeded"}  # fmt: skip


class Chargebee(Vendor):
    name = "chargebee"
    events_per_delivery = 1

    def authenticate(self, call: Call) -> None:
        given = call.request.authorization
        if given is None or given.type != "basic" or given.username != call.account.credentials().get("api_key"):
            raise VendorError(401, "Sorry, authentication failed. Invalid api key")

    def error(self, call: Call, error: VendorError) -> Response:
        code = error.details.get("code") or _CODES.get(error.status, "internal_error")
        body = {"message": error.message, "api_error_code": code, "error_code": code, "error_msg": error.message,
                "http_status_code": error.status}  # fmt: skip
        if error.status < 500:
            body["type"] = "invalid_request"
        if error.details.get("param"):
            body["param"] = error.details["param"]
        return json_response(body, error.status)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        response = self.error(call, VendorError(429, "Sorry, API request limit exceeded"))
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def raw_objects(self, account: Account, kind: str) -> list[JsonDict]:
        return [item for item in account.objects(KINDS[kind]).values() if not item.get("deleted")]

    def create_object(self, account: Account, kind: str, data: JsonDict) -> JsonDict:
        site = Site(account)
        if kind == "subscriptions":
            return rules.save_subscription(
                site, {n: v for n, v in data.items() if n != "customer_id"}, data["customer_id"]
            )
        if kind == "usages":
            return rules.new_usage(
                site, {n: v for n, v in data.items() if n != "subscription_id"}, data["subscription_id"]
            )
        if kind == "schedules":
            return installments.by_hand(site, data)
        makers = {"customers": rules.save_customer, "invoices": rules.new_invoice, "payments": rules.new_transaction,
                  "quotes": rules.new_quote}  # fmt: skip
        return makers[kind](site, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: JsonDict) -> JsonDict:
        site = Site(account)
        if kind == "schedules":
            return installments.change_by_hand(site, object_id, data)
        held = site.require(KINDS[kind], object_id)
        if kind == "invoices" and "pay" in data:
            return rules.record_payment(site, {"transaction": {"amount": data["pay"]}}, held)[0]
        if kind == "customers":
            return rules.save_customer(site, data, held)
        return site.save(KINDS[kind], {**held, **data}, f"{KINDS[kind]}_updated")

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        site = Site(account)
        if kind == "schedules":
            installments.remove_by_hand(site, object_id)
            return
        held = site.require(KINDS[kind], object_id)
        if kind == "usages":
            account.remove("usage", object_id)
            return
        site.save(KINDS[kind], {**held, "deleted": True}, f"{KINDS[kind]}_deleted")

    def webhook_body(self, account: Account, events: list[JsonDict]) -> bytes:
        return json.dumps(events[0]).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


VENDOR = Chargebee()
