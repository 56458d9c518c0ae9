"""What each service takes, as published JSON Schemas. Records are named by their ids (`rec_…`)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from apps.connectors.sdk.entities import Currency, MoneyValue

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
_QUANTITY = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"
_RECORD_ID = r"^(rec_[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
PATTERNS = {_QUANTITY: "a number like 12.50", _RECORD_ID: "the id of a record, like rec_ and 32 digits"}
Quantity = Annotated[str, msgspec.Meta(pattern=_QUANTITY)]
RecordId = Annotated[str, msgspec.Meta(pattern=_RECORD_ID, title="Record id")]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all inputs: what a service does not know is refused, not ignored."""


class CreateCustomer(Input, frozen=True):
    """A company. One with the same number or tax number that is known already is taken, and completed."""

    name: Name
    number: str | None = None
    domain: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    currency: Currency | None = None
    tax_id: str | None = None


class ProvisionProject(Input, frozen=True):
    """A project, for a deal (once per deal) or on its own. `first_task` is made with it."""

    name: Name | None = None
    account: RecordId | None = None
    opportunity: RecordId | None = None
    code: str | None = None
    budget: MoneyValue | None = None
    start_date: date | None = None
    end_date: date | None = None
    first_task: Name | None = None


class UpdateResource(Input, frozen=True):
    """A person who does the work, by id or by e-mail address; what is not given stays."""

    resource: RecordId | None = None
    email: str | None = None
    name: Name | None = None
    new_email: str | None = None
    status: Literal["active", "inactive"] | None = None


class Line(Input, frozen=True):
    """Its amount is quantity × unit price, rounded half up."""

    description: Name
    unit_price: MoneyValue
    quantity: Quantity = "1"


class GenerateInvoice(Input, frozen=True):
    """A bill to an account, or to the account of a project. All prices have one currency."""

    lines: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=500)]
    account: RecordId | None = None
    project: RecordId | None = None
    currency: Currency | None = None
    reference: str | None = None
    status: Literal["draft", "open"] = "draft"
    issue_date: date | None = None
    due_date: date | None = None


class PaymentStatus(Input, frozen=True):
    """What was invoiced for a deal and what was paid; the deal's own fields are brought up to date."""

    opportunity: RecordId


class CompleteMilestone(Input, frozen=True):
    """A milestone is done; without a date, today."""

    milestone: RecordId
    completed_date: date | None = None


INPUTS: dict[str, type[Input]] = {
    "create_customer": CreateCustomer,
    "provision_project": ProvisionProject,
    "update_resource": UpdateResource,
    "generate_invoice": GenerateInvoice,
    "payment_status": PaymentStatus,
    "complete_milestone": CompleteMilestone,
}


def input_schema(service: str) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of a service's input."""
    schema, components = msgspec.json.schema_components([INPUTS[service]], ref_template="#/$defs/{name}")
    own = components.pop(INPUTS[service].__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:service:{service}:1",
        **(own if "$ref" in schema[0] else schema[0]),
        **({"$defs": components} if components else {}),
    }
