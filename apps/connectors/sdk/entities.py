"""The canonical vocabulary: what mappings must produce and what history, rules and APIs can rely on.

Money is {"amount": minor units, "currency": ISO 4217}; dates are `YYYY-MM-DD`; durations are whole seconds; quantities
are decimal strings. References to other records are links, not fields (`REFERENCES`). An invoice's lines are part of the
invoice: no system gives them a life of their own, and a line without its document has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from apps.connectors.sdk.misfits import Misfit, describe_misfit

Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Interval = Literal["week", "month", "quarter", "year"]
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
    payment_risk: Literal["none", "overdue"] | None = None
    overdue_amount: MoneyValue | None = None


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


class Quote(EntityStruct, frozen=True):
    """An offer to an account, with its positions."""

    name: str
    status: Literal["draft", "sent", "accepted", "declined", "expired"]
    currency: Currency | None = None
    number: str | None = None
    total: MoneyValue | None = None
    issue_date: date | None = None
    expiry_date: date | None = None
    lines: list[InvoiceLine] = []


class Contract(EntityStruct, frozen=True):
    """What was agreed: value, term and how it is billed. A retainer is a contract with an amount per interval."""

    name: str
    status: Literal["draft", "active", "ended", "cancelled"]
    number: str | None = None
    value: MoneyValue | None = None
    start_date: date | None = None
    end_date: date | None = None
    renewal_date: date | None = None
    billing_method: Literal["fixed", "time", "milestone", "retainer"] | None = None
    interval: Interval | None = None
    interval_amount: MoneyValue | None = None


class Subscription(EntityStruct, frozen=True):
    """A recurring sale billed by interval; `amount` is for one interval."""

    name: str
    status: Literal["trialing", "active", "past_due", "paused", "cancelled"]
    number: str | None = None
    amount: MoneyValue | None = None
    quantity: DecimalText | None = None
    interval: Interval | None = None
    start_date: date | None = None
    end_date: date | None = None
    next_billing_date: date | None = None


class Milestone(EntityStruct, frozen=True):
    """A point in a project at which something is done, and often billed."""

    name: str
    status: Literal["open", "done"]
    due_date: date | None = None
    completed_date: date | None = None
    amount: MoneyValue | None = None


class Assignment(EntityStruct, frozen=True):
    """A resource's place on a project or task, for a time and at a rate."""

    name: str
    status: Literal["active", "inactive"]
    start_date: date | None = None
    end_date: date | None = None
    planned_seconds: int | None = None
    hourly_rate: MoneyValue | None = None


class Expense(EntityStruct, frozen=True):
    """Money spent by a resource on a project; billable ones become invoice lines."""

    spent_date: date
    amount: MoneyValue
    status: Literal["draft", "submitted", "approved", "rejected"]
    billable: bool
    description: str | None = None
    category: str | None = None


class InvoiceSchedule(EntityStruct, frozen=True):
    """One instalment of what will be billed: when, how much and why."""

    name: str
    status: Literal["planned", "due", "invoiced", "cancelled"]
    due_date: date | None = None
    amount: MoneyValue | None = None


class UsageRecord(EntityStruct, frozen=True):
    """A metered quantity of one day, to be billed by a subscription or contract."""

    name: str
    usage_date: date
    quantity: DecimalText
    unit: str | None = None


class RevenueEntry(EntityStruct, frozen=True):
    """Revenue that was earned: for what, on which day, in which period; recognized once the books have it."""

    name: str
    status: Literal["recognizable", "recognized"]
    currency: Currency
    total: MoneyValue
    earned_on: date
    period_start: date | None = None
    period_end: date | None = None
    lines: list[InvoiceLine] = []


class Ticket(EntityStruct, frozen=True):
    """A request for support."""

    name: str
    status: Literal["new", "open", "pending", "solved", "closed"]
    number: str | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    description: str | None = None
    requester_email: str | None = None
    due_date: date | None = None


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
    "quote": Quote,
    "contract": Contract,
    "subscription": Subscription,
    "milestone": Milestone,
    "assignment": Assignment,
    "expense": Expense,
    "invoice_schedule": InvoiceSchedule,
    "usage_record": UsageRecord,
    "revenue": RevenueEntry,
    "ticket": Ticket,
}

# Which references each entity may have, and to what.
REFERENCES: dict[str, dict[str, str]] = {
    "account": {},
    "contact": {"account": "account"},
    "opportunity": {"account": "account", "contact": "contact"},
    "project": {"account": "account", "opportunity": "opportunity"},
    "task": {"project": "project", "resource": "resource"},
    "resource": {},
    "time_entry": {
        "project": "project",
        "task": "task",
        "resource": "resource",
        "invoice": "invoice",
        "revenue": "revenue",
    },
    "invoice": {"account": "account", "project": "project", "subscription": "subscription"},
    "payment": {"invoice": "invoice"},
    "quote": {"account": "account", "contact": "contact", "opportunity": "opportunity"},
    "contract": {"account": "account", "opportunity": "opportunity", "quote": "quote", "project": "project"},
    "subscription": {"account": "account", "contract": "contract"},
    "milestone": {"project": "project", "invoice": "invoice", "revenue": "revenue"},
    "assignment": {"project": "project", "task": "task", "resource": "resource"},
    "expense": {"project": "project", "task": "task", "resource": "resource", "invoice": "invoice"},
    "invoice_schedule": {
        "contract": "contract",
        "project": "project",
        "milestone": "milestone",
        "invoice": "invoice",
        "opportunity": "opportunity",
        "subscription": "subscription",
    },
    "usage_record": {"subscription": "subscription", "account": "account"},
    "revenue": {"account": "account", "project": "project"},
    "ticket": {"account": "account", "contact": "contact", "project": "project", "resource": "resource"},
}


class InvalidRecord(ValueError):
    """The mapped fields do not have the entity's shape; the message says what to change, `field` is the path to it."""

    def __init__(self, misfit: Misfit) -> None:
        super().__init__(misfit.message)
        self.field = misfit.field


CUSTOM_PREFIX = "x_"
# What a declared custom field of each kind holds.
CUSTOM_TYPES: dict[str, Any] = {
    "text": str, "integer": int, "number": int | float, "boolean": bool, "date": date, "datetime": datetime,
    "money": MoneyValue,
}  # fmt: skip


def validate_entity(
    entity: str, fields: dict[str, Any], custom: Callable[[], Mapping[str, str]] | None = None
) -> EntityStruct:
    """This function will check mapped fields against the entity's schema. Raises InvalidRecord.

    `custom` gives the kinds of the declared custom fields; it is asked only where there are any (`x_…`).
    """
    try:
        return msgspec.convert(fields, ENTITIES[entity], strict=True)
    except msgspec.ValidationError as error:
        own = {name: value for name, value in fields.items() if name.startswith(CUSTOM_PREFIX)}
        if custom is None or not own:
            raise InvalidRecord(describe_misfit(error, ENTITIES[entity])) from error
    _validate_custom(own, custom())
    return validate_entity(entity, {name: value for name, value in fields.items() if name not in own})


def _validate_custom(fields: dict[str, Any], kinds: Mapping[str, str]) -> None:
    for name, value in fields.items():
        if name not in kinds:
            raise InvalidRecord(Misfit(name, f"There is no field “{name}”"))
        try:
            msgspec.convert(value, CUSTOM_TYPES[kinds[name]], strict=True)
        except msgspec.ValidationError as error:
            raise InvalidRecord(describe_misfit(error, CUSTOM_TYPES[kinds[name]], at=name)) from error


def in_order(entity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the vocabulary lists them, custom ones last by name: the database keeps no order."""
    known = ENTITIES[entity].__struct_fields__ if entity in ENTITIES else ()
    return {name: fields[name] for name in (*known, *sorted(fields.keys() - set(known))) if name in fields}


def json_schema(entity: str) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of an entity."""
    schema, components = msgspec.json.schema_components([ENTITIES[entity]], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:canonical:{entity}:1",
        **schema[0],
        "$defs": components,
    }
