"""Answers and errors of the simulated QuickBooks Online.

One account is one company; its id is `company.realm_of(name)`. `control.credentials(access_token=…, client_id=…,
client_secret=…)` configures it. `control.settings(base_currency="EUR", webhook_format="notifications", capture_cap=…)`
changes it. Control-plane kinds are the entities in the plural (customers, invoices, payments, estimates), with
QuickBooks' field names; a change needs no sync token there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox import oauth
from sandbox.account import Account
from sandbox.quickbooks import entities
from sandbox.quickbooks.company import ZONE, Company, JsonDict, realm_of
from sandbox.vendor import Call, Vendor, VendorError, json_response

_OPEN_PATHS = ("/connect/oauth2", "/oauth2/v1/tokens/bearer")
_PAST = {"Create": "created", "Update": "updated", "Delete": "deleted", "Void": "voided"}


class QuickBooks(Vendor):
    name = "quickbooks"

    def authenticate(self, call: Call) -> None:
        if call.path in _OPEN_PATHS:
            return
        if not oauth.is_valid_access_token(call.account, call.request):
            raise VendorError(401, "message=AuthenticationFailed; errorCode=003200; statusCode=401", code="3200")
        parts = call.path.split("/")
        if parts[:3] == ["", "v3", "company"] and parts[3] != realm_of(call.account):
            raise VendorError(
                403, "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403", code="3100"
            )

    def error(self, call: Call, error: VendorError) -> Response:
        """Refusals by the gateway are written in small letters, those of the service are not."""
        code = str(error.details.get("code", 10000))
        detail = error.details.get("detail", error.message)
        if error.status in (401, 403):
            entry = {
                "message": error.message,
                "detail": "Token expired or not for this company",
                "code": code,
                "element": None,
            }
            return json_response(
                {"fault": {"error": [entry], "type": "AUTHENTICATION"}, "warnings": None}, error.status
            )
        entry = {"Message": error.message or "An application error has occurred", "Detail": detail, "code": code}
        entry["element"] = error.details.get("element", "")
        kind = error.details.get("type", "SystemFault" if error.status >= 500 else "ValidationFault")
        time = call.account.now().astimezone(ZONE).isoformat(timespec="milliseconds")
        return json_response({"Fault": {"Error": [entry], "type": kind}, "time": time}, error.status)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
        response = self.error(call, VendorError(429, message, code="3001", type="THROTTLE"))
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers["intuit_tid"] = f"1-{secrets.token_hex(12)}"
        return response

    def raw_objects(self, account: Account, kind: str) -> list[JsonDict]:
        return Company(account).all(entity_of(kind))

    def create_object(self, account: Account, kind: str, data: JsonDict) -> JsonDict:
        return entities.save(Company(account), entity_of(kind), data)

    def update_object(self, account: Account, kind: str, object_id: str, data: JsonDict) -> JsonDict:
        company, entity = Company(account), entity_of(kind)
        held = company.require(entity, object_id)
        place = {"Id": object_id, "SyncToken": held["SyncToken"], "sparse": True}
        if entity == "Payment":
            place["CustomerRef"] = held["CustomerRef"]
        return entities.save(company, entity, {**place, **data})

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        company, entity = Company(account), entity_of(kind)
        token = company.require(entity, object_id)["SyncToken"]
        entities.remove(company, entity, {"Id": object_id, "SyncToken": token})

    def webhook_body(self, account: Account, events: list[JsonDict]) -> bytes:
        """CloudEvents, obligatory since 2026, or the earlier notifications."""
        if account.setting("webhook_format") == "notifications":
            changes = [
                {"name": e["entity"], "id": e["object"], "operation": e["operation"], "lastUpdated": e["at"]}
                for e in events
            ]
            entry = {"realmId": realm_of(account), "dataChangeEvent": {"entities": changes}}
            return json.dumps({"eventNotifications": [entry]}).encode()
        return json.dumps([_cloud_event(event) for event in events]).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        return {"intuit-signature": base64.b64encode(digest).decode()}


def entity_of(kind: str) -> str:
    """`customers` → Customer."""
    if kind == "timeactivities":
        return "TimeActivity"
    return kind.removesuffix("s").capitalize()


def _cloud_event(event: JsonDict) -> JsonDict:
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": "intuit.sandbox",
        "type": f"qbo.{event['entity'].lower()}.{_PAST[event['operation']]}.v1",
        "datacontenttype": "application/json",
        "time": event["at"],
        "intuitentityid": event["object"],
        "intuitaccountid": event["realm"],
        "data": {},
    }


VENDOR = QuickBooks()
