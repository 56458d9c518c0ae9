"""How stored objects look in lists and alone: Xero leaves things out, and which ones depends on the question."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.xero.books import Books
from sandbox.xero.contacts import reference_to
from sandbox.xero.wire import JsonDict


def listed_contact(books: Books, contact: JsonDict, paged: bool) -> JsonDict:
    """Lists show empty texts and phone parts not at all."""
    shown = {key: value for key, value in contact.items() if value != ""}
    shown["Phones"] = [{k: v for k, v in phone.items() if v != ""} for phone in contact["Phones"]]
    shown["Addresses"] = [{k: v for k, v in address.items() if v != ""} for address in contact["Addresses"]]
    for key in ("SalesTrackingCategories", "PurchasesTrackingCategories"):
        shown.pop(key, None)
    return {**shown, "HasAttachments": False}


def single_contact(books: Books, contact: JsonDict) -> JsonDict:
    return contact


def listed_invoice(books: Books, invoice: JsonDict, paged: bool) -> JsonDict:
    """Without a page number the lines are left out."""
    shown = {**invoice, "Contact": _contact(books, invoice), "InvoiceAddresses": []}
    if not paged:
        shown["LineItems"] = []
    for key in ("SentToContact", "CurrencyRate"):
        shown.pop(key, None)
    return shown


def single_invoice(books: Books, invoice: JsonDict) -> JsonDict:
    """Alone or after a write: the whole contact, no list of payments while there are none."""
    contact = books.find("contacts", invoice["Contact"]["ContactID"])
    shown = {**invoice, "Contact": contact or invoice["Contact"]}
    for key in ("Payments", "CreditNotes"):
        if not shown[key]:
            shown.pop(key)
    return shown


def listed_payment(books: Books, payment: JsonDict, paged: bool) -> JsonDict:
    invoice = books.find("invoices", payment["Invoice"]["InvoiceID"]) or {}
    short = {
        "Type": invoice.get("Type", "ACCREC"),
        "InvoiceID": payment["Invoice"]["InvoiceID"],
        "InvoiceNumber": invoice.get("InvoiceNumber", ""),
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "IsDiscounted": False,
        "InvoiceAddresses": [],
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "Contact": _contact(books, invoice),
        "LineItems": [],
        "CurrencyCode": invoice.get("CurrencyCode", books.base_currency),
    }
    return {**payment, "Invoice": short}


def single_payment(books: Books, payment: JsonDict) -> JsonDict:
    invoice = books.find("invoices", payment["Invoice"]["InvoiceID"])
    return {**payment, "Invoice": single_invoice(books, invoice) if invoice else payment["Invoice"]}


def _contact(books: Books, invoice: JsonDict) -> JsonDict:
    contact = books.find("contacts", (invoice.get("Contact") or {}).get("ContactID"))
    return reference_to(contact) if contact else {}


LISTED: dict[str, Callable[[Books, JsonDict, bool], JsonDict]] = {
    "Contacts": listed_contact,
    "Invoices": listed_invoice,
    "Payments": listed_payment,
}
SINGLE: dict[str, Callable[[Books, JsonDict], JsonDict]] = {
    "Contacts": single_contact,
    "Invoices": single_invoice,
    "Payments": single_payment,
}
