"""Tokens, error bodies, a company's set-up, and what people do at their screens (control plane)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.account import Account
from sandbox.business_central import records
from sandbox.business_central.records import Row, refusal
from sandbox.oauth import is_valid_access_token
from sandbox.vendor import Call, Vendor, VendorError, json_response

KINDS = {
    "time_entries": "timeRegistrationEntries", "invoices": "salesInvoices", "quotes": "salesQuotes",
    "payments": "customerPayments",
}  # fmt: skip
CODES = {401: "Authentication_InvalidCredentials", 429: "Application_TooManyRequests", 500: "Internal_ServerError"}


class BusinessCentral(Vendor):
    """Settings: `tax_percent` of every sale, `largest_page` the server gives, `manual_numbers` refused when false."""

    name = "business_central"

    def authenticate(self, call: Call) -> None:
        if "/oauth2/v2.0/" in call.path:
            return
        if not is_valid_access_token(call.account, call.request):
            raise VendorError(401, "The server has rejected the client credentials.")
        set_up(call.account)

    def error(self, call: Call, error: VendorError) -> Response:
        code = error.details.get("code") or CODES.get(error.status, "BadRequest")
        return json_response({"error": {"code": code, "message": error.message}}, error.status)

    def raw_objects(self, account: Account, kind: str) -> list[dict[str, Any]]:
        set_up(account)
        rows = list(account.objects(KINDS.get(kind, kind)).values())
        return [row for row in rows if row["type"] == "Person"] if kind == "contacts" else rows

    def create_object(self, account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Property names as in the API; invoices may say {"post": true}, contacts {"customer": id}."""
        set_up(account)
        name, post, customer = KINDS.get(kind, kind), data.pop("post", False), data.pop("customer", None)
        fixed: Row = {"status": data.pop("status")} if kind == "time_entries" and "status" in data else {}
        if customer:
            fixed["contactsInformation"] = [{"relatedId": customer, "relatedType": "Customer"}]
        row = records.insert(account, name, data, fixed=fixed)
        if post:
            records.post_invoice(account, row)
        return account.objects(name)[row["id"]]

    def update_object(self, account: Account, kind: str, object_id: str, data: dict[str, Any]) -> dict[str, Any]:
        name = KINDS.get(kind, kind)
        row = records.existing(account, name, object_id)
        if "paid" in data:
            records.settle_invoice(account, row, float(data["paid"]))
        else:
            records.change(account, name, row, data)
        return account.objects(name)[object_id]

    def delete_object(self, account: Account, kind: str, object_id: str) -> None:
        account.remove(KINDS.get(kind, kind), object_id)


VENDOR = BusinessCentral()
COMPANY_ID = "c0ffee00-0000-4000-8000-000000000001"


def set_up(account: Account) -> None:
    """A company with its books open."""
    if account.objects("companyInformation"):
        return
    records.insert(account, "companyInformation", {"displayName": "Northwind Consulting", "currencyCode": "EUR"})
    records.insert(account, "customerPaymentJournals", {"code": "PAYMENT", "displayName": "Payments"})


def companies(account: Account) -> list[Row]:
    name = str(account.setting("company_name", "Northwind"))
    rows = [{"id": COMPANY_ID, "name": name, "displayName": f"{name} Consulting"}]
    second = {"id": COMPANY_ID[:-1] + "2", "name": "My Company", "displayName": ""}
    return [*rows, second] if account.setting("two_companies") else rows


def require_company(company: str) -> None:
    if company != COMPANY_ID:
        raise refusal("Internal_CompanyNotFound", f"Cannot find company '{company}'.", 404)
