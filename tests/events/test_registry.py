"""Every event is declared: its name, its version, and the data others build on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from jsonschema import Draft202012Validator, ValidationError

from apps.events.models import OutboxEvent
from apps.events.registry import (
    MisnamedEvent,
    customer_of,
    event_types,
    find_event_type,
    register_event,
    shared_event_types,
)
from apps.events.services import record_event
from apps.tenants.models import Partner

ONE = UUID(int=1)


def test_it_works() -> None:
    found = find_event_type("billing.invoice.paid")
    assert found is not None

    assert found.version == 1
    assert found.schema["$id"] == "urn:event:billing.invoice.paid:1"
    assert found.schema["required"] == ["invoice_id", "number"]
    assert found.data_of({"invoice_id": str(ONE), "number": "ACME-7"}) == {
        "invoice_id": f"inv_{ONE.hex}", "number": "ACME-7",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["won", "Opportunity.won", "a.b.c.d", "opportunity.won ", "opportunity won"])
def test_names_have_two_words_or_three(name: str) -> None:
    with pytest.raises(MisnamedEvent):
        register_event(name, "Nothing.")


def test_canonical_events_have_two_words_and_the_platforms_three() -> None:
    from apps.connectors.sdk.entities import ENTITIES

    wrong = [e.name for e in event_types() if (e.name.count(".") == 1) != (e.name.split(".")[0] in ENTITIES)]

    assert [name for name in wrong if not name.startswith("tests.")] == []


def test_whatever_is_told_outside_is_described() -> None:
    told = shared_event_types()

    assert [event_type.name for event_type in told if not event_type.fields] == []
    assert "connectors.webhook.received" not in {event_type.name for event_type in told}
    for event_type in told:
        Draft202012Validator.check_schema(event_type.schema)


def test_customers_are_told_of_their_own_matters_only() -> None:
    theirs = {event_type.name for event_type in shared_event_types(for_customers=True)}

    assert {"opportunity.won", "billing.invoice.paid", "sync.run.finished"} <= theirs
    assert not {"accounts.invitation.accepted", "customers.customer.updated"} & theirs


def test_hidden_fields_stay_inside() -> None:
    found = find_event_type("connectors.connection.status_changed")
    assert found is not None

    assert "environment_id" not in found.schema["properties"]
    assert "environment_id" not in found.data_of({"environment_id": str(ONE)})


def test_data_is_held_against_the_schema(partner: Partner, now: datetime) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"billing\.invoice\.paid does not declare color"):
        record_event(name="billing.invoice.paid", subject_key="x", payload={"color": "red"}, now=now)
    with pytest.raises(ValidationError, match="None is not of type 'string'"):
        record_event(name="billing.invoice.paid", subject_key="x", payload={"number": "1"}, now=now)

    assert OutboxEvent.objects.count() == 0


def test_an_event_is_about_a_customer_by_its_subject_or_by_name() -> None:
    about = [
        customer_of(OutboxEvent(subject_key=key, payload=payload))
        for key, payload in (
            (f"customer:{ONE}", {}),
            ("connection:7", {"customer_id": str(ONE)}),
            ("user:7", {}),
        )
    ]

    assert about == [ONE, ONE, None]
