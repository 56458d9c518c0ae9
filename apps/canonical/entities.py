"""The published shape of every canonical entity: what mappings must produce and what history, rules and APIs can rely on.

Money is {"amount": minor units, "currency": ISO 4217}; dates are `YYYY-MM-DD`; durations are whole seconds; quantities
are decimal strings. References to other records are links, not fields.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
DecimalText = Annotated[str, msgspec.Meta(pattern=r"^-?\d+(\.\d+)?$")]


class MoneyValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exact amount in minor units."""

    amount: int
    currency: Currency


class EntityStruct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all entities: unknown fields are refused, so that a typo in a mapping is an error and not a lost value."""


class Account(EntityStruct, frozen=True):
    """A company the customer does business with, as its CRM, ERP and billing systems know it."""

    name: str
    number: str | None = None
    domain: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    currency: Currency | None = None
    tax_id: str | None = None
    status: str | None = None


class Contact(EntityStruct, frozen=True):
    """A person at an account."""

    name: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


class Opportunity(EntityStruct, frozen=True):
    """A deal under way, won or lost; the payment fields are written back from billing."""

    name: str
    stage: Literal["open", "won", "lost"]
    amount: MoneyValue | None = None
    close_date: date | None = None
    owner_email: str | None = None
    payment_status: Literal["none", "invoiced", "part_paid", "paid"] | None = None
    invoice_number: str | None = None
    invoiced_amount: MoneyValue | None = None
    paid_amount: MoneyValue | None = None


class Project(EntityStruct, frozen=True):
    """Work sold and delivered."""

    name: str
    status: Literal["planned", "open", "on_hold", "closed"]
    code: str | None = None
    budget: MoneyValue | None = None
    start_date: date | None = None
    end_date: date | None = None


class Task(EntityStruct, frozen=True):
    """A piece of a project that time is booked on."""

    name: str
    status: Literal["open", "done"]
    estimate_seconds: int | None = None


class Resource(EntityStruct, frozen=True):
    """A person who does the work."""

    name: str
    status: Literal["active", "inactive"]
    email: str | None = None


class TimeEntry(EntityStruct, frozen=True):
    """Time worked by a resource on a project or task on one day."""

    work_date: date
    duration_seconds: Annotated[int, msgspec.Meta(ge=0)]
    status: Literal["draft", "submitted", "approved"]
    billable: bool
    description: str | None = None


class InvoiceLine(EntityStruct, frozen=True):
    """One position: amount = quantity × unit price, rounded half up."""

    description: str
    quantity: DecimalText
    unit_price: MoneyValue
    amount: MoneyValue


class Invoice(EntityStruct, frozen=True):
    """A bill of the customer to one of its accounts. Totals are in `currency`."""

    status: Literal["draft", "open", "paid", "void"]
    currency: Currency
    total: MoneyValue
    number: str | None = None
    reference: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    subtotal: MoneyValue | None = None
    tax: MoneyValue | None = None
    amount_paid: MoneyValue | None = None
    amount_due: MoneyValue | None = None
    lines: list[InvoiceLine] = []


class Payment(EntityStruct, frozen=True):
    """Money received for an invoice."""

    amount: MoneyValue
    paid_date: date
    method: str | None = None
    reference: str | None = None


ENTITIES: dict[str, type[EntityStruct]] = {
    "account": Account,
    "contact": Contact,
    "opportunity": Opportunity,
    "project": Project,
    "task": Task,
    "resource": Resource,
    "time_entry": TimeEntry,
    "invoice": Invoice,
    "payment": Payment,
}

# Which references each entity may have, and to what.
REFERENCES: dict[str, dict[str, str]] = {
    "account": {},
    "contact": {"account": "account"},
    "opportunity": {"account": "account", "contact": "contact"},
    "project": {"account": "account", "opportunity": "opportunity"},
    "task": {"project": "project", "resource": "resource"},
    "resource": {},
    "time_entry": {"project": "project", "task": "task", "resource": "resource", "invoice": "invoice"},
    "invoice": {"account": "account", "project": "project"},
    "payment": {"invoice": "invoice"},
}


class InvalidRecord(ValueError):
    """The mapped fields do not have the entity's shape; the message names the field."""


def validate_entity(entity: str, fields: dict[str, Any]) -> EntityStruct:
    """This function will check mapped fields against the entity's schema. Raises InvalidRecord."""
    try:
        return msgspec.convert(fields, ENTITIES[entity], strict=True)
    except msgspec.ValidationError as error:
        raise InvalidRecord(str(error)) from error


def json_schema(entity: str) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of an entity."""
    schema, components = msgspec.json.schema_components([ENTITIES[entity]], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:canonical:{entity}:1",
        **schema[0],
        "$defs": components,
    }
