"""The invoice as a document: words, formatted for the account's locale, on the partner's letterhead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.billing.models import Invoice, InvoiceLine
from apps.branding.letterhead import render_document
from apps.branding.selectors import current_brand
from apps.core.formats import format_date, format_money, format_number, format_unit_price
from apps.core.money import Money
from apps.core.regions import country_name

_REVERSE_CHARGE = "Reverse charge: the recipient is liable for value added tax."


def render_invoice_pdf(invoice: Invoice) -> bytes:
    """This function will typeset the invoice; an open invoice always yields what its snapshots say."""
    return render_document("invoice", brand=current_brand(), data=_content(invoice))


def _content(invoice: Invoice) -> dict[str, Any]:
    locale = invoice.account.locale

    def money(amount: int) -> str:
        return format_money(Money(amount, invoice.currency), locale)

    lines = list(invoice.lines.order_by("position"))
    return {
        "heading": "Invoice",
        "number": invoice.number or "",
        "sender": [invoice.issuer.get("name", ""), *_address(invoice.issuer)],
        "facts": _facts(invoice, locale),
        "recipient": _recipient(invoice),
        "lines": [_line(line, invoice.currency, locale) for line in lines],
        "totals": [["Subtotal", money(invoice.subtotal_amount)], *_taxes(invoice, money)],
        "total": ["Total due", money(invoice.total_amount)],
        "note": _REVERSE_CHARGE if any(row["category"] == "AE" for row in invoice.tax_breakdown) else "",
        "payment": invoice.issuer.get("payment_instructions", ""),
    }


def _facts(invoice: Invoice, locale: str) -> list[list[str]]:
    return [
        ["Number", invoice.number or "Draft"],
        ["Date", format_date(invoice.issue_date, locale) if invoice.issue_date else ""],
        ["Due", format_date(invoice.due_date, locale) if invoice.due_date else ""],
        ["Service period", _period(invoice, locale)],
        ["Our tax id", invoice.issuer.get("tax_id", "")],
        ["Your tax id", invoice.recipient.get("tax_id", "")],
    ]


def _period(invoice: Invoice, locale: str) -> str:
    if invoice.period is None:
        return ""
    zone = ZoneInfo(invoice.account.time_zone)
    first = invoice.period.period_start.astimezone(zone).date()
    last = invoice.period.period_end.astimezone(zone).date() - timedelta(days=1)
    return f"{format_date(first, locale)} – {format_date(last, locale)}"


def _recipient(invoice: Invoice) -> dict[str, Any]:
    recipient = invoice.recipient
    return {
        "name": recipient.get("name", ""),
        "lines": [*_address(recipient), *filter(None, [_country(invoice)])],
    }


def _country(invoice: Invoice) -> str:
    code = invoice.recipient.get("country", "")
    return country_name(code, invoice.account.locale) if code else ""


def _address(party: Mapping[str, str]) -> list[str]:
    """Its lines; many begin with the name, which stands above already."""
    lines = [line.strip() for line in party.get("address", "").splitlines() if line.strip()]
    return lines[1:] if lines[:1] == [party.get("name", "")] else lines


def _line(line: InvoiceLine, currency: str, locale: str) -> dict[str, str]:
    return {
        "description": line.description,
        "quantity": format_number(line.quantity.normalize(), locale),
        "unit_price": format_unit_price(line.unit_amount, currency, locale),
        "amount": format_money(Money(line.amount, currency), locale),
    }


def _taxes(invoice: Invoice, money: Callable[[int], str]) -> list[list[str]]:
    return [[label, money(amount)] for label, amount in invoice.tax_lines]
