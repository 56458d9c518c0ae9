"""What Tryton computes and refuses: works, timesheets, invoices and their payments."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sandbox.account import Account
from sandbox.tryton.records import Row, change, children, computed, insert, model_of, refusal, row_of, rows_of, store
from sandbox.tryton.wire import tag_date, tag_decimal, tag_moment, untagged

CENT = Decimal("0.01")
# The books are open for last year, this one and the next.
OPEN_YEARS = range(-1, 2)


def contact(kind: str) -> Any:
    def found(account: Account, party: Row) -> str:
        mechanisms = children(account, "party.contact_mechanism", "party", party["id"])
        return next((row["value"] for row in mechanisms if row["type"] == kind), "")

    return found


for _kind in ("email", "phone", "website"):
    computed("party.party", _kind)(contact(_kind))


@computed("party.party", "tax_identifier")
def tax_identifier(account: Account, party: Row) -> int | None:
    rows = children(account, "party.identifier", "party", party["id"])
    return next((row["id"] for row in rows if row.get("type")), None)


@computed("project.work", "path")
def path(account: Account, work: Row) -> str:
    parent = row_of(account, "project.work", work.get("parent"))
    return f"{path(account, parent) if parent else ''}{work['id']}/"


@computed("account.invoice.line", "amount")
def line_amount(account: Account, line: Row) -> Any:
    # Tryton rounds halves to the even cent.
    exact = Decimal(str(line["quantity"])) * untagged(line["unit_price"])
    return tag_decimal(exact.quantize(CENT, rounding=ROUND_HALF_EVEN))


@computed("account.invoice", "untaxed_amount")
def untaxed(account: Account, invoice: Row) -> Any:
    lines = children(account, "account.invoice.line", "invoice", invoice["id"])
    return tag_decimal(sum((untagged(line_amount(account, line)) for line in lines), Decimal("0.00")))


@computed("account.invoice", "tax_amount")
def taxes(account: Account, invoice: Row) -> Any:
    rows = children(account, "account.invoice.tax", "invoice", invoice["id"])
    return tag_decimal(sum((untagged(row["amount"]) for row in rows), Decimal("0.00")))


@computed("account.invoice", "total_amount")
def total(account: Account, invoice: Row) -> Any:
    return tag_decimal(untagged(untaxed(account, invoice)) + untagged(taxes(account, invoice)))


@computed("account.invoice", "amount_to_pay")
def to_pay(account: Account, invoice: Row) -> Any:
    """0 for a draft, as on the real server."""
    if invoice["state"] not in ("posted", "paid"):
        return tag_decimal("0")
    payments = children(account, "account.move.line", "invoice_payment", invoice["id"])
    left = untagged(total(account, invoice)) - sum(untagged(row["credit"]) for row in payments)
    return tag_decimal(left if left else "0")


def new_row(account: Account, model: str, values: Row, context: Row, made: list[tuple[str, str]]) -> Row:
    """Create with Tryton's defaults and consequences."""
    if context.get("company") and model in ("project.work", "timesheet.line", "account.invoice"):
        values = {"company": context["company"], **values}
    if model == "project.work":
        values = {"type": "task", "status": 1, "progress": None, **values}
    row = insert(account, model, values, made)
    if model == "party.party":
        row |= {"code": str(row["id"]), "active": values.get("active", True)}
    elif model == "company.employee":
        row |= {"active": values.get("active", True)}
    elif model == "project.work":
        row |= {"number": str(row["id"])}
        check_progress(account, row)
        make_available(account, row, made)
    elif model == "timesheet.line" and untagged(row["duration"]) < 0:
        raise refusal('The value for field "Duration" in "Timesheet Line" is not valid according to its domain.')
    elif model == "account.invoice":
        row |= {"state": "draft", "number": None}
    store(account, model, row)
    return row


def changed(account: Account, model: str, row: Row, values: Row) -> None:
    if model == "account.invoice" and row["state"] in ("posted", "paid"):
        raise refusal(f'You cannot modify invoice "{row["number"]}" because it is posted, paid or cancelled.')
    if model == "project.work":
        check_progress(account, {**row, **values})
    change(account, model, row, values)
    if model == "project.work":
        make_available(account, account.objects(model)[str(row["id"])], [])


def removed(account: Account, model: str, row_id: int) -> None:
    """With what hangs on it; the log keeps a line about the record."""
    for child, inverse in model_of(model).many.values():
        for found in children(account, child, inverse, row_id):
            account.remove(child, str(found["id"]))
    account.remove(model, str(row_id))
    insert(account, "ir.model.log", {"event": "delete", "resource": f"{model},{row_id}"}, [])


def check_progress(account: Account, work: Row) -> None:
    status = row_of(account, "project.work.status", work["status"])
    if status and status["progress"] is not None and (work.get("progress") or -1) < status["progress"]:
        raise refusal(
            f'To set work "{work["name"]}" in "{status["name"]}" status, you must increase its progress up to at least '
            f"{status['progress'] * 100:.2f}%."
        )


def make_available(account: Account, work: Row, made: list[tuple[str, str]]) -> None:
    origin = f"project.work,{work['id']}"
    known = any(row["origin"] == origin for row in rows_of(account, "timesheet.work"))
    if work.get("timesheet_available") and not known:
        insert(account, "timesheet.work", {"origin": origin, "name": None, "company": work["company"]}, made)


def post_invoice(account: Account, invoice: Row, context: Row) -> None:
    name = invoice["number"] or f"({invoice['id']})"
    if invoice["state"] not in ("draft", "validated"):
        raise refusal(f'You can not call "post" on "{name}" of "Account Invoice".')
    today = account.now().date()
    due = untagged(invoice.get("payment_term_date")) or today
    day: date = untagged(invoice.get("invoice_date")) or today
    if due < today and not context.get("_skip_warnings"):
        raise refusal(f'The invoice "{name}" generates a payment date "{due:%m/%d/%Y}" in the past.')
    if day.year - today.year not in OPEN_YEARS:
        company = row_of(account, "party.party", 1)
        raise refusal(
            f'To continue, you must create a period for the date "{day:%m/%d/%Y}" and company "{(company or {})["name"]}".'
        )
    check_order(account, invoice, day)
    number = str(account.next_number("invoice number"))
    account.put("account.move.line", str(row_id := account.next_number("account.move.line")), {
        "id": row_id, "create_date": tag_moment(account.now()), "write_date": None, "maturity_date": tag_date(due),
        "invoice_to_pay": invoice["id"], "invoice_payment": None,
    })  # fmt: skip
    store(account, "account.invoice", {
        **invoice, "state": "posted", "number": number, "invoice_date": tag_date(day),
        "write_date": tag_moment(account.now()),
    })  # fmt: skip


def check_order(account: Account, invoice: Row, day: date) -> None:
    """Numbers follow dates, within each year's sequence."""
    numbered = [row for row in rows_of(account, "account.invoice") if row["number"]]
    later = [row for row in numbered if (found := untagged(row["invoice_date"])) > day and found.year == day.year]
    if later:
        last = max(later, key=lambda row: untagged(row["invoice_date"]))
        raise refusal(
            f'To number the invoice "[{invoice["reference"]}]", you must set an invoice date after '
            f'"{untagged(last["invoice_date"]):%m/%d/%Y}" because the sequence "{day.year}" has already been used for '
            f'invoice "{last["number"]} [{last["reference"]}]".'
        )


def pay_invoice(account: Account, invoice_id: int, amount: Decimal, day: date) -> Row:
    """A customer's payment, as the "Pay" wizard registers it."""
    invoice = row_of(account, "account.invoice", invoice_id)
    if invoice is None or invoice["state"] != "posted":
        raise refusal("Only posted invoices can be paid.")
    move = insert(account, "account.move", {"number": None, "journal": 2, "company": 1}, [])
    store(account, "account.move", {**move, "number": str(move["id"])})
    values = {
        "move": move["id"], "invoice_payment": invoice_id, "date": tag_date(day), "credit": tag_decimal(amount),
        "debit": tag_decimal("0"), "amount_second_currency": None, "second_currency": None, "description": None,
    }  # fmt: skip
    line = insert(account, "account.move.line", values, [])
    left = untagged(to_pay(account, invoice))
    state = "paid" if left <= 0 else "posted"
    store(account, "account.invoice", {**invoice, "state": state, "write_date": tag_moment(account.now())})
    return line
