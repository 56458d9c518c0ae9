"""Contacts: unique names, four phones, archived instead of deleted."""

from __future__ import annotations

import uuid

from sandbox.xero.books import CURRENCIES, Books, Invalid
from sandbox.xero.wire import JsonDict

TEXT_FIELDS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "TaxNumber": 50,
}
_PHONE_TYPES = ("DEFAULT", "DDI", "FAX", "MOBILE")
_NAME_TAKEN = (
    "The contact name {name} is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)


def save_contact(books: Books, fields: JsonDict, *, upsert: bool) -> JsonDict:
    """Create or change one contact. PUT never changes an existing one by its name; POST (`upsert`) does."""
    existing = _existing(books, fields, upsert=upsert)
    contact = dict(existing) if existing else _blank(str(uuid.uuid4()))
    _check_texts(fields)
    contact.update({key: fields[key] for key in TEXT_FIELDS if key in fields})
    if not str(contact.get("Name") or "").strip():
        raise Invalid("Contact name cannot be empty")
    _check_name_is_free(books, contact)
    _apply_choices(contact, fields)
    if "Phones" in fields:
        contact["Phones"] = _merged_phones(contact["Phones"], fields["Phones"])
    return books.save("contacts", contact["ContactID"], contact, created=existing is None)


def reference_to(contact: JsonDict) -> JsonDict:
    """The short form inside other documents' lists."""
    return {
        "ContactID": contact["ContactID"],
        "Name": contact["Name"],
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _existing(books: Books, fields: JsonDict, *, upsert: bool) -> JsonDict | None:
    if contact_id := fields.get("ContactID"):
        contact = books.find("contacts", contact_id)
        if contact is None:
            raise Invalid("The contact ID does not exist in this organisation")
        return contact
    if not upsert:
        return None
    for key in ("ContactNumber", "Name"):
        if (wanted := fields.get(key)) and (owner := books.owner("contacts", key, wanted)):
            return books.find("contacts", owner)
    return None


def _blank(contact_id: str) -> JsonDict:
    return {
        "ContactID": contact_id,
        "ContactStatus": "ACTIVE",
        "EmailAddress": "",
        "BankAccountDetails": "",
        "Addresses": [
            {"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
            for kind in ("STREET", "POBOX")
        ],
        "Phones": [_phone(kind, {}) for kind in _PHONE_TYPES],
        "ContactGroups": [],
        "IsSupplier": False,
        "IsCustomer": False,
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _check_texts(fields: JsonDict) -> None:
    long = [key for key, limit in TEXT_FIELDS.items() if len(str(fields.get(key) or "")) > limit]
    if long:
        raise Invalid(*(f"{key} must not exceed {TEXT_FIELDS[key]} characters" for key in long))
    email = fields.get("EmailAddress")
    if email and "@" not in str(email):
        raise Invalid("Email address must be valid.")


def _check_name_is_free(books: Books, contact: JsonDict) -> None:
    owner = books.owner("contacts", "Name", contact["Name"])
    if owner not in (None, contact["ContactID"]):
        raise Invalid(_NAME_TAKEN.format(name=contact["Name"]))


def _apply_choices(contact: JsonDict, fields: JsonDict) -> None:
    if currency := fields.get("DefaultCurrency"):
        if currency not in CURRENCIES:
            raise Invalid(f"Organisation is not subscribed to currency {currency}")
        contact["DefaultCurrency"] = currency
    if status := fields.get("ContactStatus"):
        if status not in ("ACTIVE", "ARCHIVED"):
            raise Invalid("ContactStatus must be ACTIVE or ARCHIVED")
        contact["ContactStatus"] = status


def _merged_phones(current: list[JsonDict], given: list[JsonDict]) -> list[JsonDict]:
    by_type = {phone["PhoneType"]: phone for phone in current}
    for phone in given:
        kind = phone.get("PhoneType", "DEFAULT")
        if kind not in _PHONE_TYPES:
            raise Invalid(f"The phone type {kind} is not valid")
        by_type[kind] = _phone(kind, phone)
    return [by_type[kind] for kind in _PHONE_TYPES]


def _phone(kind: str, given: JsonDict) -> JsonDict:
    parts = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
    return {"PhoneType": kind, **{part: str(given.get(part) or "") for part in parts}}
