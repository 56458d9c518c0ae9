"""What becomes of the parameters of a write: customers, invoice items, invoices, subscriptions."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.stripe_billing.book import Book
from sandbox.stripe_billing.forms import (
    JsonDict,
    integer,
    known,
    merged_metadata,
    refuse,
    required,
    truth,
)

CUSTOMER = {
    "name",
    "email",
    "phone",
    "description",
    "metadata",
    "address",
    "shipping",
    "tax_id_data",
    "preferred_locales",
}
INVOICE = {"customer", "auto_advance", "collection_method", "days_until_due", "due_date", "description", "metadata",
           "pending_invoice_items_behavior", "footer", "subscription"}  # fmt: skip
ITEM = {
    "customer",
    "invoice",
    "amount",
    "currency",
    "description",
    "quantity",
    "unit_amount",
    "metadata",
    "price",
    "price_data",
}
SUBSCRIPTION = {"customer", "items", "metadata", "collection_method", "days_until_due", "cancel_at_period_end",
                "pause_collection", "trial_end", "cancel_at"}  # fmt: skip
DAY = 86_400


def save_customer(book: Book, values: JsonDict, current: JsonDict | None) -> JsonDict:
    known(values, CUSTOMER)
    email = values.get("email")
    if email and "@" not in email:
        raise refuse(f"Invalid email address: {email}", param="email", code="email_invalid")
    item = copy.deepcopy(current) or {
        "id": book.new_id("customer"), "object": "customer", "address": None, "balance": 0, "created": book.now,
        "currency": None, "default_source": None, "delinquent": False, "description": None, "discount": None,
        "email": None, "invoice_prefix": "SANDBOX", "invoice_settings": {}, "livemode": False, "metadata": {},
        "name": None, "next_invoice_sequence": 1, "phone": None, "preferred_locales": [], "shipping": None,
        "tax_exempt": "none", "test_clock": None, "tax_ids": [],
    }  # fmt: skip
    for name in ("name", "email", "phone", "description"):
        if name in values:
            item[name] = values[name] or None
    for entry in values.get("tax_id_data") or []:
        item["tax_ids"].append({"id": f"txi_{item['id'][4:]}", "object": "tax_id", **entry})
    item["metadata"] = merged_metadata(item["metadata"], values)
    return book.save(item, "customer.updated" if current else "customer.created")


def save_item(book: Book, values: JsonDict) -> JsonDict:
    known(values, ITEM)
    customer = book.require("customer", required(values, "customer"), param="customer", status=400)
    invoice = book.require("invoice", values["invoice"], param="invoice", status=400) if values.get("invoice") else None
    if invoice is not None and invoice["status"] != "draft":
        raise refuse("You can't add items to an invoice that is no longer a draft.", code="invoice_not_editable")
    currency = str(values.get("currency") or customer["currency"] or book.currency)
    if customer["currency"] not in (None, currency):
        raise refuse(f"You cannot combine currencies on a single customer. This customer has {customer['currency']}.")
    if "amount" in values and ("quantity" in values or "unit_amount" in values):
        raise refuse("You may only specify one of these parameters: amount, unit_amount.", param="amount")
    quantity = integer(values, "quantity", 1)
    amount = integer(values, "amount") if "amount" in values else integer(values, "unit_amount") * quantity
    item = {
        "id": book.new_id("invoiceitem"), "object": "invoiceitem", "amount": amount, "currency": currency,
        "customer": customer["id"], "date": book.now, "description": values.get("description"), "discountable": True,
        "discounts": [], "invoice": invoice["id"] if invoice else None, "livemode": False,
        "metadata": merged_metadata({}, values), "period": {"start": book.now, "end": book.now},
        "price": book.price({"currency": currency, "unit_amount": values.get("unit_amount", amount)}),
        "proration": False, "quantity": quantity, "subscription": None, "tax_rates": [], "test_clock": None,
        "unit_amount": amount // quantity if quantity else 0, "unit_amount_decimal": str(amount // quantity if quantity else 0),
    }  # fmt: skip
    book.save({**customer, "currency": currency})
    return book.save(item, "invoiceitem.created")


def new_invoice(book: Book, values: JsonDict) -> JsonDict:
    known(values, INVOICE)
    customer = book.require("customer", required(values, "customer"), param="customer", status=400)
    pending = [item for item in book.all("invoiceitem") if item["customer"] == customer["id"] and not item["invoice"]]
    behavior = values.get("pending_invoice_items_behavior", "include_and_require")
    if behavior == "include_and_require" and not pending:
        raise refuse("Nothing to invoice for customer", code="invoice_no_customer_line_items", param="customer")
    if values.get("collection_method") == "send_invoice" and not (
        values.get("due_date") or values.get("days_until_due")
    ):
        raise refuse("If invoices are sent, one of days_until_due and due_date is needed.", param="days_until_due")
    days = values.get("days_until_due")
    item = {
        "id": book.new_id("invoice"), "object": "invoice", "account_country": "DE", "account_name": "Sandbox",
        "account_tax_ids": None, "amount_paid": 0, "attempt_count": 0, "attempted": False,
        "auto_advance": truth(values, "auto_advance"), "billing_reason": "manual", "charge": None,
        "collection_method": values.get("collection_method", "charge_automatically"), "created": book.now,
        "currency": customer["currency"] or book.currency, "customer": customer["id"], "customer_email": customer["email"],
        "customer_name": customer["name"], "description": values.get("description"), "discount": None, "discounts": [],
        "due_date": integer(values, "due_date", book.now + int(days or 0) * DAY if days else 0) or None,
        "ending_balance": None, "footer": None, "livemode": False, "metadata": merged_metadata({}, values),
        "number": None, "on_behalf_of": None, "paid": False, "paid_out_of_band": False, "payment_intent": None,
        "period_end": book.now, "period_start": book.now, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "starting_balance": 0, "status": "draft",
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
        "subscription": values.get("subscription"), "total_tax_amounts": [], "webhooks_delivered_at": None,
    }  # fmt: skip
    if behavior != "exclude":
        for entry in pending:
            book.save({**entry, "invoice": item["id"]})
    return book.save(item, "invoice.created")


def change_invoice(book: Book, values: JsonDict, invoice: JsonDict) -> JsonDict:
    known(values, INVOICE - {"customer", "subscription", "pending_invoice_items_behavior"})
    if invoice["status"] != "draft" and set(values) - {"metadata", "description", "auto_advance", "footer"}:
        raise refuse("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    item = dict(invoice)
    for name in ("description", "footer"):
        if name in values:
            item[name] = values[name] or None
    if "due_date" in values:
        item["due_date"] = integer(values, "due_date")
    item["metadata"] = merged_metadata(item["metadata"], values)
    return book.save(item, "invoice.updated")


def finalize(book: Book, values: JsonDict, invoice: JsonDict) -> JsonDict:
    known(values, {"auto_advance"})
    if invoice["status"] != "draft":
        raise refuse("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    lines = book.lines_of(invoice)
    number = f"SANDBOX-{book.account.next_number('invoice_number'):04d}"
    times = {**invoice["status_transitions"], "finalized_at": book.now}
    currency = lines[0]["currency"] if lines else invoice["currency"]
    item = book.save({**invoice, "status": "open", "number": number, "status_transitions": times, "currency": currency})
    if book.totaled(item)["total"] == 0:
        item = _paid(book, item, 0)
    book.tell("invoice.finalized", book.show(item))
    return item


def pay(book: Book, values: JsonDict, invoice: JsonDict) -> JsonDict:
    """Out of band, or by a charge of what is open."""
    known(values, {"paid_out_of_band", "payment_method", "source", "off_session", "forgive"})
    if invoice["status"] != "open":
        raise refuse(
            "Invoice is already paid" if invoice["status"] == "paid" else "This invoice can no longer be paid."
        )
    total = book.totaled(invoice)["total"]
    if truth(values, "paid_out_of_band"):
        item = _paid(book, {**invoice, "paid_out_of_band": True}, total)
    else:
        charge = new_charge(
            book,
            {
                "amount": total,
                "currency": invoice["currency"],
                "invoice": invoice["id"],
                "customer": invoice["customer"],
            },
        )
        item = _paid(book, {**invoice, "charge": charge["id"]}, total)
    book.tell("invoice.paid", book.show(item))
    return item


def void(book: Book, values: JsonDict, invoice: JsonDict) -> JsonDict:
    known(values, set())
    if invoice["status"] not in ("open", "uncollectible"):
        raise refuse("You can only pass in open invoices. This invoice isn't open.")
    times = {**invoice["status_transitions"], "voided_at": book.now}
    item = book.save({**invoice, "status": "void", "status_transitions": times})
    book.tell("invoice.voided", book.show(item))
    return item


def new_charge(book: Book, values: JsonDict) -> JsonDict:
    item = {
        "id": book.new_id("charge"), "object": "charge", "amount": int(values["amount"]), "amount_captured": int(values["amount"]),
        "amount_refunded": 0, "billing_details": {}, "captured": True, "created": book.now, "currency": values["currency"],
        "customer": values.get("customer"), "description": None, "disputed": False, "failure_code": None,
        "failure_message": None, "invoice": values.get("invoice"), "livemode": False, "metadata": {}, "paid": True,
        "payment_intent": "pi_sandbox", "payment_method_details": {"type": values.get("method", "card")},
        "receipt_number": values.get("receipt_number"), "refunded": False, "refunds": {"object": "list", "data": [], "has_more": False},
        "status": "succeeded",
    }  # fmt: skip
    if values.get("status") == "failed":
        return book.save({**item, "status": "failed", "paid": False, "amount_captured": 0}, "charge.failed")
    return book.save(item, "charge.succeeded")


def refund(book: Book, charge: JsonDict, amount: int) -> JsonDict:
    refunded = charge["amount_refunded"] + amount
    return book.save(
        {**charge, "amount_refunded": refunded, "refunded": refunded >= charge["amount"]}, "charge.refunded"
    )


def new_subscription(book: Book, values: JsonDict) -> JsonDict:
    known(values, SUBSCRIPTION)
    customer = book.require("customer", required(values, "customer"), param="customer", status=400)
    items = [_subscription_item(book, entry) for entry in required(values, "items")]
    item = {
        "id": book.new_id("subscription"), "object": "subscription", "application_fee_percent": None,
        "automatic_tax": {"enabled": False}, "billing_cycle_anchor": book.now, "cancel_at": None,
        "cancel_at_period_end": False, "canceled_at": None, "collection_method": values.get("collection_method", "charge_automatically"),
        "created": book.now, "current_period_end": book.now + 30 * DAY, "current_period_start": book.now,
        "customer": customer["id"], "days_until_due": values.get("days_until_due"), "ended_at": None,
        "items": {"object": "list", "data": items, "has_more": False}, "latest_invoice": None, "livemode": False,
        "metadata": merged_metadata({}, values), "pause_collection": None, "start_date": book.now, "status": "active",
        "trial_end": None, "trial_start": None,
    }  # fmt: skip
    return book.save(item, "customer.subscription.created")


def change_subscription(book: Book, values: JsonDict, current: JsonDict) -> JsonDict:
    known(values, SUBSCRIPTION - {"customer"})
    if current["status"] == "canceled":
        raise refuse(f"No such subscription: {current['id']}", code="resource_missing", status=404)
    item = {**current, "metadata": merged_metadata(current["metadata"], values)}
    for entry in values.get("items") or []:
        for held in item["items"]["data"]:
            if held["id"] == entry.get("id") and "quantity" in entry:
                held["quantity"] = integer(entry, "quantity")
    if "pause_collection" in values:
        item["pause_collection"] = values["pause_collection"] or None
    return book.save(item, "customer.subscription.updated")


def cancel_subscription(book: Book, current: JsonDict) -> JsonDict:
    times = {"canceled_at": book.now, "ended_at": book.now}
    return book.save({**current, **times, "status": "canceled"}, "customer.subscription.deleted")


def new_quote(book: Book, values: JsonDict) -> JsonDict:
    """Quotes are made by users only."""
    customer = book.require("customer", values["customer"])
    quote_id = book.new_id("quote")
    lines = [
        {"id": f"li_{quote_id[3:]}_{number}", "object": "item", "amount_subtotal": line["amount"], "amount_total": line["amount"],
         "currency": book.currency, "description": line["description"], "quantity": line.get("quantity", 1),
         "price": book.price({"unit_amount": line["amount"] // line.get("quantity", 1)})}
        for number, line in enumerate(values["lines"])
    ]  # fmt: skip
    total = sum(line["amount_total"] for line in lines)
    item = {
        "id": quote_id, "object": "quote", "amount_subtotal": total, "amount_total": total, "created": book.now,
        "currency": book.currency, "customer": customer["id"], "description": values.get("description"), "discounts": [],
        "expires_at": book.now + 30 * DAY, "livemode": False, "metadata": {}, "number": None, "status": values.get("status", "draft"),
        "status_transitions": {"accepted_at": None, "canceled_at": None, "finalized_at": None}, "line_items": lines,
    }  # fmt: skip
    return book.save(item, "quote.created")


def _paid(book: Book, invoice: JsonDict, amount: int) -> JsonDict:
    times = {**invoice["status_transitions"], "paid_at": book.now}
    return book.save({**invoice, "status": "paid", "paid": True, "amount_paid": amount, "status_transitions": times})


def _subscription_item(book: Book, entry: Any) -> JsonDict:
    data = entry.get("price_data")
    if not data:
        raise refuse("items[0][price_data] is the only way to a price here.", param="items[0][price]")
    rhythm = {
        "interval": required(data["recurring"], "interval"),
        "interval_count": integer(data["recurring"], "interval_count", 1),
    }
    if rhythm["interval"] not in ("day", "week", "month", "year"):
        raise refuse(f"Invalid interval: {rhythm['interval']}", param="items[0][price_data][recurring][interval]")
    required(data, "product")
    price = book.price(data, recurring={**rhythm, "usage_type": data.get("usage_type", "licensed")})
    quantity = integer(entry, "quantity", 1)
    return {"id": book.new_id("subscription_item"), "object": "subscription_item", "billing_thresholds": None,
            "created": book.now, "metadata": {}, "price": price, "quantity": quantity, "tax_rates": []}  # fmt: skip
