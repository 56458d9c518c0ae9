"""The company as a whole: who may call, how refusals and limits look, how webhooks prove themselves."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.pipedrive import records
from sandbox.vendor import Call, Vendor, VendorError, json_response

Json = dict[str, Any]
LIMITS = {
    "x-ratelimit-limit": "80",
    "x-ratelimit-remaining": "79",
    "x-ratelimit-reset": "2",
    "x-daily-ratelimit-token-limit": "30000",
}


class Pipedrive(Vendor):
    name = "pipedrive"

    def authenticate(self, call: Call) -> None:
        token = call.request.headers.get("x-api-token", "")
        if not token or token not in call.account.credentials().values():
            raise VendorError(401, "unauthorized access")

    def finish(self, call: Call, result: Any) -> Response:
        """Handlers return `data`, or `(data, status)`, or a whole answer with `success`."""
        data, status = result if isinstance(result, tuple) else (result, 200)
        whole = data if isinstance(data, dict) and "success" in data else {"success": True, "data": data}
        return json_response(whole, status, {**LIMITS, **self._day(call.account)})

    def error(self, call: Call, error: VendorError) -> Response:
        body: Json = {"success": False, "error": error.message or "Something went wrong.", "data": None}
        body["error_info"] = "Please check developers.pipedrive.com for more information about Pipedrive API."
        if error.status == 400:
            body["code"] = "ERR_SCHEMA_VALIDATION_FAILED"
        return json_response(body, error.status, {**LIMITS, **self._day(call.account)})

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        response = self.error(call, VendorError(429, "request over limit"))
        response.headers["x-ratelimit-remaining"] = "0"
        if retry_after is not None:
            response.headers["x-ratelimit-reset"] = f"{retry_after:g}"
        return response

    def create_object(self, account: Account, kind: str, data: Json) -> Json:
        if kind == "users":
            return records.add_user(account, data)
        return records.create(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Json) -> Json:
        return records.update(account, kind, object_id, data)

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        records.delete(account, kind, object_id)

    def webhook_body(self, account: Account, events: list[Json]) -> bytes:
        """One event per delivery; of those that wait together the last."""
        return json.dumps(events[-1], separators=(",", ":")).encode()

    def webhook_headers(self, *, secret: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"hooks:{secret}".encode()).decode()}

    @staticmethod
    def _day(account: Account) -> dict[str, str]:
        return {"x-daily-ratelimit-token-remaining": str(account.setting("tokens_left", 29_000))}


VENDOR = Pipedrive()
