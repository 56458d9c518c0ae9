"""The portal as a whole: who may call, how refusals look, how webhooks are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.hubspot import records
from sandbox.hubspot.schema import TYPES
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

RATE_HEADERS = {
    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    "X-HubSpot-RateLimit-Max": "110",
    "X-HubSpot-RateLimit-Remaining": "101",
    "X-HubSpot-RateLimit-Secondly": "11",
    "X-HubSpot-RateLimit-Secondly-Remaining": "10",
}
CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMITS",
}


class HubSpot(Vendor):
    name = "hubspot"

    def authenticate(self, call: Call) -> None:
        token = bearer_token(call.request)
        if not token or token not in call.account.credentials().values():
            raise VendorError(401, "Authentication credentials not found or expired.")

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers.update(RATE_HEADERS)
        response.headers["X-HubSpot-Correlation-Id"] = str(uuid.uuid4())
        return response

    def error(self, call: Call, error: VendorError) -> Response:
        body: dict[str, Any] = {
            "status": "error",
            "message": error.message or "internal error",
            "correlationId": str(uuid.uuid4()),
            "category": CATEGORIES.get(error.status, "INTERNAL_ERROR"),
            **error.details,
        }
        return json_response(body, error.status, RATE_HEADERS)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        error = VendorError(
            429, "You have reached your ten_secondly_rolling limit.", errorType="RATE_LIMIT", policyName="TEN_SECONDLY"
        )
        response = self.error(call, error)
        response.headers["X-HubSpot-RateLimit-Remaining"] = "0"
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        return list(account.objects(kind).values())

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """`data` holds properties (flat), and optionally `associations` {"companies": [id], ...}; or an owner."""
        if kind == "owners":
            return records.create_owner(account, data)
        links = data.pop("associations", {})
        made = records.create_many(account, _kind(kind), [{"properties": data}])[0]
        for to_kind, ids in links.items():
            for to_id in ids:
                records.associate(account, (kind, made["id"]), (to_kind, str(to_id)))
        return made

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        return records.update_many(account, _kind(kind), [(object_id, data)])[0]

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        if kind in TYPES:
            records.archive(account, _kind(kind), object_id)
        else:
            super().delete_object(account, kind, object_id)

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = str(int(now.timestamp() * 1000))
        message = b"POST" + url.encode() + body + timestamp.encode()
        digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
        return {
            "X-HubSpot-Signature": hashlib.sha256(secret.encode() + body).hexdigest(),
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": timestamp,
        }

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        return json.dumps(events, separators=(",", ":")).encode()


def _kind(name: str) -> str:
    if name not in TYPES:
        raise VendorError(404, f"Unable to infer object type from: {name}")
    return TYPES[name]


VENDOR = HubSpot()
