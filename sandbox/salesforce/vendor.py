"""The org as a whole: who may call, how refusals look, what the limit header says."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.oauth import is_valid_access_token
from sandbox.salesforce import records
from sandbox.vendor import Call, Vendor, VendorError, json_response

Json = dict[str, Any]
DAILY_LIMIT = 15_000
CODES = {
    400: "INVALID_REQUEST", 401: "INVALID_SESSION_ID", 403: "INSUFFICIENT_ACCESS", 404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED", 500: "UNKNOWN_EXCEPTION", 503: "SERVER_UNAVAILABLE",
}  # fmt: skip


class Salesforce(Vendor):
    name = "salesforce"

    def authenticate(self, call: Call) -> None:
        if call.path.startswith("/services/oauth2/"):
            return
        if not is_valid_access_token(call.account, call.request):
            raise VendorError(401, "Session expired or invalid")
        used = call.account.next_number("calls", 1)
        if used > call.account.setting("daily_limit", DAILY_LIMIT):
            raise VendorError(403, "TotalRequests Limit exceeded.", code="REQUEST_LIMIT_EXCEEDED")

    def finish(self, call: Call, result: Any) -> Response:
        response = super().finish(call, result)
        response.headers["Sforce-Limit-Info"] = self._usage(call.account)
        return response

    def error(self, call: Call, error: VendorError) -> Response:
        """An array, also for one; `fields` only where there are some."""
        body: Json = {"message": error.message or "An unexpected error occurred"}
        body["errorCode"] = error.details.get("code") or CODES.get(error.status, "UNKNOWN_EXCEPTION")
        if error.details.get("fields"):
            body["fields"] = error.details["fields"]
        return json_response([body], error.status, {"Sforce-Limit-Info": self._usage(call.account)})

    def throttled(self, call: Call, retry_after: float | None) -> Response:
        error = VendorError(403, "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        error.details["code"] = "REQUEST_LIMIT_EXCEEDED"
        response = self.error(call, error)
        if retry_after is not None:
            response.headers["Retry-After"] = f"{retry_after:g}"
        return response

    def create_object(self, account: Account, kind: str, data: Json) -> Json:
        return records.create(account, kind, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: Json) -> Json:
        return records.update(account, kind, object_id, data)

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        records.delete(account, kind, object_id)

    @staticmethod
    def _usage(account: Account) -> str:
        used = int(account.setting("counter:calls", 1)) - 1
        return f"api-usage={used}/{account.setting('daily_limit', DAILY_LIMIT)}"


VENDOR = Salesforce()
