"""Entities the way Business Central keeps them: placeholders for nothing, tags that change with each write."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.account import Account
from sandbox.business_central.schema import ENTITIES, NO_ID, Entity
from sandbox.clock import iso_millis
from sandbox.vendor import VendorError

Row = dict[str, Any]


def refusal(code: str, message: str, status: int = 400) -> VendorError:
    return VendorError(status, message, code=code)


def entity_of(name: str) -> Entity:
    if name not in ENTITIES:
        raise refusal("BadRequest_NotFound", f"Resource not found for the segment '{name}'.", 404)
    return ENTITIES[name]


def existing(account: Account, name: str, row_id: str) -> Row:
    entity_of(name)
    found = account.objects(name).get(row_id)
    if found is None:
        message = f"The entity with the key '{row_id}' could not be found."
        raise refusal("BadRequest_ResourceNotFound", message, 404)
    return found


def insert(account: Account, name: str, values: Row, *, fixed: Row | None = None) -> Row:
    """A new entity with its lines. `fixed` are values that only Business Central itself sets."""
    entity = entity_of(name)
    lines = {child: values[child] for child in entity.children if child in values}
    values = {key: value for key, value in values.items() if key not in lines}
    check(account, entity, values, fixed=fixed or {})
    for key in entity.required:
        if values.get(key) in (None, "", NO_ID):
            raise refusal("Application_FieldValidationException", f"{key} must be filled in.")
    number = values.get("number")
    if number and any(row["number"] == number for row in account.objects(name).values()):
        raise refusal("Internal_EntityWithSameKeyExists", f"The record already exists. No.='{number}'")
    row = {"id": str(uuid.uuid4()), **entity.properties, **values, **(fixed or {})}
    if entity.numbers and not row["number"]:
        row["number"] = f"{entity.numbers}{account.next_number(name, 10000)}"
    for child, items in lines.items():
        row[child] = [line_of(item) for item in items]
    return save(account, name, row)


def change(account: Account, name: str, row: Row, values: Row, *, fixed: Row | None = None) -> Row:
    check(account, entity_of(name), values, fixed=fixed or {})
    return save(account, name, {**row, **values, **(fixed or {})})


def check(account: Account, entity: Entity, values: Row, *, fixed: Row) -> None:
    for key, value in values.items():
        if key not in entity.properties:
            message = (
                f"The property '{key}' does not exist on type 'Microsoft.NAV'. Make sure to only use property names."
            )
            raise refusal("BadRequest", message)
        if key in entity.readonly and key not in fixed:
            raise refusal("Application_FieldValidationException", f"Control '{key}' is read-only.")
        if key in entity.references and value != NO_ID:
            target = entity.references[key]
            if value not in account.objects(target):
                message = f'The "{key}" cannot be matched to an existing record.  CorrelationId:  {uuid.uuid4()}.'
                raise refusal("Application_DialogException", message)


def save(account: Account, name: str, row: Row) -> Row:
    entity = entity_of(name)
    row = computed(account, name, row)
    if entity.stamp:
        row[entity.stamp] = iso_millis(account.now())
    row["@odata.etag"] = f'W/"JzE5OzE{account.next_number("etag")};\'"'
    account.put(name, row["id"], row)
    return row


def computed(account: Account, name: str, row: Row) -> Row:
    if name == "employees":
        return {**row, "displayName": f"{row['givenName']} {row['surname']}".strip()}
    lines = next((child for child in ENTITIES[name].children), "")
    if not lines:
        return row
    net = sum(line["amountExcludingTax"] for line in row.get(lines, []))
    tax = round(net * float(account.setting("tax_percent", 0)) / 100 + 1e-9, 2)
    customer = account.objects("customers").get(row["customerId"], {})
    return {
        lines: [], **row, "totalAmountExcludingTax": round(net, 2), "totalTaxAmount": tax,
        "totalAmountIncludingTax": round(net + tax, 2), "customerName": customer.get("displayName", ""),
    }  # fmt: skip


def line_of(values: Row) -> Row:
    if values.get("lineType") == "Account" and values.get("lineObjectNumber") not in ("6110", "6120"):
        message = (
            f"The G/L Account does not exist. Identification fields and values: No.='{values.get('lineObjectNumber')}'"
        )
        raise refusal("Internal_RecordNotFound", message, 400)
    line = {"id": str(uuid.uuid4()), "lineType": "Comment", "description": "", "quantity": 0, "unitPrice": 0, **values}
    return {**line, "amountExcludingTax": round(line["quantity"] * line["unitPrice"] + 1e-9, 2)}


def post_invoice(account: Account, row: Row) -> None:
    if row["status"] != "Draft":
        raise refusal("Application_DialogException", "The sales invoice is already posted.")
    if not row["salesInvoiceLines"]:
        raise refusal("Application_DialogException", "There is nothing to post.")
    number = f"PS-INV{account.next_number('posted invoices', 103001)}"
    day = row["invoiceDate"] if row["invoiceDate"] > "0001-01-01" else account.now().date().isoformat()
    due = row["dueDate"] if row["dueDate"] > "0001-01-01" else day
    change(account, "salesInvoices", row, {}, fixed={
        "status": "Open", "number": number, "invoiceDate": day, "postingDate": day, "dueDate": due,
        "remainingAmount": row["totalAmountIncludingTax"],
    })  # fmt: skip


def settle_invoice(account: Account, row: Row, amount: float) -> None:
    """What posting a payment does to its invoice."""
    left = round(row["remainingAmount"] - amount, 2)
    change(account, "salesInvoices", row, {}, fixed={"remainingAmount": left, "status": "Open" if left > 0 else "Paid"})
