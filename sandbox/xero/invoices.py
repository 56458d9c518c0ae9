"""Invoices: lines with tax, the number sequence, and the states a document may pass through."""

from __future__ import annotations

import uuid
from decimal import Decimal

from sandbox.xero import wire
from sandbox.xero.books import CURRENCIES, TAX_RATES, Books, Invalid, cents, parse_day
from sandbox.xero.contacts import save_contact
from sandbox.xero.wire import JsonDict

_NEXT_STATES = {
    None: {"DRAFT", "SUBMITTED", "AUTHORISED"},
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}
_LINE_AMOUNT_TYPES = ("Exclusive", "Inclusive", "NoTax")


def save_invoice(books: Books, fields: JsonDict) -> JsonDict:
    """Create (no InvoiceID) or change one invoice; everything is validated before anything is stored."""
    existing = _existing(books, fields)
    invoice = dict(existing) if existing else _blank(books)
    _apply_status(invoice, fields, existing)
    _apply_head(books, invoice, fields, existing)
    if "LineItems" in fields or "LineAmountTypes" in fields:
        _apply_lines(books, invoice, fields)
    _check_ready(invoice)
    _apply_contact(books, invoice, fields)
    _apply_number(books, invoice, fields)
    recompute(invoice)
    return books.save("invoices", invoice["InvoiceID"], invoice, created=existing is None)


def recompute(invoice: JsonDict) -> None:
    """Totals from the lines, what is due from what was paid, PAID when nothing is left."""
    lines = invoice["LineItems"]
    net = sum((Decimal(str(line["LineAmount"])) for line in lines), Decimal(0))
    tax = sum((Decimal(str(line["TaxAmount"])) for line in lines), Decimal(0))
    if invoice["LineAmountTypes"] == "Inclusive":
        net -= tax
    paid = sum((Decimal(str(payment["Amount"])) for payment in invoice["Payments"]), Decimal(0))
    closed = invoice["Status"] in ("VOIDED", "DELETED")
    invoice["SubTotal"], invoice["TotalTax"] = wire.number(net), wire.number(tax)
    invoice["Total"] = wire.number(net + tax)
    invoice["AmountPaid"] = wire.number(paid)
    invoice["AmountDue"] = 0 if closed else wire.number(net + tax - paid)
    if invoice["Status"] in ("AUTHORISED", "PAID"):
        invoice["Status"] = "PAID" if net + tax - paid == 0 and paid else "AUTHORISED"


def _existing(books: Books, fields: JsonDict) -> JsonDict | None:
    invoice_id = fields.get("InvoiceID")
    if not invoice_id:
        return None
    invoice = books.find("invoices", invoice_id)
    if invoice is None:
        raise Invalid("Invoice not found")
    if invoice["Payments"]:
        raise Invalid("This document cannot be edited as it has a payment or credit note allocated to it.")
    if invoice["Status"] in ("PAID", "VOIDED", "DELETED"):
        raise Invalid("Invoice not of valid status for modification")
    return invoice


def _blank(books: Books) -> JsonDict:
    return {
        "Type": "ACCREC",
        "InvoiceID": str(uuid.uuid4()),
        "InvoiceNumber": "",
        "Reference": "",
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": 0,
        "AmountPaid": 0,
        "AmountCredited": 0,
        "SentToContact": False,
        "CurrencyRate": 1,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "InvoicePaymentServices": [],
        "Contact": {},
        "Status": None,
        "LineAmountTypes": "Exclusive",
        "LineItems": [],
        "CurrencyCode": books.base_currency,
    }


def _apply_status(invoice: JsonDict, fields: JsonDict, existing: JsonDict | None) -> None:
    before = existing["Status"] if existing else None
    wanted = fields.get("Status", before or "DRAFT")
    if wanted not in _NEXT_STATES.get(before, set()):
        raise Invalid("Invoice not of valid status for modification" if before else f"Status {wanted} is not valid")
    invoice["Status"] = wanted


def _apply_head(books: Books, invoice: JsonDict, fields: JsonDict, existing: JsonDict | None) -> None:
    if existing is None:
        if fields.get("Type") not in ("ACCREC", "ACCPAY"):
            raise Invalid("Invoice Type is not valid")
        invoice["Type"] = fields["Type"]
    currency = fields.get("CurrencyCode") or invoice["CurrencyCode"]
    if currency not in CURRENCIES:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    invoice["CurrencyCode"] = currency
    if "Reference" in fields:
        invoice["Reference"] = str(fields["Reference"] or "")[:255]
    if "Url" in fields:
        invoice["Url"] = str(fields["Url"])
    if existing is None or "Date" in fields:
        invoice.update(wire.date_fields("Date", parse_day(fields.get("Date") or books.now.isoformat(), "Date")))
    if fields.get("DueDate"):
        invoice.update(wire.date_fields("DueDate", parse_day(fields["DueDate"], "DueDate")))


def _apply_contact(books: Books, invoice: JsonDict, fields: JsonDict) -> None:
    given = fields.get("Contact") or {}
    contact = None
    if given.get("ContactID"):
        contact = books.find("contacts", given["ContactID"])
        if contact is None:
            raise Invalid("The contact ID does not exist in this organisation")
    elif given.get("Name"):
        contact = save_contact(books, {"Name": given["Name"]}, upsert=True)
    if contact is not None:
        contact["IsCustomer" if invoice["Type"] == "ACCREC" else "IsSupplier"] = True
        books.account.put("contacts", contact["ContactID"], contact)
        invoice["Contact"] = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
    if not invoice["Contact"]:
        raise Invalid("A Contact must be specified for this type of transaction")


def _apply_number(books: Books, invoice: JsonDict, fields: JsonDict) -> None:
    wanted = str(fields.get("InvoiceNumber") or invoice["InvoiceNumber"])
    if invoice["Type"] == "ACCPAY":
        invoice["InvoiceNumber"] = wanted
        return
    while not wanted:
        candidate = f"INV-{books.account.next_number('invoice'):04d}"
        wanted = "" if books.owner("invoices", "InvoiceNumber", candidate) else candidate
    if books.owner("invoices", "InvoiceNumber", wanted) not in (None, invoice["InvoiceID"]):
        raise Invalid("Invoice # must be unique.")
    invoice["InvoiceNumber"] = wanted


def _apply_lines(books: Books, invoice: JsonDict, fields: JsonDict) -> None:
    kind = fields.get("LineAmountTypes", invoice["LineAmountTypes"])
    if kind not in _LINE_AMOUNT_TYPES:
        raise Invalid("LineAmountTypes is not valid")
    invoice["LineAmountTypes"] = kind
    given = fields.get("LineItems") or invoice["LineItems"]
    invoice["LineItems"] = [_line(books, line, kind, invoice["Type"]) for line in given]


def _line(books: Books, given: JsonDict, kind: str, document: str) -> JsonDict:
    quantity = wire.decimal(given.get("Quantity", 1))
    unit = wire.decimal(given.get("UnitAmount", 0))
    if quantity is None or unit is None:
        raise Invalid("Quantity and UnitAmount must be numbers")
    amount = cents(quantity * unit)
    stated = wire.decimal(given.get("LineAmount", amount))
    if stated is None or cents(stated) != amount:
        raise Invalid(f"The line total {given['LineAmount']} does not match the expected line total {amount}")
    code = given.get("AccountCode") or ("200" if document == "ACCREC" else "310")
    account = books.ledger_account({"Code": code})
    if account is None or account["Type"] == "BANK":
        raise Invalid(f"Account code '{code}' is not a valid code for this document.")
    tax_type = given.get("TaxType") or account["TaxType"]
    if tax_type not in TAX_RATES:
        raise Invalid(f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction.")
    return {
        "Description": str(given.get("Description") or ""),
        "UnitAmount": wire.number(unit),
        "TaxType": tax_type,
        "TaxAmount": wire.number(_tax(amount, TAX_RATES[tax_type][1], kind)),
        "LineAmount": wire.number(amount),
        "AccountCode": code,
        "Tracking": [],
        "Quantity": wire.number(quantity),
        "LineItemID": given.get("LineItemID") or str(uuid.uuid4()),
        "AccountID": account["AccountID"],
    }


def _tax(amount: Decimal, rate: Decimal, kind: str) -> Decimal:
    if kind == "NoTax":
        return Decimal(0)
    base = amount if kind == "Exclusive" else amount * 100 / (100 + rate)
    return cents(base * rate / 100)


def _check_ready(invoice: JsonDict) -> None:
    """What Xero demands of a document that leaves the drafts."""
    if invoice["Status"] not in ("SUBMITTED", "AUTHORISED"):
        return
    messages = []
    if not invoice["LineItems"]:
        messages.append("One or more line items must be specified")
    if any(not line["Description"] for line in invoice["LineItems"]):
        messages.append("Description is required for each line item")
    if "DueDate" not in invoice:
        messages.append("DueDate is required when the invoice is approved or submitted for approval")
    if messages:
        raise Invalid(*messages)
