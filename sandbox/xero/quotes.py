"""Quotes: a contact, lines without tax, a state; read by programs, made by users."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

from sandbox.xero import wire
from sandbox.xero.books import Books, Invalid, cents, parse_day
from sandbox.xero.contacts import reference_to
from sandbox.xero.wire import JsonDict

_STATES = ("DRAFT", "SENT", "DECLINED", "ACCEPTED", "INVOICED", "DELETED")


def save_quote(books: Books, fields: JsonDict) -> JsonDict:
    """Create (no QuoteID) or change one quote."""
    existing = books.find("quotes", fields.get("QuoteID"))
    contact = books.find("contacts", (fields.get("Contact") or (existing or {}).get("Contact") or {}).get("ContactID"))
    if contact is None:
        raise Invalid("Contact cannot be empty")
    if fields.get("Status", "DRAFT") not in _STATES:
        raise Invalid("Status is not valid")
    day = parse_day(fields.get("Date") or books.now.isoformat(), "Date")
    quote = existing or {
        "QuoteID": str(uuid.uuid4()),
        "QuoteNumber": f"QU-{books.account.next_number('quote'):04d}",
        "Status": "DRAFT",
        "CurrencyCode": books.base_currency,
        "CurrencyRate": 1,
        "LineAmountTypes": "EXCLUSIVE",
        **wire.date_fields("Date", day),
        **wire.date_fields("ExpiryDate", day + timedelta(days=30)),
    }
    quote |= {name: fields[name] for name in ("Title", "Summary", "Reference", "Status") if name in fields}
    quote["Contact"] = {key: reference_to(contact)[key] for key in ("ContactID", "Name")}
    if existing is None or "LineItems" in fields:
        quote["LineItems"] = [_line(line) for line in fields.get("LineItems") or []]
    net = sum((Decimal(str(line["LineAmount"])) for line in quote["LineItems"]), Decimal(0))
    quote |= {"SubTotal": wire.number(net), "TotalTax": 0, "Total": wire.number(net), "TotalDiscount": 0}
    return books.save("quotes", quote["QuoteID"], quote, created=existing is None)


def _line(line: JsonDict) -> JsonDict:
    quantity, price = wire.decimal(line.get("Quantity", 1)), wire.decimal(line.get("UnitAmount", 0))
    if quantity is None or price is None:
        raise Invalid("Quantity and unit amount must be numbers")
    return {
        "LineItemID": str(uuid.uuid4()),
        "Description": line.get("Description", ""),
        "Quantity": wire.number(quantity),
        "UnitAmount": wire.number(price),
        "LineAmount": wire.number(cents(quantity * price)),
    }
