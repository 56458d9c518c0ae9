"""Routes and answers of the simulated Xero.

One account is one organization. `control.credentials(client_id=…, client_secret=…)` names the application;
`access_token` and `refresh_token` there are accepted without the browser (the refresh token once, as it rotates).
`control.settings(base_currency="USD", minute_limit=60)` changes the organization; no limit is enforced by default.
Control-plane kinds are contacts, invoices, payments and quotes, with Xero's field names; `{"Status": "PAID"}` on an invoice pays it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox import oauth
from sandbox.account import Account
from sandbox.vendor import Call, Vendor, VendorError, json_response
from sandbox.xero.books import Books, Invalid
from sandbox.xero.contacts import save_contact
from sandbox.xero.invoices import save_invoice
from sandbox.xero.payments import delete_payment, save_payment
from sandbox.xero.quotes import save_quote
from sandbox.xero.wire import JsonDict

MINUTE_LIMIT = 60
DAY_LIMIT = 5000
APP_MINUTE_LIMIT = 10_000
_OPEN_PATHS = ("/identity/connect/authorize", "/connect/token")


class Xero(Vendor):
    name = "xero"

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[tuple[str, str], tuple[str, int]] = {}

    def authenticate(self, call: Call) -> None:
        if call.path in _OPEN_PATHS:
            return
        if not oauth.is_valid_access_token(call.account, call.request):
            raise VendorError(401, "AuthenticationUnsuccessful")
        if call.path.lower() != "/connections":
            if call.request.headers.get("xero-tenant-id") != Books(call.account).tenant_id:
                raise VendorError(403, "AuthenticationUnsuccessful")
            self._count(call)

    def error(self, call: Call, error: VendorError) -> Response:
        if error.status == 400 and error.details.get("type") == "ModelState":
            return json_response({"message": error.message, "modelState": {}}, 400)
        if error.status == 400:
            return json_response(_bad_request(error), 400)
        if error.status == 404:
            return Response("The resource you're looking for cannot be found", 404, content_type="text/html")
        if error.status == 429:
            headers = {"X-Rate-Limit-Problem": "minute", **self._limits(call)}
            if wait := error.details.get("retry_after"):
                headers["Retry-After"] = str(wait)
            return Response(status=429, headers=headers)
        title = {401: "Unauthorized", 403: "Forbidden"}.get(error.status, "An error occurred")
        body = {"Type": None, "Title": title, "Status": error.status, "Detail": error.message}
        return json_response(body, error.status)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        response = self.error(call, VendorError(429, "minute"))
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        if call.path.startswith("/api.xro/"):
            response.headers.update(self._limits(call))
        return response

    def create_object(self, account: Account, kind: str, data: JsonDict) -> JsonDict:
        if kind not in SAVE:
            return save_in_projects(account, kind, data)
        return _as_user(SAVE[kind], Books(account), data)

    def update_object(self, account: Account, kind: str, object_id: str, data: JsonDict) -> JsonDict:
        books = Books(account)
        if kind not in SAVE:
            return save_in_projects(account, kind, data, account.objects(kind)[object_id])
        if kind == "payments":
            return _as_user(lambda b, d: delete_payment(b, b.find("payments", object_id) or {}), books, data)
        if kind == "invoices" and data.get("Status") == "PAID":
            invoice = account.objects("invoices")[object_id]
            _as_user(save_payment, books, {"Invoice": {"InvoiceID": object_id}, "Amount": invoice["AmountDue"]})
            return account.objects("invoices")[object_id]
        key = {"contacts": "ContactID", "invoices": "InvoiceID", "quotes": "QuoteID"}[kind]
        return _as_user(SAVE[kind], books, {**data, key: object_id})

    def webhook_body(self, account: Account, events: list[JsonDict]) -> bytes:
        """Without events this is the delivery with which Xero tests a receiver ("intent to receive")."""
        with account.lock:
            first = account.next_number("webhook_sequence", count=len(events))
        body = {
            "events": events,
            "firstEventSequence": first if events else 0,
            "lastEventSequence": first + len(events) - 1 if events else 0,
            "entropy": secrets.token_hex(10).upper(),
        }
        return json.dumps(body, separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        return {"x-xero-signature": _signature(secret, body)}

    def _count(self, call: Call) -> None:
        """Calls of the current minute and day; enforced only where the control plane asks for it."""
        now = call.account.now()
        for unit, window in (("minute", now.strftime("%Y%m%d%H%M")), ("day", now.strftime("%Y%m%d"))):
            place = (call.account.name, unit)
            seen = self._calls.get(place)
            self._calls[place] = (window, seen[1] + 1 if seen and seen[0] == window else 1)
        limit = call.account.setting("minute_limit")
        if limit is not None and self._calls[(call.account.name, "minute")][1] > limit:
            raise VendorError(429, "minute", retry_after=60 - now.second)

    def _limits(self, call: Call) -> dict[str, str]:
        in_minute = self._calls.get((call.account.name, "minute"), ("", 0))[1]
        in_day = self._calls.get((call.account.name, "day"), ("", 0))[1]
        return {
            "X-MinLimit-Remaining": str(max(0, MINUTE_LIMIT - in_minute)),
            "X-DayLimit-Remaining": str(max(0, DAY_LIMIT - in_day)),
            "X-AppMinLimit-Remaining": str(max(0, APP_MINUTE_LIMIT - in_minute)),
        }


SAVE: dict[str, Callable[[Books, JsonDict], JsonDict]] = {
    "contacts": lambda books, fields: save_contact(books, fields, upsert=False),
    "invoices": save_invoice,
    "payments": save_payment,
    "quotes": save_quote,
}


def save_in_projects(account: Account, kind: str, data: JsonDict, held: JsonDict | None = None) -> JsonDict:
    from sandbox.xero.projects import save  # its routes are declared on this module's vendor

    return save(account, kind, data, held)


def _as_user(action: Callable[[Books, JsonDict], JsonDict], books: Books, data: JsonDict) -> JsonDict:
    try:
        return action(books, data)
    except Invalid as error:
        raise VendorError(400, "; ".join(error.messages)) from None


def _bad_request(error: VendorError) -> JsonDict:
    elements = error.details.get("elements")
    if elements is not None:
        message = "A validation exception occurred"
        return {"ErrorNumber": 10, "Type": "ValidationException", "Message": message, "Elements": elements}
    number, kind = error.details.get("number", 14), error.details.get("type", "PostDataInvalidException")
    return {"ErrorNumber": number, "Type": kind, "Message": error.message}


def _signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


VENDOR = Xero()
