"""Creating, changing and deleting rows, with Salesforce's validation and the fields it derives."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from sandbox.account import Account
from sandbox.salesforce.schema import PREFIXES, Field, fields_of
from sandbox.vendor import VendorError

Json = dict[str, Any]
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
NUMBERS = ("currency", "double", "int")
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
AUTO_NUMBERS = {"Contract": "ContractNumber", "Quote": "QuoteNumber"}
CLOSED = {"Closed Won": True, "Closed Lost": False}


def refuse(code: str, message: str, *fields: str) -> VendorError:
    return VendorError(400, message, code=code, fields=list(fields))


def require_fields(account: Account, sobject: str) -> dict[str, Field]:
    found = fields_of(account, sobject)
    if found is None:
        raise VendorError(404, "The requested resource does not exist", code="NOT_FOUND")
    return found


def now_text(account: Account) -> str:
    """Whole seconds, written with milliseconds all the same."""
    return account.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def create(account: Account, sobject: str, values: Json) -> Json:
    cleaned = clean(account, sobject, values, row=None)
    stamp = now_text(account)
    row: Json = {
        "Id": new_id(account, sobject),
        "IsDeleted": False,
        "CreatedDate": stamp,
        **_defaults(account, sobject),
    }
    if sobject in AUTO_NUMBERS:
        row[AUTO_NUMBERS[sobject]] = f"{account.next_number(AUTO_NUMBERS[sobject], 100):08}"
    contact = cleaned.pop("ContactId", None) if sobject == "Opportunity" else None
    saved = _save(account, sobject, {**row, **cleaned})
    if contact:
        create(
            account,
            "OpportunityContactRole",
            {"OpportunityId": saved["Id"], "ContactId": contact, "IsPrimary": True},
        )
    return saved


def update(account: Account, sobject: str, row_id: str, values: Json) -> Json:
    row = find(account, sobject, row_id)
    if row is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row["IsDeleted"]:
        raise refuse("ENTITY_IS_DELETED", "entity is deleted")
    return _save(account, sobject, {**row, **clean(account, sobject, values, row=row)})


def delete(account: Account, sobject: str, row_id: str) -> Json:
    """Into the recycle bin: still there, and changed by it."""
    row = find(account, sobject, row_id)
    if row is None or row["IsDeleted"]:
        raise VendorError(404, "entity is deleted", code="ENTITY_IS_DELETED")
    return _save(account, sobject, {**row, "IsDeleted": True})


def find(account: Account, sobject: str, row_id: str) -> Json | None:
    """By 18 letters, or the 15 that matter."""
    rows = account.objects(sobject)
    return rows.get(row_id) or rows.get(row_id + _check(row_id) if len(row_id) == 15 else row_id)


def find_by(account: Account, sobject: str, name: str, value: str) -> Json | None:
    rows = account.objects(sobject).values()
    return next((row for row in rows if not row["IsDeleted"] and str(row.get(name)).lower() == value.lower()), None)


def related(account: Account, sobject: str, row: Json, relationship: str) -> Json | None:
    fields = fields_of(account, sobject) or {}
    reference = next(field for field in fields.values() if field.relationship == relationship)
    return find(account, reference.to, row.get(reference.name) or "")


def attributes(sobject: str, row_id: str, version: str = "v60.0") -> Json:
    return {"type": sobject, "url": f"/services/data/{version}/sobjects/{sobject}/{row_id}"}


def clean(account: Account, sobject: str, values: Json, *, row: Json | None) -> Json:
    """The values as stored. Raises Salesforce's refusals, the first that applies."""
    known = require_fields(account, sobject)
    for name in values:
        if name not in known:
            raise refuse("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")
    _require_writable(known, values, row)
    found = {name: _stored(account, known[name], value) for name, value in values.items()}
    merged = {**(row or _defaults(account, sobject)), **found}
    absent = [
        field.name for field in known.values() if field.rule == "required" and merged.get(field.name) in (None, "")
    ]
    if absent:
        raise refuse("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(absent)}]", *absent)
    _require_unique(account, sobject, known, found, row)
    return found


def _require_writable(known: dict[str, Field], values: Json, row: Json | None) -> None:
    closed = ("read_only",) if row is None else ("read_only", "create_only", "write_only")
    shut = [name for name in values if known[name].rule in closed]
    if shut:
        message = f"Unable to create/update fields: {', '.join(shut)}. Please check the security settings of this field"
        raise refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, *shut)


def _require_unique(account: Account, sobject: str, known: dict[str, Field], found: Json, row: Json | None) -> None:
    for name, value in found.items():
        if known[name].unique and value:
            holder = find_by(account, sobject, name, value)
            if holder and (row is None or holder["Id"] != row["Id"]):
                message = f"duplicate value found: {name} duplicates value on record with id: {holder['Id'][:15]}"
                raise refuse("DUPLICATE_VALUE", message, name)


def _stored(account: Account, field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    if field.type in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refuse("JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from {value!r}", field.name)
        return value
    if field.type == "boolean":
        return bool(value)
    text = str(value)
    if field.type == "reference" and find(account, field.to, text) is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)
    if field.type == "email" and not EMAIL.match(text):
        raise refuse("INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address: {text}", field.name)
    if field.type == "date" and not DATE.match(text):
        raise refuse("JSON_PARSER_ERROR", f"Cannot deserialize instance of date from {text!r}", field.name)
    if len(text) > field.length:
        message = f"{field.name}: data value too large: {text} (max length={field.length})"
        raise refuse("STRING_TOO_LONG", message, field.name)
    return text


def _defaults(account: Account, sobject: str) -> Json:
    fields = fields_of(account, sobject) or {}
    found: Json = {}
    if "OwnerId" in fields:
        found["OwnerId"] = _owner(account)
    if "CurrencyIsoCode" in fields:
        found["CurrencyIsoCode"] = account.setting("currencies")[0]
    if sobject == "Contract":
        found["Status"] = "Draft"
    if sobject == "Quote":
        found |= {"Status": "Draft", "GrandTotal": 0}
    return found


def _owner(account: Account) -> str:
    """The user the client works as."""
    users = account.objects("User")
    if not users:
        create(account, "User", {"LastName": "Owner", "Email": "owner@acme.test", "Username": "owner@acme.test"})
    return next(iter(account.objects("User")))


def _save(account: Account, sobject: str, row: Json) -> Json:
    saved = {**row, **_derived(account, sobject, row), "SystemModstamp": now_text(account)}
    saved["LastModifiedDate"] = saved["SystemModstamp"]
    account.put(sobject, saved["Id"], saved)
    if sobject == "QuoteLineItem":
        lines = [line for line in account.objects(sobject).values() if line["QuoteId"] == saved["QuoteId"]]
        total = sum(line["TotalPrice"] for line in lines if not line["IsDeleted"])
        _save(account, "Quote", {**account.objects("Quote")[saved["QuoteId"]], "GrandTotal": total})
    return saved


def _derived(account: Account, sobject: str, row: Json) -> Json:
    if sobject in ("Contact", "User"):
        return {"Name": " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)}
    if sobject == "Opportunity":
        return {"IsClosed": row["StageName"] in CLOSED, "IsWon": CLOSED.get(row["StageName"], False)}
    if sobject == "Quote":
        opportunity = find(account, "Opportunity", row.get("OpportunityId") or "")
        return {"AccountId": opportunity.get("AccountId") if opportunity else None}
    if sobject == "QuoteLineItem":
        return {"TotalPrice": round(row["Quantity"] * row["UnitPrice"], 2), "LineNumber": row["Id"]}
    if sobject == "OpportunityLineItem":
        named = (
            find(account, "Opportunity", row["OpportunityId"]),
            find(account, "Product2", row.get("Product2Id") or ""),
        )
        return {"Name": " ".join(part["Name"] for part in named if part)}
    if sobject == "Contract":
        return {"StatusCode": row["Status"] if row["Status"] in ("Draft", "InApproval") else "Activated"}
    return {}


def new_id(account: Account, sobject: str) -> str:
    number = account.next_number(sobject, 1)
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    short = f"{PREFIXES[sobject]}dM00{digits}"
    return short + _check(short)


def _check(short: str) -> str:
    """The three letters that make an id survive programs that ignore case."""
    parts = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(CHECK_LETTERS[sum(1 << i for i, letter in enumerate(part) if letter.isupper())] for part in parts)
