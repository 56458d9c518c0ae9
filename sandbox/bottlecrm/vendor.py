"""The organization as a whole: who may call, how refusals look, how webhooks are signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.bottlecrm import estimate_records as estimates
from sandbox.bottlecrm import records
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

Json = dict[str, Any]


class Bottle(Vendor):
    name = "bottlecrm"

    def authenticate(self, call: Call) -> None:
        token = bearer_token(call.request)
        if not token or token not in call.account.credentials().values():
            # Observed: a token nobody knows is not refused as such; it has no organization.
            raise VendorError(403, detail="Organization context is required for this endpoint")

    def error(self, call: Call, error: VendorError) -> Response:
        """Views answer `{"error": true, "errors": ...}`, the framework under them `{"detail": ...}`."""
        if "message_only" in error.details:
            return json_response({"error": True, "message": error.details["message_only"]}, error.status)
        if "detail" in error.details:
            return json_response({"detail": error.details["detail"]}, error.status)
        if error.status >= 500 or error.status in (401, 404, 405):
            return json_response({"detail": error.message or "Not found."}, error.status)
        return json_response({"error": True, "errors": error.details.get("errors", error.message)}, error.status)

    def create_object(self, account: Account, kind: str, data: Json) -> Json:
        if kind == "custom_fields":
            return records.add_definition(account, data)
        if kind == "quotes":
            return estimates.save(account, None, data)
        return records.create(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Json) -> Json:
        if kind == "quotes":
            return estimates.save(account, account.objects("quotes")[object_id], data)
        return records.update(account, kind, object_id, data)

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        if kind in ("custom_fields", "quotes"):
            account.remove(kind, object_id)
        else:
            records.delete(account, kind, object_id)

    def webhook_body(self, account: Account, events: list[Json]) -> bytes:
        """One event per delivery; what waits together is sent as the last of it."""
        return json.dumps(events[-1], separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        stamp = str(int(now.timestamp()))
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "X-BottleCRM-Delivery": str(uuid.uuid4()),
            "X-BottleCRM-Signature": f"t={stamp},v1={digest}",
        }


VENDOR = Bottle()
