"""Tokens, error bodies, an account's set-up, and what people do at their screens (control plane)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.netsuite import records
from sandbox.oauth import is_valid_access_token
from sandbox.vendor import Call, Vendor, VendorError, json_response

KINDS = {
    "customers": "customer", "contacts": "contact", "projects": "job", "tasks": "projectTask",
    "employees": "employee", "time_bills": "timeBill", "invoices": "invoice", "payments": "customerPayment",
    "expenses": "expenseReport", "quotes": "estimate",
}  # fmt: skip
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
CODES = {401: "INVALID_LOGIN", 429: "CONCURRENCY_LIMIT_EXCEEDED"}


class NetSuite(Vendor):
    """Settings: `tax_percent`, `time_zone` of the stamps, `hidden_tables`, `job_polls` before a job is done."""

    name = "netsuite"

    def authenticate(self, call: Call) -> None:
        if "/oauth2/" in call.path:
            return
        if not is_valid_access_token(call.account, call.request):
            raise VendorError(401, "Invalid login attempt.")
        set_up(call.account)

    def error(self, call: Call, error: VendorError) -> Response:
        code = error.details.get("code") or CODES.get(error.status, "UNEXPECTED_ERROR")
        body = {
            "type": "https://www.rfc-editor.org/rfc/rfc9110.html", "title": TITLES.get(error.status, "Error"),
            "status": error.status, "o:errorDetails": [{"detail": error.message, "o:errorCode": code}],
        }  # fmt: skip
        response = json_response(body, error.status)
        response.content_type = "application/vnd.oracle.resource+json; type=error"
        if "location" in error.details:
            response.headers["Location"] = error.details["location"]
        return response

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        set_up(account)
        record = records.record_of(KINDS[kind])
        return [row for row in account.objects(record.table).values() if records.is_of(record, row)]

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        """An expense is a line: its report goes."""
        if kind == "expenses":
            lines = account.objects("transactionline").values()
            object_id = str(next(line["transaction"] for line in lines if str(line["uniquekey"]) == object_id))
        record = records.record_of(KINDS[kind])
        records.remove(account, KINDS[kind], account.objects(record.table)[object_id])

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Fields of the record service. An expense's id is that of its line."""
        set_up(account)
        row = records.insert(account, KINDS[kind], data)
        if kind != "expenses":
            return row
        lines = [line for line in account.objects("transactionline").values() if line["transaction"] == row["id"]]
        return {**row, "id": lines[0]["uniquekey"], "report": row["id"]}

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        name = KINDS[kind]
        if kind == "expenses":
            object_id = str(account.objects("transactionline")[object_id]["transaction"])
        row = records.existing(account, name, object_id)
        if "voided" in data:
            records.save(account, records.record_of(name), {**row, "voided": data["voided"]})
            return account.objects(records.record_of(name).table)[object_id]
        return records.change(account, name, row, data)


VENDOR = NetSuite()


def set_up(account: Account) -> None:
    """Currencies, project statuses and expense categories as an administrator leaves them."""
    if account.objects("currency"):
        return
    account.put_many("currency", [("1", {"id": 1, "symbol": "EUR"}), ("2", {"id": 2, "symbol": "USD"})])
    statuses = ("In Progress", "Closed", "On Hold")
    account.put_many("jobstatus", [(str(n), {"id": n, "name": name}) for n, name in enumerate(statuses, 2)])
    account.put("expensecategory", "4", {"id": 4, "name": "Travel"})
