"""Sales and subscriptions, as a person enters them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.account import Account
from sandbox.tryton import rules
from sandbox.tryton.records import Row, children, computed, store
from sandbox.tryton.rules import line_amount
from sandbox.tryton.wire import tag_date, tag_decimal, untagged

PEOPLE = {"company": 1}
computed("sale.line", "amount")(line_amount)


@computed("sale.line", "summary")
def summary(account: Account, line: Row) -> str:
    return str(line.get("description") or "")


@computed("sale.sale", "untaxed_amount")
@computed("sale.sale", "total_amount")
def total(account: Account, sale: Row) -> Any:
    lines = children(account, "sale.line", "sale", sale["id"])
    return tag_decimal(sum((untagged(line_amount(account, line)) for line in lines), Decimal("0.00")))


@computed("sale.sale", "tax_amount")
def no_tax(account: Account, sale: Row) -> Any:
    return tag_decimal("0.00")


def make_quote(account: Account, data: Row) -> Row:
    """{party, description, lines: [{description, quantity, unit_price}], state}; a quotation unless another state is given."""
    lines = [
        {
            "type": "line",
            "description": line["description"],
            "quantity": float(line["quantity"]),
            "unit_price": tag_decimal(line["unit_price"]),
        }
        for line in data["lines"]
    ]
    values = {
        "party": data["party"], "currency": 2, "company": 1, "description": data["description"],
        "lines": [["create", lines]],
    }  # fmt: skip
    sale = rules.new_row(account, "sale.sale", values, PEOPLE, [])
    return put_state(account, "sale.sale", sale, str(data.get("state", "draft")))


def make_contract(account: Account, data: Row) -> Row:
    values = {
        "party": data["party"], "currency": 2, "company": 1, "description": data["description"],
        "start_date": tag_date(data["start_date"]), "end_date": tag_date(data.get("end_date")), "invoice_recurrence": 1,
    }  # fmt: skip
    made = rules.new_row(account, "sale.subscription", values, PEOPLE, [])
    return put_state(account, "sale.subscription", made, str(data.get("state", "draft")))


def put_state(account: Account, model: str, row: Row, state: str) -> Row:
    """A number is given once it is no draft any more."""
    number = None if state == "draft" else str(account.next_number(f"{model}.number"))
    store(account, model, {**row, "state": state, "number": number})
    return account.objects(model)[str(row["id"])]
