"""Keys, error pages, and what a person at Tryton's client does (control plane)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.tryton import rules, sales
from sandbox.tryton.records import Row, row_of, rows_of
from sandbox.tryton.schema import MODELS
from sandbox.tryton.wire import tag_date, tag_decimal, tag_seconds
from sandbox.vendor import Call, Vendor, VendorError, bearer_token, json_response

PEOPLE = {"company": 1}
KINDS = {
    "parties": "party.party", "employees": "company.employee", "projects": "project.work", "tasks": "project.work",
    "timesheet_lines": "timesheet.line", "invoices": "account.invoice", "payments": "account.move.line",
    "quotes": "sale.sale", "contracts": "sale.subscription",
}  # fmt: skip


class Tryton(Vendor):
    name = "tryton"

    def authenticate(self, call: Call) -> None:
        found = found_company(call.account)
        key = call.account.credentials().get("api_key")
        if not found or not key or bearer_token(call.request) != key:
            raise VendorError(401, "The server could not verify that you are authorized to access the URL requested.")

    def error(self, call: Call, error: VendorError) -> Response:
        """User errors come as JSON; everything else is a page made for people."""
        if error.status == 400:
            return json_response({"status": 400, "message": error.message, "description": ""}, 400)
        known = default_exceptions.get(error.status)
        title = known().name if known else "Error"
        page = f"<!doctype html>\n<html lang=en>\n<title>{error.status} {title}</title>\n<h1>{title}</h1>\n<p>{error.message}</p>\n"
        return Response(page, status=error.status, content_type="text/html; charset=utf-8")

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        found_company(account)
        rows = rows_of(account, KINDS.get(kind, kind))
        if kind in ("projects", "tasks"):
            return [row for row in rows if row["type"] == kind.removesuffix("s")]
        if kind == "payments":
            return [row for row in rows if row["invoice_payment"]]
        return rows

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Kinds: parties, employees, projects, tasks, timesheet_lines, invoices, payments."""
        found_company(account)
        return MAKERS[kind](account, data)

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        model = KINDS[kind]
        row = row_of(account, model, object_id)
        if row is None:
            raise VendorError(404, "not found")
        rules.change(account, model, row, data)
        return account.objects(model)[object_id]

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        rules.removed(account, KINDS.get(kind, kind), int(object_id))


VENDOR = Tryton()


def found_company(account: Account) -> Row:
    """The firm whose Tryton this is, set up on first sight."""
    if not rows_of(account, "company.company"):
        set_up(account)
    return rows_of(account, "company.company")[0]


def set_up(account: Account) -> None:
    """A company with a chart of accounts, as the set-up wizards leave it."""
    rows: list[tuple[str, Row]] = [
        ("currency.currency", {"code": "USD", "digits": 2}),
        ("currency.currency", {"code": "EUR", "digits": 2}),
        ("company.company", {"party": None, "currency": 2}),
        ("project.work.status", {"name": "Open", "types": ["project", "task"], "progress": None, "default": True}),
        ("project.work.status", {"name": "Done", "types": ["project", "task"], "progress": 1.0, "default": False}),
        ("account.account.type", {"revenue": True, "receivable": False}),
        ("account.account.type", {"revenue": False, "receivable": True}),
        ("account.account.type", {"revenue": False, "receivable": False}),
        ("account.account", {"code": "4.1.1", "name": "Goods", "closed": None, "type": 1, "company": 1}),
        ("account.account", {"code": "1.2.1", "name": "Receivable", "closed": None, "type": 2, "company": 1}),
        ("account.account", {"code": "6.3.6", "name": "Tax", "closed": None, "type": 3, "company": 1}),
        ("account.journal", {"name": "Revenue", "code": "REV", "type": "revenue"}),
        ("account.journal", {"name": "Cash", "code": "CASH", "type": "cash"}),
        ("account.configuration", {"default_account_receivable": 2}),
        ("sale.subscription.recurrence.rule.set", {"name": "Monthly"}),
        *(("ir.model", {"name": name}) for name in MODELS),
    ]
    name = account.setting("company_name", account.name.replace("-", " ").title())
    rules.new_row(account, "party.party", {"name": name}, PEOPLE, [])
    for model, values in rows:
        rules.insert(account, model, values, [])
    rules.change(account, "company.company", account.objects("company.company")["1"], {"party": 1})


def make_party(account: Account, data: Row) -> Row:
    contacts = [{"type": kind, "value": data[kind]} for kind in ("email", "phone", "website") if data.get(kind)]
    values: Row = {"name": data["name"], "addresses": [["create", [{}]]]}
    if contacts:
        values["contact_mechanisms"] = [["create", contacts]]
    return rules.new_row(account, "party.party", values, PEOPLE, [])


def make_employee(account: Account, data: Row) -> Row:
    party = make_party(account, data)
    return rules.new_row(account, "company.employee", {"party": party["id"], "company": 1}, PEOPLE, [])


def make_project(account: Account, data: Row) -> Row:
    values = {"name": data["name"], "type": "project", "party": data.get("party"), "timesheet_available": True}
    return rules.new_row(account, "project.work", values, PEOPLE, [])


def make_task(account: Account, data: Row) -> Row:
    values: Row = {"name": data["name"], "type": "task", "parent": data.get("project"), "timesheet_available": True}
    if data.get("effort_seconds") is not None:
        values["effort_duration"] = tag_seconds(data["effort_seconds"])
    return rules.new_row(account, "project.work", values, PEOPLE, [])


def make_line(account: Account, data: Row) -> Row:
    """`work` is the project or task."""
    origin = f"project.work,{data['work']}"
    work = next(row for row in rows_of(account, "timesheet.work") if row["origin"] == origin)
    values = {
        "employee": data["employee"], "work": work["id"], "date": tag_date(data["date"]),
        "duration": tag_seconds(data["duration_seconds"]), "description": data.get("description"),
    }  # fmt: skip
    return rules.new_row(account, "timesheet.line", values, PEOPLE, [])


def make_invoice(account: Account, data: Row) -> Row:
    """`lines` are {description, quantity, unit_price}; posted unless `post` is false."""
    party = data["party"]
    address = rules.children(account, "party.address", "party", party)[0]["id"]
    lines = [
        {
            "type": "line", "company": 1, "currency": 2, "account": 1, "description": line["description"],
            "quantity": float(line["quantity"]), "unit_price": tag_decimal(line["unit_price"]),
        }
        for line in data["lines"]
    ]  # fmt: skip
    values = {
        "type": "out", "party": party, "invoice_address": address, "currency": 2, "journal": 1, "account": 2,
        "reference": data.get("reference"), "invoice_date": tag_date(data.get("date")),
        "payment_term_date": tag_date(data.get("due_date")), "lines": [["create", lines]],
    }  # fmt: skip
    invoice = rules.new_row(account, "account.invoice", values, PEOPLE, [])
    if data.get("post", True):
        rules.post_invoice(account, invoice, {"_skip_warnings": True})
    return account.objects("account.invoice")[str(invoice["id"])]


def make_payment(account: Account, data: Row) -> Row:
    """{invoice, amount, date}; today when no date is given."""
    day = date.fromisoformat(data["date"]) if data.get("date") else account.now().date()
    return rules.pay_invoice(account, int(data["invoice"]), Decimal(str(data["amount"])), day)


MAKERS = {
    "parties": make_party, "employees": make_employee, "projects": make_project, "tasks": make_task,
    "timesheet_lines": make_line, "invoices": make_invoice, "payments": make_payment,
    "quotes": sales.make_quote, "contracts": sales.make_contract,
}  # fmt: skip
