"""QuickBooks' documents made plain: what is only implied by lines, balances and links, said as fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.connectors.sdk.types import JsonDict

VOID_NOTE = "Voided"


def amount(value: Any) -> Decimal:
    """Exactly as printed; QuickBooks sends JSON numbers."""
    return Decimal(str(value or 0))


def invoice_fields(item: JsonDict) -> JsonDict:
    """Status, net, tax and what is paid. QuickBooks knows no status: it follows from balance and note."""
    total, due = amount(item.get("TotalAmt")), amount(item.get("Balance"))
    tax = amount((item.get("TxnTaxDetail") or {}).get("TotalTax"))
    return {
        "Status": _status(item, total, due),
        "SubTotal": str(total - tax),
        "TotalTax": str(tax),
        "TotalAmt": str(total),
        "Balance": str(due),
        "Paid": str(total - due),
        "Lines": whole_lines(item, total - tax),
    }


def _status(item: JsonDict, total: Decimal, due: Decimal) -> str:
    """Voiding keeps the document, makes every amount nothing and writes "Voided" before its private note."""
    if total == 0 and str(item.get("PrivateNote") or "").startswith(VOID_NOTE):
        return "void"
    return "paid" if due == 0 else "open"


def whole_lines(item: JsonDict, net: Decimal) -> list[JsonDict]:
    """The lines, with one more for what they do not show: statement charges count in the subtotal only (recorded)."""
    lines = sales_lines(item)
    rest = net - sum((Decimal(line["Amount"]) for line in lines), Decimal(0))
    return [*lines, _line("Other charges", Decimal(1), rest, rest)] if rest else lines


def sales_lines(item: JsonDict) -> list[JsonDict]:
    """Every line that adds to the net amount; bundles are opened, subtotals left out, discounts negative."""
    found: list[JsonDict] = []
    for line in item.get("Line") or []:
        kind = line.get("DetailType")
        detail = line.get(kind) or {}
        if kind == "GroupLineDetail":
            found += sales_lines(detail)
        elif kind == "SalesItemLineDetail":
            found.append(_sold(line, detail))
        elif kind == "DiscountLineDetail":
            reduction = -amount(line.get("Amount"))
            found.append(_line(line.get("Description") or "Discount", Decimal(1), reduction, reduction))
        elif kind == "DescriptionOnly":
            found.append(_line(line.get("Description") or "", Decimal(0), Decimal(0), Decimal(0)))
    return found


def _sold(line: JsonDict, detail: JsonDict) -> JsonDict:
    """Quantity and price are often left out: then it is one piece at the line's amount."""
    total = amount(line.get("Amount"))
    quantity = amount(detail.get("Qty")) if detail.get("Qty") is not None else Decimal(1)
    price = amount(detail.get("UnitPrice")) if detail.get("UnitPrice") is not None else total
    name = (detail.get("ItemRef") or {}).get("name")
    return _line(line.get("Description") or name or "", quantity, price, total)


def _line(description: str, quantity: Decimal, price: Decimal, total: Decimal) -> JsonDict:
    return {
        "Description": description,
        "Qty": f"{quantity.normalize():f}",
        "UnitPrice": str(price),
        "Amount": str(total),
    }


def linked_invoice(item: JsonDict) -> str | None:
    """The invoice a payment pays; None when it pays several, or none yet."""
    links = [link for line in item.get("Line") or [] for link in line.get("LinkedTxn") or []]
    invoices = {link["TxnId"] for link in links if link.get("TxnType") == "Invoice"}
    return invoices.pop() if len(invoices) == 1 else None
