"""Who may call, how refusals and moments look, how deliveries are signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.vendor import Call, Vendor, VendorError, json_response

Row = dict[str, Any]
MAKERS: dict[str, Callable[[Account, Row], Row]] = {}
EDITORS: dict[str, Callable[[Account, Row, Row], Row]] = {}
SHOWERS: dict[str, Callable[[Account, Row], Row]] = {}
REMOVERS: dict[str, Callable[[Account, Row], None]] = {}
API = "/rest/api/3"
ZONE = "Europe/Berlin"
FIRST_ID = 10000
RATE_HEADERS = {"X-RateLimit-Limit": "350", "X-RateLimit-Remaining": "349", "X-RateLimit-NearLimit": "false"}
# What anybody may ask; with a wrong token it is answered as to anybody.
PUBLIC = (f"{API}/serverInfo", f"{API}/project/search", f"{API}/search/jql")


class Jira(Vendor):
    name = "jira"
    # Jira sends each event by itself.
    events_per_delivery = 1

    def authenticate(self, call: Call) -> None:
        set_up(call.account)
        if not signed_in(call) and call.path not in PUBLIC:
            raise VendorError(401, "Client must be authenticated to access this resource.")

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers.update(RATE_HEADERS)
        if call.request.authorization and not signed_in(call):
            response.headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        return response

    def error(self, call: Call, error: VendorError) -> Response:
        if error.status == 401:
            headers = {**RATE_HEADERS, "X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            return json_response({"message": error.message, "status-code": 401}, 401, headers)
        fields = error.details.get("errors", {})
        messages = [error.message] if error.message and not fields else []
        return json_response({"errorMessages": messages, "errors": fields}, error.status, RATE_HEADERS)

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        response = super().throttled(call, retry_after)
        response.headers.update({"RateLimit-Reason": "jira-burst-based", "X-RateLimit-Remaining": "0"})
        return response

    def raw_objects(self, account: Account, kind: str) -> list[Row]:
        set_up(account)
        return [SHOWERS[kind](account, row) for row in account.objects(kind).values()]

    def create_object(self, account: Account, kind: str, data: Row) -> Row:
        set_up(account)
        return SHOWERS[kind](account, MAKERS[kind](account, data))

    def update_object(self, account: Account, kind: str, object_id: str, data: Row) -> Row:
        return SHOWERS[kind](account, EDITORS[kind](account, row_of(account, kind, object_id), data))

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        REMOVERS[kind](account, row_of(account, kind, object_id))

    def webhook_body(self, account: Account, events: list[dict[str, Any]]) -> bytes:
        return json.dumps(events[0], separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        return {
            "X-Hub-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
            # The same on every attempt.
            "X-Atlassian-Webhook-Identifier": hashlib.sha256(body).hexdigest()[:20],
        }


VENDOR = Jira()


def signed_in(call: Call) -> bool:
    known = call.account.credentials()
    wanted = f"{known.get('email', '')}:{known.get('api_token', '')}"
    given = call.request.headers.get("Authorization", "").removeprefix("Basic ")
    return bool(known.get("api_token")) and given == base64.b64encode(wanted.encode()).decode()


def set_up(account: Account) -> None:
    if not account.objects("users"):
        MAKERS["users"](account, {"displayName": "Token Owner", "accountId": "712020:owner", "timeZone": ZONE})


def shown_time(moment: str) -> str:
    """As Jira writes it, in the zone of whoever asks: `2026-04-28T15:55:26.678+0200`."""
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(ZONE))
    return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond // 1000:03d}" + local.strftime("%z")


def milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def stamp(account: Account) -> str:
    return account.now().isoformat(timespec="milliseconds")


def row_of(account: Account, kind: str, object_id: str) -> Row:
    row = account.objects(kind).get(object_id)
    if row is None:
        raise VendorError(404, f"{kind} {object_id} does not exist or you do not have permission to see it.")
    return row


def refuse(**errors: str) -> None:
    """400 with a message per field."""
    if errors:
        raise VendorError(400, errors=errors)


def announce(account: Account, event: str, **payload: Any) -> None:
    now = milliseconds(stamp(account))
    account.emit({"timestamp": now, "webhookEvent": event, **payload})


def self_url(call_path: str) -> str:
    return f"https://customer.atlassian.net{API}/{call_path}"
