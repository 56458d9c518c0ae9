"""What Odoo computes, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.account import Account
from sandbox.odoo.records import (
    USER_ERROR,
    VALIDATION_ERROR,
    Row,
    after_write,
    change,
    children,
    insert,
    odoo_error,
    row_of,
    rows_of,
    save,
    stored,
    version_of,
)

Button = Callable[[Account, list[int], Row], Any]
BUTTONS: dict[tuple[str, str], Button] = {}
CENT = Decimal("0.01")
MOVE_LINES = ["account.move.line", "move_id"]
ORDER_LINES = ["sale.order.line", "order_id"]


def button(model: str, name: str) -> Callable[[Button], Button]:
    def register(function: Button) -> Button:
        BUTTONS[model, name] = function
        return function

    return register


def cents(value: Any) -> Decimal:
    return Decimal(str(value or 0)).quantize(CENT, rounding=ROUND_HALF_UP)


def product(quantity: Any, price: Any) -> Decimal:
    exact = Decimal(str(quantity or 0)) * Decimal(str(price or 0))
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


@after_write("res.partner")
def partner_written(account: Account, row: Row) -> None:
    website = row.get("website") or False
    if website and "://" not in website:
        website = f"http://{website}"
    head = row
    while not head.get("is_company") and (parent := row_of(account, "res.partner", head.get("parent_id"))):
        head = parent
    save(account, "res.partner", {**row, "website": website, "commercial_partner_id": head["id"]}, touch=False)


@after_write("project.project")
def project_written(account: Account, row: Row) -> None:
    """Each project gets an analytic account to book its costs on."""
    field = "account_id" if version_of(account) >= 19 else "analytic_account_id"
    if not row.get(field):
        made = insert(account, "account.analytic.account", {"name": row["name"]})
        save(account, "project.project", {**row, field: made["id"]}, touch=False)


@after_write("account.analytic.line")
def timesheet_written(account: Account, row: Row) -> None:
    if not row.get("project_id"):
        return
    employee = row_of(account, "hr.employee", row.get("employee_id"))
    if employee is None or not employee.get("active", True):
        message = "Timesheets must be created with an active employee in the selected companies."
        account.remove("account.analytic.line", str(row["id"]))
        raise odoo_error(VALIDATION_ERROR, message)


@after_write("project.milestone")
def milestone_written(account: Account, row: Row) -> None:
    reached = row.get("reached_date") or account.now().date().isoformat() if row.get("is_reached") else False
    save(account, "project.milestone", {**row, "reached_date": reached}, touch=False)


@after_write("account.move")
def move_written(account: Account, row: Row) -> None:
    """Totals. They are stored values: when a payment changes the residual, the invoice counts as written."""
    untaxed = tax = Decimal(0)
    for line in children(account, MOVE_LINES, row["id"]):
        amount = product(line.get("quantity"), line.get("price_unit"))
        save(account, "account.move.line", {**line, "price_subtotal": float(amount)}, touch=False)
        if line.get("display_type") == "product":
            untaxed += amount
            rates = [stored(account, "account.tax", found)["amount"] for found in line.get("tax_ids") or []]
            tax += sum((product(amount, Decimal(str(rate)) / 100) for rate in rates), Decimal(0))
    paid = cents(row.get("paid"))
    total = untaxed + tax
    head = row_of(account, "res.partner", row.get("partner_id"))
    computed = {
        "amount_untaxed": float(untaxed), "amount_tax": float(tax), "amount_total": float(total),
        "amount_residual": float(total - paid) if row["state"] == "posted" else 0.0,
        "commercial_partner_id": head["commercial_partner_id"] if head else False,
    }  # fmt: skip
    save(account, "account.move", {**row, **computed}, touch=False)


@after_write("sale.order")
def order_written(account: Account, row: Row) -> None:
    total = Decimal(0)
    for line in children(account, ORDER_LINES, row["id"]):
        amount = product(line.get("product_uom_qty"), line.get("price_unit"))
        save(account, "sale.order.line", {**line, "price_subtotal": float(amount)}, touch=False)
        total += amount
    valid = row.get("validity_date")
    expired = bool(valid and date.fromisoformat(valid) < account.now().date() and row["state"] in ("draft", "sent"))
    computed = {
        "name": row.get("name") or f"S{row['id']:05}", "amount_total": float(total), "is_expired": expired,
        "date_order": row.get("date_order") or account.now().isoformat(),
    }  # fmt: skip
    save(account, "sale.order", {**row, **computed}, touch=False)


@button("account.move", "action_post")
def post(account: Account, ids: list[int], context: Row) -> bool:
    for move_id in ids:
        move = stored(account, "account.move", move_id)
        if move["state"] != "draft":
            raise odoo_error(USER_ERROR, f"The entry {move.get('name')} (id {move_id}) must be in draft.")
        if not move.get("partner_id"):
            message = "The field 'Customer' is required, please complete it to validate the Customer Invoice."
            raise odoo_error(USER_ERROR, message)
        day = move.get("invoice_date") or account.now().date().isoformat()
        number = f"INV/{day[:4]}/{account.next_number('invoice number'):05}"
        due = move.get("invoice_date_due") or day
        change(account, "account.move", move, {
            "state": "posted", "name": number, "invoice_date": day, "invoice_date_due": due,
        })  # fmt: skip
    return False


@button("account.payment.register", "action_create_payments")
def register_payments(account: Account, ids: list[int], context: Row) -> Any:
    for wizard_id in ids:
        wizard = stored(account, "account.payment.register", wizard_id)
        for move_id in context.get("active_ids") or []:
            pay(account, move_id, wizard)
    return True


def pay(account: Account, move_id: int, wizard: Row) -> Row:
    move = stored(account, "account.move", move_id)
    if move["state"] != "posted":
        raise odoo_error(USER_ERROR, "You can only register payment for posted journal entries.")
    if move["amount_residual"] <= 0:
        message = "You can't register a payment because there is nothing left to pay on the selected journal items."
        raise odoo_error(USER_ERROR, message)
    modern = version_of(account) >= 19
    payment = insert(account, "account.payment", {
        "amount": wizard["amount"], "date": wizard.get("payment_date") or account.now().date().isoformat(),
        "memo" if modern else "ref": wizard.get("communication") or False, "currency_id": move["currency_id"],
        "state": "paid" if modern else "posted", "reconciled_invoice_ids": [move_id],
        "partner_id": move["commercial_partner_id"], "journal_id": wizard.get("journal_id") or 1,
    })  # fmt: skip
    payment = save(account, "account.payment", {**payment, "name": f"PBNK1/{payment['id']:05}"})
    left = cents(move["amount_residual"]) - cents(wizard["amount"])
    paid = float(cents(move.get("paid")) + cents(wizard["amount"]))
    state = "in_payment" if left <= 0 else "partial"
    saved = save(account, "account.move", {**move, "paid": paid, "payment_state": state})
    move_written(account, saved)
    return payment


@button("crm.lead", "action_set_won")
def set_won(account: Account, ids: list[int], context: Row) -> bool:
    won = next(row["id"] for row in rows_of(account, "crm.stage") if row["is_won"])
    for lead in ids:
        row = stored(account, "crm.lead", lead)
        change(account, "crm.lead", row, {"active": True, "stage_id": won, "probability": 100.0})
    return True


@button("crm.lead", "action_set_lost")
def set_lost(account: Account, ids: list[int], context: Row) -> bool:
    for lead in ids:
        change(account, "crm.lead", stored(account, "crm.lead", lead), {"active": False, "probability": 0.0})
    return True


@button("crm.lead", "action_unarchive")
def unarchive(account: Account, ids: list[int], context: Row) -> bool:
    for lead in ids:
        change(account, "crm.lead", stored(account, "crm.lead", lead), {"active": True})
    return True


@button("sale.order", "action_confirm")
def confirm(account: Account, ids: list[int], context: Row) -> bool:
    for order in ids:
        change(account, "sale.order", stored(account, "sale.order", order), {"state": "sale"})
    return True


@button("sale.order", "action_cancel")
def cancel(account: Account, ids: list[int], context: Row) -> bool:
    for order in ids:
        change(account, "sale.order", stored(account, "sale.order", order), {"state": "cancel"})
    return True
