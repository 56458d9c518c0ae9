"""Answers, errors and keys of the simulated Stripe.

`control.credentials(api_key=…)` names the secret key; `control.settings(currency="usd", taxed=True)` changes the
account. Control-plane kinds are customers, invoices, payments (charges), subscriptions and quotes, with Stripe's
parameter names; a PATCH of an invoice with `{"status": "open" | "paid" | "void"}` moves it on, one of a payment with
`{"refund": amount}` gives money back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.stripe_billing import objects
from sandbox.stripe_billing.book import Book
from sandbox.stripe_billing.forms import JsonDict
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

KINDS = {
    "customers": "customer",
    "invoices": "invoice",
    "payments": "charge",
    "subscriptions": "subscription",
    "quotes": "quote",
}


class Stripe(Vendor):
    name = "stripe_billing"
    events_per_delivery = 1

    def authenticate(self, call: Call) -> None:
        basic = call.request.authorization
        given = bearer_token(call.request) or (basic.username if basic and basic.type == "basic" else "")
        if not given or given != call.account.credentials().get("api_key"):
            raise VendorError(401, "Invalid API Key provided: ****", kind="invalid_request_error")

    def error(self, call: Call, error: VendorError) -> Response:
        kind = error.details.get("kind") or ("api_error" if error.status >= 500 else "invalid_request_error")
        body = {"type": kind, "message": error.message}
        body |= {name: error.details[name] for name in ("code", "param") if error.details.get(name)}
        return json_response({"error": body}, error.status)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        response = self.error(call, VendorError(429, "Request rate limit exceeded.", code="rate_limit"))
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers["Stripe-Version"] = call.request.headers.get("Stripe-Version", "2020-08-27")
        return response

    def raw_objects(self, account: Account, kind: str) -> list[JsonDict]:
        book = Book(account)
        if kind == "meter_event":
            return book.all(kind)
        return [book.show(item) for item in book.all(KINDS.get(kind, kind)) if not item.get("deleted")]

    def create_object(self, account: Account, kind: str, data: JsonDict) -> JsonDict:
        book = Book(account)
        if kind == "customers":
            return objects.save_customer(book, data, None)
        if kind == "usage":
            return add_usage(account, data)
        if kind == "payments":
            return objects.new_charge(book, data)
        if kind == "invoices":
            return _user_invoice(book, data)
        return {"subscriptions": objects.new_subscription, "quotes": objects.new_quote}[kind](book, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: JsonDict) -> JsonDict:
        book = Book(account)
        held = book.require(KINDS[kind], object_id)
        if kind == "customers":
            return objects.save_customer(book, data, held)
        if kind == "payments":
            return objects.refund(book, held, int(data["refund"]))
        if kind == "subscriptions":
            return objects.change_subscription(book, data, held)
        if kind == "quotes":
            return book.save({**held, **data}, "quote.updated")
        if "status" in data:
            steps = {"open": objects.finalize, "paid": objects.pay, "void": objects.void}
            return book.show(steps[data["status"]](book, {}, held))
        return book.show(objects.change_invoice(book, data, held))

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        book = Book(account)
        held = book.require(KINDS[kind], object_id)
        account.remove(held["object"], object_id)
        if kind == "customers":
            # Stripe answers for a deleted customer for ever, with next to nothing.
            account.put("deleted_customer", object_id, {"id": object_id, "object": "customer", "deleted": True})
        book.tell(f"{held['object']}.deleted", held)

    def webhook_body(self, account: Account, events: list[JsonDict]) -> bytes:
        return json.dumps(events[0], indent=2).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        stamp = int(now.timestamp())
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={stamp},v1={digest},v0=0000"}


def _user_invoice(book: Book, data: JsonDict) -> JsonDict:
    """As in the dashboard: lines first, then the header, then perhaps finalized."""
    lines, status = data.pop("lines", [{"amount": 10_000, "description": "Work"}]), data.pop("status", "draft")
    reduction = data.pop("discount_amount", 0)
    for line in lines:
        objects.save_item(book, {"customer": data["customer"], **line})
    defaults = {"collection_method": "send_invoice", "days_until_due": "30"}
    invoice = objects.new_invoice(book, {**defaults, **data})
    invoice = book.save({**invoice, "discount_amount": reduction})
    return book.show(objects.finalize(book, {}, invoice) if status == "open" else invoice)


def add_usage(account: Account, data: JsonDict) -> JsonDict:
    """An event as another program of the customer sends one."""
    from sandbox.stripe_billing.meters import add_event  # its routes are declared on this module's vendor

    return add_event(account, data)


VENDOR = Stripe()
