"""Payments against authorized invoices, and their reversal."""

from __future__ import annotations

import uuid
from decimal import Decimal

from sandbox.xero import wire
from sandbox.xero.books import Books, Invalid, cents, parse_day
from sandbox.xero.invoices import recompute
from sandbox.xero.wire import JsonDict


def save_payment(books: Books, fields: JsonDict) -> JsonDict:
    """Pay (part of) an invoice; the invoice turns PAID when nothing is left."""
    invoice = _invoice(books, fields)
    account = books.ledger_account(fields.get("Account") or {"Code": "090"})
    if account is None or not account["EnablePaymentsToAccount"]:
        raise Invalid("Account could not be found or does not accept payments")
    amount = _amount(fields, invoice)
    day = parse_day(fields.get("Date") or books.now.isoformat(), "Date")
    payment: JsonDict = {
        "PaymentID": str(uuid.uuid4()),
        "Date": wire.ms_date(day),
        "BankAmount": wire.number(amount),
        "Amount": wire.number(amount),
        "Reference": str(fields.get("Reference") or ""),
        "CurrencyRate": 1,
        "PaymentType": "ACCRECPAYMENT" if invoice["Type"] == "ACCREC" else "ACCPAYPAYMENT",
        "Status": "AUTHORISED",
        "HasAccount": True,
        "IsReconciled": bool(fields.get("IsReconciled", False)),
        "Account": {"AccountID": account["AccountID"], "Code": account["Code"], "Name": account["Name"]},
        "Invoice": {"InvoiceID": invoice["InvoiceID"]},
        "HasValidationErrors": False,
    }
    books.save("payments", payment["PaymentID"], payment, created=True)
    invoice["Payments"] = [*invoice["Payments"], _on_invoice(payment)]
    recompute(invoice)
    if invoice["Status"] == "PAID":
        invoice["FullyPaidOnDate"] = wire.ms_date(day)
    books.save("invoices", invoice["InvoiceID"], invoice, created=False)
    return payment


def delete_payment(books: Books, payment: JsonDict) -> JsonDict:
    """Reverse a payment: it stays in the list as DELETED and the invoice is due again."""
    if payment["Status"] == "DELETED":
        raise Invalid("Payment has already been deleted")
    payment = {**payment, "Status": "DELETED"}
    books.save("payments", payment["PaymentID"], payment, created=False)
    invoice = books.find("invoices", payment["Invoice"]["InvoiceID"])
    if invoice is not None:
        invoice["Payments"] = [p for p in invoice["Payments"] if p["PaymentID"] != payment["PaymentID"]]
        invoice.pop("FullyPaidOnDate", None)
        recompute(invoice)
        books.save("invoices", invoice["InvoiceID"], invoice, created=False)
    return payment


def _invoice(books: Books, fields: JsonDict) -> JsonDict:
    given = fields.get("Invoice") or {}
    number = given.get("InvoiceNumber") or fields.get("InvoiceNumber")
    invoice = books.find("invoices", given.get("InvoiceID"))
    if invoice is None and number:
        invoice = next((i for i in books.all("invoices") if i["InvoiceNumber"] == number), None)
    if invoice is None:
        raise Invalid("Invoice could not be found")
    if invoice["Status"] != "AUTHORISED":
        raise Invalid("Payments can only be made against Authorised documents")
    return invoice


def _amount(fields: JsonDict, invoice: JsonDict) -> Decimal:
    amount = wire.decimal(fields.get("Amount"))
    if amount is None or amount <= 0:
        raise Invalid("Payment amount must be greater than zero")
    if cents(amount) > Decimal(str(invoice["AmountDue"])):
        raise Invalid("Payment amount exceeds the amount outstanding on this document")
    return cents(amount)


def _on_invoice(payment: JsonDict) -> JsonDict:
    keys = ("PaymentID", "Date", "Amount", "Reference", "CurrencyRate", "HasAccount", "HasValidationErrors")
    return {key: payment[key] for key in keys}
