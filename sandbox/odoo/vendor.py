"""Errors in both shapes, a firm's set-up, and what people do at their screens (control plane)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.odoo import business, records
from sandbox.odoo.records import Row, rows_of, version_of
from sandbox.vendor import Call, Vendor, VendorError, json_response

USER_ID = 2
KINDS = {
    "companies": "res.partner", "people": "res.partner", "opportunities": "crm.lead", "projects": "project.project",
    "tasks": "project.task", "employees": "hr.employee", "timesheets": "account.analytic.line",
    "milestones": "project.milestone", "invoices": "account.move", "payments": "account.payment",
    "expenses": "hr.expense", "quotes": "sale.order",
}  # fmt: skip
CONSTANTS: dict[str, Row] = {
    "companies": {"is_company": True},
    "people": {"is_company": False},
    "opportunities": {"type": "opportunity"},
    "invoices": {"move_type": "out_invoice"},
}


class Odoo(Vendor):
    """Settings: `version` 17 or 19, `missing_models` for apps that are not installed, `raise_next` for an exception."""

    name = "odoo"

    def authenticate(self, call: Call) -> None:
        """Each transport proves its callers itself."""
        set_up(call.account)

    def error(self, call: Call, error: VendorError) -> Response:
        name = error.details.get("name") or HTTP_NAMES.get(error.status, "")
        data = {
            "name": name, "message": error.message, "arguments": [error.message], "context": {}, "debug": "Traceback …",
        }  # fmt: skip
        if not name:
            # The proxy in front of Odoo speaks, not Odoo.
            return Response(f"<html><h1>{error.status}</h1></html>", status=error.status, content_type="text/html")
        if call.path.startswith("/json/2/"):
            return json_response(data, error.status)
        body = {"code": 200, "message": "Odoo Server Error", "data": data}
        return json_response({"jsonrpc": "2.0", "id": (call.json or {}).get("id"), "error": body}, 200)

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        set_up(account)
        wanted = CONSTANTS.get(kind, {})
        rows = rows_of(account, KINDS.get(kind, kind))
        rows = [row for row in rows if all(row.get(name, False) == value for name, value in wanted.items())]
        return [row for row in rows if kind != "companies" or row["id"] != 1]

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """A row by field names; payments take {"invoice", "amount"}, invoices may say {"post": true}."""
        set_up(account)
        if kind == "payments":
            return business.pay(account, int(data["invoice"]), {"amount": float(data["amount"]), **data})
        post = data.pop("post", False)
        row = records.insert(account, KINDS.get(kind, kind), {**CONSTANTS.get(kind, {}), **data})
        if post:
            business.post(account, [row["id"]], {})
        return account.objects(KINDS.get(kind, kind))[str(row["id"])]

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        model = KINDS.get(kind, kind)
        return records.change(account, model, records.stored(account, model, int(object_id)), data)

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        records.remove(account, KINDS.get(kind, kind), int(object_id))


# Injected faults come without a Python exception; a key that was revoked has one.
HTTP_NAMES = {401: "odoo.exceptions.AccessDenied", 403: "odoo.exceptions.AccessDenied"}
VENDOR = Odoo()


def is_key(account: Account, key: str) -> bool:
    accepted = account.credentials().get("api_key")
    return bool(accepted) and key == accepted


def database_of(account: Account) -> str:
    return str(account.setting("database", account.name))


def set_up(account: Account) -> None:
    """A firm as the set-up wizard leaves it; the first partner is the firm itself."""
    if account.objects("res.company"):
        return
    version_of(account)
    rows: list[tuple[str, Row]] = [
        ("res.currency", {"name": "EUR", "active": True}),
        ("res.currency", {"name": "USD", "active": True}),
        ("res.currency", {"name": "JPY", "active": False}),
        ("res.partner", {"name": "Northwind Consulting", "is_company": True}),
        ("res.company", {"name": "Northwind Consulting", "currency_id": 1}),
        ("res.users", {"login": "admin", "name": "Administrator", "company_id": 1, "active": True}),
        ("res.users", {
            "login": "integration@example.com", "email": "sam@northwind.example", "name": "Sam", "company_id": 1,
            "active": True,
        }),
        ("crm.stage", {"name": "New", "is_won": False}),
        ("crm.stage", {"name": "Won", "is_won": True}),
        ("account.tax", {
            "name": "19%", "type_tax_use": "sale", "amount_type": "percent", "amount": 19.0, "active": True,
            "company_id": 1, "price_include": False,
        }),
        ("account.journal", {"name": "Bank", "code": "BNK1", "type": "bank", "company_id": 1}),
        ("product.product", {"name": "Consulting", "default_code": "CONSULT", "active": True}),
        ("product.product", {"name": "Travel", "default_code": "TRAVEL", "active": True}),
    ]  # fmt: skip
    for model, values in rows:
        records.insert(account, model, values)
