"""Archived records as deletes, quotes with their line items, and the older webhook signature."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from apps.connectors.sdk.entities import validate_entity
from apps.connectors.sdk.types import Page
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.connectors.vendors.hubspot import HubSpotConnector
from apps.core import expressions
from sandbox.hubspot import VENDOR
from sandbox.testing import AccountControl
from tests.connectors.hubspot.test_streams import account, connector, control

__all__ = ["account", "connector", "control"]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADDRESS = "https://acme.test/hooks/hubspot"
EVENT = {"eventId": 7, "subscriptionType": "deal.deletion", "portalId": 42, "objectId": 5, "occurredAt": 1795435200000}


def read_at(connector: HubSpotConnector, control: AccountControl, moment: datetime, checkpoint: Any = None) -> Page:
    """One pass of the companies at a time of our choosing, on both sides."""
    control.clock(moment.isoformat())
    connector.context = msgspec.structs.replace(connector.context, now=lambda: moment)
    (page,) = connector.stream("companies").read(checkpoint=checkpoint, page_size=200)
    return page


def test_archived_records_are_read_as_deleted(connector: HubSpotConnector, control: AccountControl) -> None:
    control.clock((NOW - timedelta(days=1)).isoformat())
    old, gone, kept = (entry["id"] for entry in control.create("companies", [{"name": n} for n in "ABC"]))
    control.delete("companies", old)
    first = read_at(connector, control, NOW)
    control.delete("companies", gone)

    second = read_at(connector, control, NOW + timedelta(minutes=61), first.checkpoint)
    third = read_at(connector, control, NOW + timedelta(minutes=123), second.checkpoint)

    assert [(record.external_id, record.deleted) for record in first.records] == [(gone, False), (kept, False)]
    deleted = [record for record in second.records if record.deleted]
    assert [record.external_id for record in deleted] == [gone]
    assert deleted[0].modified_at is not None
    assert deleted[0].modified_at >= NOW
    assert not any(record.deleted for record in third.records)


def test_the_archive_is_walked_once_an_hour(connector: HubSpotConnector, control: AccountControl) -> None:
    control.create("companies", {"name": "A"})
    first = read_at(connector, control, NOW)
    control.clear_requests()

    second = read_at(connector, control, NOW + timedelta(minutes=59), first.checkpoint)
    assert not any("archived=true" in r["query"] for r in control.requests())
    read_at(connector, control, NOW + timedelta(minutes=61), second.checkpoint)

    assert sum("archived=true" in r["query"] for r in control.requests()) == 1


def test_a_long_archive_is_walked_to_its_end(connector: HubSpotConnector, control: AccountControl) -> None:
    made = [entry["id"] for entry in control.create("companies", [{"name": f"C{n}"} for n in range(105)])]
    first = read_at(connector, control, NOW)
    for record in made:
        control.delete("companies", record)

    second = read_at(connector, control, NOW + timedelta(hours=2), first.checkpoint)

    assert sorted(record.external_id for record in second.records if record.deleted) == sorted(made)


def test_a_checkpoint_of_before_goes_on(connector: HubSpotConnector, control: AccountControl) -> None:
    control.create("companies", {"name": "A"})
    first = read_at(connector, control, NOW)
    older = {name: value for name, value in first.checkpoint.items() if name != "swept"}

    second = read_at(connector, control, NOW + timedelta(minutes=5), older)

    assert second.checkpoint["swept"] == round((NOW + timedelta(minutes=5)).timestamp() * 1000)


def test_a_quote_carries_its_lines(connector: HubSpotConnector, control: AccountControl) -> None:
    control.clock("2026-11-20T09:00:00Z")
    company = control.create("companies", {"name": "Initech"})["id"]
    deal = control.create("deals", {"dealname": "Roll-out"})["id"]
    first = control.create("line_items", {"name": "Consulting", "quantity": "2.5", "price": "100"})["id"]
    second = control.create("line_items", {"name": "Trip", "description": "Travel", "quantity": "1", "price": "49.90"})
    links = {"companies": [company], "deals": [deal], "line_items": [second["id"], first]}
    values = {
        "hs_title": "Offer", "hs_status": "APPROVAL_NOT_NEEDED", "hs_currency": "USD", "hs_quote_amount": "299.90",
        "hs_expiration_date": "2026-12-01", "hs_quote_number": "20261120-1",
    }  # fmt: skip
    made = control.create("quotes", {**values, "associations": links})["id"]

    record = connector.stream("quotes").get(made)

    assert record is not None
    spec = connector.manifest.stream("quotes")
    fields = expressions.compile(spec.fields).evaluate({"record": record.data})
    validate_entity("quote", fields)
    dollars = lambda cents: {"amount": cents, "currency": "USD"}  # noqa: E731
    assert fields == {
        "name": "Offer",
        "status": "sent",
        "currency": "USD",
        "number": "20261120-1",
        "total": dollars(29990),
        "issue_date": "2026-11-20",
        "expiry_date": "2026-12-01",
        "lines": [
            {"description": "Consulting", "quantity": "2.5", "unit_price": dollars(10000), "amount": dollars(25000)},
            {"description": "Travel", "quantity": "1", "unit_price": dollars(4990), "amount": dollars(4990)},
        ],
    }
    assert record.data["associations"] == {"companies": company, "contacts": None, "deals": deal}


@pytest.mark.parametrize(
    ("status", "signed", "expected"),
    [("DRAFT", "", "draft"), ("APPROVED", "", "sent"), ("APPROVED", "ESIGN_COMPLETED", "accepted")],
)
def test_quote_statuses(status: str, signed: str, expected: str) -> None:
    mapping = expressions.compile({"status": HubSpotConnector.manifest.stream("quotes").fields["status"]})
    record = {"properties": {"hs_status": status, "hs_sign_status": signed}}

    assert mapping.evaluate({"record": record}) == {"status": expected}


def verify(headers: dict[str, str], body: bytes) -> list[Any]:
    return HubSpotConnector.verify_webhook(secret="app-secret", headers=headers, body=body, url=ADDRESS, now=NOW)


def version_1(body: bytes) -> dict[str, str]:
    return {
        "x-hubspot-signature": hashlib.sha256(b"app-secret" + body).hexdigest(),
        "x-hubspot-signature-version": "v1",
    }


def test_version_1_proves_a_subscription_that_has_no_other() -> None:
    body = json.dumps([EVENT]).encode()

    assert [(event.stream, event.external_id) for event in verify(version_1(body), body)] == [("deals", "5")]


def test_version_1_is_refused_where_version_3_is_due() -> None:
    body = json.dumps([EVENT]).encode()
    sent = VENDOR.webhook_headers(secret="app-secret", url=ADDRESS, body=body, now=NOW)
    headers = {name.lower(): value for name, value in sent.items()}
    assert len(verify(headers, body)) == 1

    for change in ({"x-hubspot-signature-v3": "x"}, {"x-hubspot-request-timestamp": ""}):
        with pytest.raises(ForgedWebhook):
            verify({**headers, **change}, body)


@pytest.mark.parametrize("change", [{"x-hubspot-signature": "0" * 64}, {"x-hubspot-signature-version": "v2"}])
def test_a_forged_version_1_is_refused(change: dict[str, str]) -> None:
    body = json.dumps([EVENT]).encode()

    with pytest.raises(ForgedWebhook):
        verify({**version_1(body), **change}, body)
    with pytest.raises(ForgedWebhook):
        verify(version_1(body), body + b" ")


def test_the_newer_subscriptions_name_the_type_by_its_id() -> None:
    body = json.dumps([{**EVENT, "subscriptionType": "object.propertyChange", "objectTypeId": "0-14"}]).encode()

    assert [event.stream for event in verify(version_1(body), body)] == ["quotes"]
