"""What becomes of a record that is written: columns, totals, ledger signs, and the stamps of a change."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.netsuite.schema import RECORDS, Record
from sandbox.vendor import VendorError

Row = dict[str, Any]
TAX_LINE = "Tax"


def refusal(code: str, message: str, status: int = 400) -> VendorError:
    return VendorError(status, message, code=code)


def record_of(name: str) -> Record:
    if name not in RECORDS:
        raise refusal("NOT_FOUND", f"Record type '{name}' does not exist.", 404)
    return RECORDS[name]


def existing(account: Account, name: str, key: str) -> Row:
    """By internal id, or by `eid:<external id>`."""
    record = record_of(name)
    rows = account.objects(record.table)
    if key.startswith("eid:"):
        found = next((row for row in rows.values() if row.get("externalid") == key[4:] and is_of(record, row)), None)
    else:
        found = rows.get(key)
    if found is None or not is_of(record, found):
        raise refusal(
            "NONEXISTENT_ID", f"The record instance does not exist. Provide a valid record instance ID: {key}.", 404
        )
    return found


def is_of(record: Record, row: Row) -> bool:
    return not record.type or row.get("type") == record.type


def insert(account: Account, name: str, body: Row) -> Row:
    record = record_of(name)
    values = columns(account, record, body)
    for column in record.required:
        if not values.get(column):
            raise refusal("USER_ERROR", f"Please enter value(s) for: {column.title()}")
    external = values.get("externalid")
    if external and any(
        row.get("externalid") == external and is_of(record, row) for row in account.objects(record.table).values()
    ):
        raise refusal("USER_ERROR", "This record already exists")
    # Entities share one range of numbers, as do transactions.
    row: Row = {"id": account.next_number("record", 101), **defaults(account, name), **values}
    if record.table in ("customer", "job"):
        row["entityid"] = values.get("entityid") or f"{record.table[:4].upper()}{row['id']}"
    if record.type:
        row |= {"type": record.type, "tranid": values.get("tranid") or f"{record.type}{row['id']}"}
    save(account, record, row)
    if name in ("invoice", "estimate"):
        invoice_lines(account, row, body)
    elif name == "customerPayment":
        apply_payment(account, row, body)
    elif name == "expenseReport":
        expense_lines(account, row, body)
    return account.objects(record.table)[str(row["id"])]


def defaults(account: Account, name: str) -> Row:
    today = account.now().date().isoformat()
    found: dict[str, Row] = {
        "customer": {"isinactive": "F", "isperson": "F", "currency": 1},
        "contact": {"isinactive": "F"},
        "job": {"isinactive": "F", "entitystatus": 2},
        "projectTask": {"status": "NOTSTART"},
        "employee": {"isinactive": "F"},
        "timeBill": {"isbillable": "F", "approvalstatus": "3", "trandate": today},
        "invoice": {"trandate": today, "currency": 1, "status": "A", "voided": "F"},
        "estimate": {"trandate": today, "currency": 1, "status": "A", "voided": "F"},
        "customerPayment": {"trandate": today, "currency": 1, "status": "C", "voided": "F"},
        "expenseReport": {"trandate": today, "currency": 1, "status": "F", "voided": "F"},
    }
    return found[name]


def change(account: Account, name: str, row: Row, body: Row) -> Row:
    record = record_of(name)
    values = columns(account, record, body)
    for column in record.required:
        if column in values and not values[column]:
            raise refusal("USER_ERROR", f"Please enter value(s) for: {column.title()}")
    save(account, record, {**row, **values})
    return account.objects(record.table)[str(row["id"])]


def save(account: Account, record: Record, row: Row) -> None:
    account.put(record.table, str(row["id"]), {**row, "lastmodifieddate": account.now().isoformat()})


def columns(account: Account, record: Record, body: Row) -> Row:
    values: Row = {}
    for name, value in body.items():
        if name in ("item", "apply", "expense"):
            continue
        if name not in record.fields:
            raise refusal("INVALID_CONTENT", f"Error while accessing a resource. Unknown field name: {name}.")
        column = record.fields[name]
        value = int(value["id"]) if isinstance(value, dict) and str(value["id"]).isdigit() else value
        value = value["id"] if isinstance(value, dict) else value
        table = record.references.get(column)
        if table and value not in (None, "") and str(value) not in account.objects(table):
            raise refusal("INVALID_KEY_OR_REF", f"Invalid Field Value {value} for the following field: {name}")
        if isinstance(value, bool):
            value = "T" if value else "F"
        values[column] = clock_hours(value) if column == "hours" else value
    return values


def clock_hours(value: Any) -> float:
    """3:15 is three hours and a quarter."""
    hours, _, minutes = str(value).partition(":")
    return int(hours) + int(minutes or 0) / 60 if ":" in str(value) else float(value)


def add_line(account: Account, transaction: int, values: Row) -> None:
    key = account.next_number("line", 9001)
    line = {"uniquekey": key, "transaction": transaction, "mainline": "F", "taxline": "F", "linesequencenumber": key}
    account.put("transactionline", str(key), {**line, **values})


def invoice_lines(account: Account, row: Row, body: Row) -> None:
    """Revenue stands on the other side of the ledger: quantities and amounts of the lines are negative."""
    total = 0.0
    for item in (body.get("item") or {}).get("items", []):
        amount = round(item["quantity"] * item["rate"] + 1e-9, 2)
        total += amount
        add_line(account, row["id"], {
            "memo": item.get("description"), "quantity": -item["quantity"], "rate": item["rate"],
            "foreignamount": -amount,
        })  # fmt: skip
    tax = round(total * float(account.setting("tax_percent", 0)) / 100 + 1e-9, 2)
    if tax:
        add_line(account, row["id"], {"memo": TAX_LINE, "foreignamount": -tax, "taxline": "T"})
    status = "D" if str(row.get("approvalstatus")) == "1" else "A"
    total = round(total + tax, 2)
    totals = {"foreigntotal": total, "foreignamountunpaid": total, "status": status}
    save(account, RECORDS["invoice"], {**account.objects("transaction")[str(row["id"])], **totals})


def apply_payment(account: Account, row: Row, body: Row) -> None:
    for applied in (body.get("apply") or {}).get("items", []):
        invoice = account.objects("transaction").get(str(applied["doc"]["id"]))
        if invoice is None or invoice["type"] != "CustInvc":
            account.remove("transaction", str(row["id"]))
            raise refusal("INVALID_KEY_OR_REF", "Invalid apply reference key.")
        left = round(invoice["foreignamountunpaid"] - applied["amount"], 2)
        if left < 0:
            account.remove("transaction", str(row["id"]))
            raise refusal("USER_ERROR", "You cannot apply more than the amount due.")
        paid = {"foreignamountunpaid": left, "status": "A" if left else "B"}
        save(account, RECORDS["invoice"], {**invoice, **paid})
        link = str(account.next_number("link"))
        account.put("nexttransactionlinelink", link, {
            "previousdoc": invoice["id"], "nextdoc": row["id"], "foreignamount": applied["amount"],
            "linktype": "Payment",
        })  # fmt: skip


def expense_lines(account: Account, row: Row, body: Row) -> None:
    for line in (body.get("expense") or {}).get("items", []):
        project = line.get("customer")
        add_line(account, row["id"], {
            "memo": line.get("memo"), "foreignamount": line["amount"], "category": int(line["category"]["id"]),
            "entity": int(project["id"]) if project else None, "expensedate": line.get("expenseDate"),
            "isbillable": "T" if line.get("isBillable") else "F",
        })  # fmt: skip


def remove(account: Account, name: str, row: Row) -> None:
    record = record_of(name)
    for key, line in list(account.objects("transactionline").items()):
        if record.table == "transaction" and line["transaction"] == row["id"]:
            account.remove("transactionline", key)
    account.remove(record.table, str(row["id"]))
