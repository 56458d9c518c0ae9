"""The CRM objects we speak, and what differs between them."""

from __future__ import annotations

from typing import Any

import msgspec

SYNC_REF = "sync_ref"


class CrmObject(msgspec.Struct, frozen=True, kw_only=True):
    """`properties` are read; `links` are the associated objects whose ids are joined in; `custom` are created by us.

    `currency` is the property that holds a record's own currency, "" where the object has no money; `lines` adds the
    line items associated with it.
    """

    name: str
    modified: str
    properties: tuple[str, ...]
    links: tuple[str, ...] = ()
    currency: str = ""
    lines: bool = False
    group: str
    custom: tuple[dict[str, Any], ...] = ()


def sync_ref(group: str) -> dict[str, Any]:
    """The unique mark that makes a create repeatable. Neutral wording: the customer's users see it."""
    return {
        "name": SYNC_REF,
        "label": "Sync reference",
        "type": "string",
        "fieldType": "text",
        "groupName": group,
        "description": "Identifies records created by synchronization. Please do not edit.",
        "hasUniqueValue": True,
    }


def _custom(name: str, label: str, type_: str, field_type: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": type_,
        "fieldType": field_type,
        "groupName": "dealinformation",
        **more,
    }


PAYMENT_STATES = {"none": "None", "invoiced": "Invoiced", "part_paid": "Partly paid", "paid": "Paid"}
PAYMENT_OPTIONS = [
    {"label": label, "value": value, "displayOrder": order, "hidden": False}
    for order, (value, label) in enumerate(PAYMENT_STATES.items())
]

LINE_PROPERTIES = ("name", "description", "quantity", "price", "amount")
OBJECTS = {
    "companies": CrmObject(
        name="companies",
        modified="hs_lastmodifieddate",
        properties=("name", "domain", "phone", "website", SYNC_REF),
        group="companyinformation",
        custom=(sync_ref("companyinformation"),),
    ),
    "contacts": CrmObject(
        name="contacts",
        modified="lastmodifieddate",
        properties=("firstname", "lastname", "email", "phone", SYNC_REF),
        links=("companies",),
        group="contactinformation",
        custom=(sync_ref("contactinformation"),),
    ),
    "deals": CrmObject(
        name="deals",
        modified="hs_lastmodifieddate",
        properties=(
            "dealname", "amount", "dealstage", "pipeline", "closedate", "deal_currency_code", "hubspot_owner_id",
            "hs_is_closed_won", "hs_is_closed_lost", "payment_status", "invoice_number", "invoiced_amount",
            "paid_amount", SYNC_REF,
        ),
        links=("companies", "contacts"),
        currency="deal_currency_code",
        group="dealinformation",
        custom=(
            sync_ref("dealinformation"),
            _custom("payment_status", "Payment status", "enumeration", "select", options=PAYMENT_OPTIONS),
            _custom("invoice_number", "Invoice number", "string", "text"),
            _custom("invoiced_amount", "Invoiced amount", "number", "number"),
            _custom("paid_amount", "Paid amount", "number", "number"),
        ),
    ),
    "quotes": CrmObject(
        name="quotes",
        modified="hs_lastmodifieddate",
        properties=(
            "hs_title", "hs_status", "hs_sign_status", "hs_quote_number", "hs_quote_amount", "hs_currency",
            "hs_createdate", "hs_expiration_date",
        ),
        links=("companies", "contacts", "deals"),
        currency="hs_currency",
        lines=True,
        group="quote",
    ),
}  # fmt: skip
