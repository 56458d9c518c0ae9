"""Who may call, how refusals look, how deliveries are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, Vendor, VendorError, json_response

Row = dict[str, Any]
ACCOUNT_ID = 12514403
# Answered to strangers too, as to nobody.
PUBLIC = "/api/v2/users/me"
LIMITS = {"x-rate-limit": "400", "ratelimit-limit": "400", "ratelimit-remaining": "399", "ratelimit-reset": "41"}


class Zendesk(Vendor):
    name = "zendesk"
    # Zendesk sends each event by itself.
    events_per_delivery = 1

    def authenticate(self, call: Call) -> None:
        if not signed_in(call) and call.path != PUBLIC:
            raise VendorError(401, "Couldn't authenticate you")

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers.update(LIMITS)
        return response

    def error(self, call: Call, error: VendorError) -> Response:
        if error.status == 401:
            return json_response({"error": error.message}, 401, LIMITS)
        if error.status == 404:
            body: Row = {"error": "RecordNotFound", "description": "Not found"}
        elif error.status == 403:
            body = {"error": {"title": "Forbidden", "message": error.message}}
        elif error.details:
            details = {name: [{"description": text}] for name, text in error.details.items()}
            body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
        else:
            body = {"error": error.message, "description": error.message}
        return json_response(body, error.status, LIMITS)

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        from sandbox.zendesk.objects import make

        return make(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        from sandbox.zendesk.objects import change

        return change(account, kind, row_of(account, kind, object_id), data)

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        """Deleted things stay in the exports, marked as such."""
        gone: dict[str, Row] = {
            "tickets": {"status": "deleted"},
            "users": {"active": False},
            "organizations": {"deleted_at": stamp(account)},
        }
        self.update_object(account, kind, object_id, gone[kind])

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        return json.dumps(events[0], separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        timestamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
        return {
            "X-Zendesk-Account-Id": str(ACCOUNT_ID),
            "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": timestamp,
        }


VENDOR = Zendesk()


def signed_in(call: Call) -> bool:
    known = call.account.credentials()
    wanted = f"{known.get('email', '')}/token:{known.get('api_token', '')}"
    given = call.request.headers.get("Authorization", "").removeprefix("Basic ")
    return bool(known.get("api_token")) and given == base64.b64encode(wanted.encode()).decode()


def stamp(account: Account) -> str:
    """Whole seconds."""
    return account.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404)
    return row


def gone(row: Row) -> bool:
    """Deleted things are in the exports only."""
    return row.get("status") == "deleted" or bool(row.get("deleted_at"))
