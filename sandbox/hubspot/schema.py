"""Which properties a portal's objects have: HubSpot's own (the few that matter here) and custom ones."""

from __future__ import annotations

from typing import Any

from sandbox.account import Account
from sandbox.clock import iso_millis

TYPES = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "contact": "contacts", "company": "companies"}
TYPES |= {"deal": "deals", "contacts": "contacts", "companies": "companies", "deals": "deals"}
TYPES |= {"0-8": "line_items", "line_items": "line_items", "0-14": "quotes", "quotes": "quotes"}
TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "line_items": "0-8", "quotes": "0-14"}
SINGULAR = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "line_items": "line_item",
    "quotes": "quote",
}
# Contacts are the oldest object and kept the old name.
MODIFIED = dict.fromkeys(TYPE_IDS, "hs_lastmodifieddate") | {"contacts": "lastmodifieddate"}
DEFAULT_RETURNED = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": (
        "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline",
    ),
    "line_items": ("createdate", "hs_lastmodifieddate", "hs_object_id"),
    "quotes": ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
}  # fmt: skip
STAGES = (
    "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent",
    "closedwon", "closedlost",
)  # fmt: skip
READ_ONLY = frozenset(
    [
        "createdate",
        "hs_object_id",
        "hs_lastmodifieddate",
        "lastmodifieddate",
        "hs_is_closed_won",
        "hs_is_closed_lost",
        "hs_is_closed",
    ]
)
_TEXT = {
    "contacts": "email firstname lastname phone company jobtitle lifecyclestage hubspot_owner_id website",
    "companies": "name domain phone website city country industry lifecyclestage hubspot_owner_id description",
    "deals": "dealname pipeline deal_currency_code hubspot_owner_id dealtype description",
    "line_items": "name description hs_product_id",
    "quotes": "hs_title hs_status hs_sign_status hs_quote_number hs_currency hubspot_owner_id",
}
_OTHER: dict[str, dict[str, str]] = {
    "contacts": {"createdate": "datetime", "lastmodifieddate": "datetime", "hs_object_id": "number"},
    "companies": {
        "createdate": "datetime", "hs_lastmodifieddate": "datetime", "hs_object_id": "number",
        "annualrevenue": "number", "numberofemployees": "number",
    },
    "deals": {
        "amount": "number", "closedate": "datetime", "createdate": "datetime", "hs_lastmodifieddate": "datetime",
        "hs_object_id": "number", "hs_is_closed_won": "bool", "hs_is_closed_lost": "bool", "hs_is_closed": "bool",
    },
    "line_items": {
        "quantity": "number", "price": "number", "amount": "number", "createdate": "datetime",
        "hs_lastmodifieddate": "datetime", "hs_object_id": "number",
    },
    "quotes": {
        "hs_quote_amount": "number", "hs_expiration_date": "datetime", "createdate": "datetime",
        "hs_createdate": "datetime", "hs_lastmodifieddate": "datetime", "hs_object_id": "number",
    },
}  # fmt: skip


def builtin(kind: str) -> dict[str, dict[str, Any]]:
    types = dict.fromkeys(_TEXT[kind].split(), "string") | _OTHER[kind]
    found = {name: definition(name, type_) for name, type_ in types.items()}
    if kind == "deals":
        options = [{"label": stage, "value": stage, "hidden": False} for stage in STAGES]
        found["dealstage"] = definition("dealstage", "enumeration", options=options)
    if kind == "contacts":
        found["email"]["hasUniqueValue"] = True
    return found


def definition(name: str, type_: str, **values: Any) -> dict[str, Any]:
    """One property in the shape the properties API returns."""
    return {
        "name": name, "label": name, "type": type_, "fieldType": "text", "description": "", "groupName": "information",
        "options": [], "displayOrder": -1, "calculated": False, "externalOptions": False, "archived": False,
        "hasUniqueValue": False, "hidden": False, "hubspotDefined": True,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": name in READ_ONLY},
        "formField": False, "dataSensitivity": "non_sensitive", **values,
    }  # fmt: skip


BUILTIN = {kind: builtin(kind) for kind in TYPE_IDS}


def properties(account: Account, kind: str) -> dict[str, dict[str, Any]]:
    return {**BUILTIN[kind], **account.objects(f"properties.{kind}")}


def add_property(account: Account, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    now = iso_millis(account.now())
    found = definition(data["name"], data["type"]) | data | {"hubspotDefined": False, "createdAt": now}
    found |= {"updatedAt": now, "modificationMetadata": {"archivable": True, "readOnlyDefinition": False}}
    found["modificationMetadata"]["readOnlyValue"] = False
    account.put(f"properties.{kind}", data["name"], found)
    return found
