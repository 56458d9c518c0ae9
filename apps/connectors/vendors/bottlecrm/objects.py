"""The BottleCRM objects we speak: where they are listed, what of them is kept, which custom fields are ours."""

from __future__ import annotations

from typing import Any

import msgspec

SYNC_REF = "sync_ref"
PAYMENT_STATES = {"none": "None", "invoiced": "Invoiced", "part_paid": "Partly paid", "paid": "Paid"}


class Part(msgspec.Struct, frozen=True):
    """One list of an object: the query that asks for it and where the answer holds its rows."""

    rows: str
    params: dict[str, str] = {}


class BottleObject(msgspec.Struct, frozen=True, kw_only=True):
    """`order` is the member that lists descend by; of contacts it is a time that several may share.

    `path` is the list's address; `by_detail` objects show their positions only on their own page.
    `keep` are the members that are facts: answers also hold "3 minutes ago" and totals, new at each reading.

    `custom` are the definitions our sinks make where they are missing; `target` is the object's name among them.
    """

    name: str
    parts: tuple[Part, ...]
    order: str = "id"
    detail: str
    target: str
    keep: tuple[str, ...]
    custom: tuple[dict[str, Any], ...] = ()
    path: str = ""
    by_detail: bool = False


def _definition(key: str, label: str, field_type: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "label": label, "field_type": field_type, **more}


MARK = _definition(SYNC_REF, "Sync reference", "text")
PAYMENT = (
    _definition(
        "payment_status",
        "Payment status",
        "dropdown",
        options=[{"value": value, "label": label} for value, label in PAYMENT_STATES.items()],
    ),
    _definition("invoice_number", "Invoice number", "text"),
    _definition("invoiced_amount", "Invoiced amount", "number"),
    _definition("paid_amount", "Paid amount", "number"),
)
SHARED = ("id", "custom_fields", "is_active", "created_at")
OBJECTS = {
    "accounts": BottleObject(
        name="accounts",
        # One answer holds both halves at the same offset; each is asked for alone.
        parts=(
            Part("active_accounts.open_accounts", {"is_active": "true"}),
            Part("closed_accounts.close_accounts", {"is_active": "false"}),
        ),
        detail="account_obj",
        target="Account",
        keep=(*SHARED, "name", "email", "phone", "website", "currency"),
        custom=(MARK,),
    ),
    "contacts": BottleObject(
        name="contacts",
        parts=(Part("results"),),
        order="created_at",
        detail="contact_obj",
        target="Contact",
        keep=(*SHARED, "first_name", "last_name", "email", "phone", "account", "updated_at"),
        custom=(MARK,),
    ),
    "opportunities": BottleObject(
        name="opportunities",
        parts=(Part("opportunities"),),
        detail="opportunity_obj",
        target="Opportunity",
        keep=(
            *SHARED, "name", "account", "contacts", "pipeline", "stage", "stage_kind", "amount", "currency", "closed_on",
            "assigned_to",
        ),
        custom=(MARK, *PAYMENT),
    ),
    "quotes": BottleObject(
        name="quotes",
        path="/api/invoices/estimates/",
        parts=(Part("results"),),
        order="created_at",
        detail="estimate",
        target="Estimate",
        # Not all of it: `public_token` opens the document to whoever holds it.
        keep=(
            "id", "custom_fields", "created_at", "updated_at", "title", "status", "estimate_number", "account", "contact",
            "opportunity", "currency", "total_amount", "issue_date", "expiry_date", "line_items",
        ),
        by_detail=True,
    ),
}  # fmt: skip
