"""The Pipedrive objects we speak, and the custom fields our sinks keep there."""

from __future__ import annotations

import msgspec

SYNC_REF = "sync_ref"


class OurField(msgspec.Struct, frozen=True):
    """A custom field of ours: Pipedrive gives it a random code, so it is found by the name people see."""

    key: str
    label: str
    type: str


class PipedriveObject(msgspec.Struct, frozen=True, kw_only=True):
    """`statuses` asks a list for deleted records too, where Pipedrive shows them."""

    name: str
    fields_path: str
    page: str
    custom: tuple[OurField, ...]
    statuses: str = ""


MARK = OurField(SYNC_REF, "Sync reference", "varchar")
OBJECTS = {
    "organizations": PipedriveObject(
        name="organizations", fields_path="organizationFields", page="organization", custom=(MARK,)
    ),
    "persons": PipedriveObject(name="persons", fields_path="personFields", page="person", custom=(MARK,)),
    "deals": PipedriveObject(
        name="deals",
        fields_path="dealFields",
        page="deal",
        custom=(
            MARK,
            OurField("payment_status", "Payment status", "varchar"),
            OurField("invoice_number", "Invoice number", "varchar"),
            OurField("invoiced_amount", "Invoiced amount", "double"),
            OurField("paid_amount", "Paid amount", "double"),
        ),
        statuses="open,won,lost,deleted",
    ),
}
