"""What is particular to BottleCRM: lists that move, values dropped in silence, text that changes with the clock."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.connectors.sdk.entities import validate_entity
from apps.connectors.sdk.errors import ConfigurationError, FatalError, RecordRejected
from apps.connectors.sdk.types import Page, WriteRequest, WriteResult
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.connectors.vendors.bottlecrm import BottleConnector
from apps.core import expressions
from sandbox.bottlecrm import VENDOR
from sandbox.testing import AccountControl

_numbers = itertools.count(1)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OUR_FIELDS = ["sync_ref", "payment_status", "invoice_number", "invoiced_amount", "paid_amount"]


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


def add(control: AccountControl, kind: str, count: int) -> list[str]:
    """Many of one kind, and all of one moment."""
    names = [f"{kind} {number} {next(_numbers)}" for number in range(count)]
    values = [{"first_name": "P", "last_name": name} if kind == "contacts" else {"name": name} for name in names]
    return [entry["id"] for entry in control.create(kind, values)]


def write(
    connector: BottleConnector, sink: str, key: str, external_id: str | None = None, **payload: Any
) -> WriteResult:
    (result,) = connector.sink(sink).write([WriteRequest(key=key, payload=payload, external_id=external_id)])
    return result


def map_source(connector: BottleConnector, stream: str, external_id: str) -> dict[str, Any]:
    record = connector.stream(stream).get(external_id)
    assert record is not None
    spec = connector.manifest.stream(stream)
    fields = expressions.compile(spec.fields).evaluate({"record": record.data})
    validate_entity(spec.entity, {name: value for name, value in fields.items() if value is not None})
    return fields


@pytest.mark.parametrize("kind", ["contacts", "opportunities"])
@pytest.mark.parametrize("deleted", [[0], [0, 1], [0, 1, 2], [3], [0, 4]])
def test_records_that_move_up_are_not_passed_over(
    connector: BottleConnector, control: AccountControl, kind: str, deleted: list[int]
) -> None:
    made = add(control, kind, 12)
    listed = ids(list(connector.stream(kind).read(checkpoint=None, page_size=100)))
    pages = connector.stream(kind).read(checkpoint=None, page_size=3)
    found = [next(pages), next(pages)]
    for index in deleted:
        control.delete(kind, listed[index])

    found += list(pages)

    assert sorted(ids(found)) == sorted(made)
    assert ids(found) == listed


@pytest.mark.parametrize("kind", ["contacts", "opportunities"])
def test_records_that_move_down_are_read_once(connector: BottleConnector, control: AccountControl, kind: str) -> None:
    made = add(control, kind, 9)
    pages = connector.stream(kind).read(checkpoint=None, page_size=3)
    found = [next(pages), next(pages)]
    add(control, kind, 12)

    found += list(pages)

    read = ids(found)
    assert len(read) == len(set(read))
    assert set(made) <= set(read)


def test_inactive_accounts_are_read_after_the_active(connector: BottleConnector, control: AccountControl) -> None:
    active = [control.create("accounts", {"name": f"A{n}"})["id"] for n in range(3)]
    closed = [control.create("accounts", {"name": f"I{n}", "is_active": False})["id"] for n in range(3)]

    pages = list(connector.stream("accounts").read(checkpoint=None, page_size=2))

    assert ids(pages) == sorted(active, reverse=True) + sorted(closed, reverse=True)
    assert [page.checkpoint["complete"] for page in pages] == [False, False, False, True]
    assert map_source(connector, "accounts", closed[0])["status"] == "inactive"


def test_a_complete_pass_is_followed_by_another(connector: BottleConnector, control: AccountControl) -> None:
    made = add(control, "contacts", 2)
    (page,) = connector.stream("contacts").read(checkpoint=None, page_size=10)
    again = connector.stream("contacts").read(checkpoint=page.checkpoint, page_size=10)

    assert sorted(ids(list(again))) == sorted(made)


def test_a_record_reads_the_same_while_nothing_changes(connector: BottleConnector, control: AccountControl) -> None:
    control.clock("2026-01-01T00:00:01Z")
    made = control.create("opportunities", {"name": "D"})["id"]
    first = connector.stream("opportunities").get(made)
    control.clock("2026-01-01T00:00:40Z")

    assert connector.stream("opportunities").get(made) == first


def test_our_custom_fields_are_added_once(connector: BottleConnector, control: AccountControl) -> None:
    write(connector, "opportunities", "k1", name="A")
    write(connector, "opportunities", "k2", name="B")

    assert [entry["key"] for entry in control.objects("custom_fields")] == OUR_FIELDS
    assert {entry["target_model"] for entry in control.objects("custom_fields")} == {"Opportunity"}


def test_who_may_not_add_fields_is_told_which_are_missing(connector: BottleConnector, control: AccountControl) -> None:
    control.settings(is_admin=False)
    for target in ("Account", "Contact", "Opportunity"):
        control.create("custom_fields", {"key": "sync_ref", "label": "S", "field_type": "text", "target_model": target})

    with pytest.raises(ConfigurationError) as caught:
        connector.check()

    assert caught.value.message == (
        "An administrator must add the custom fields payment_status, invoice_number, invoiced_amount, paid_amount "
        "to opportunities."
    )


def test_a_value_dropped_in_silence_is_noticed(connector: BottleConnector, control: AccountControl) -> None:
    sink = connector.sink("opportunities")
    sink.write([WriteRequest(key="k1", payload={"name": "A"})])
    for entry in control.objects("custom_fields"):
        if entry["key"] == "invoice_number":
            control.delete("custom_fields", entry["id"])

    (result,) = sink.write([WriteRequest(key="k2", payload={"name": "B", "cf_invoice_number": "INV-1"})])

    assert isinstance(result.error, RecordRejected)
    assert result.error.message == "BottleCRM did not take invoice_number"


def test_a_filter_that_is_ignored_is_noticed(connector: BottleConnector, control: AccountControl) -> None:
    write(connector, "accounts", "k1", name="A")
    control.settings(ignores_filters=True)

    with pytest.raises(FatalError, match="ignored the filter"):
        connector.sink("accounts").resolve("k2")


def test_an_update_keeps_other_contacts_and_fields(connector: BottleConnector, control: AccountControl) -> None:
    first, second = add(control, "contacts", 2)
    made = write(connector, "opportunities", "k1", name="D", contact=first, cf_invoice_number="INV-1")
    assert made.record is not None

    changed = write(connector, "opportunities", "k2", made.record.external_id, contact=second, cf_paid_amount=5.0)

    assert changed.record is not None
    assert [person["id"] for person in changed.record.data["contacts"]] == [first, second]
    assert changed.record.data["custom_fields"] == {"invoice_number": "INV-1", "sync_ref": "k1", "paid_amount": 5.0}


def test_won_means_the_won_stage_of_the_deals_pipeline(connector: BottleConnector, control: AccountControl) -> None:
    made = control.create("opportunities", {"name": "D", "amount": "10", "closed_on": "2026-11-30"})["id"]

    won = write(connector, "opportunities", "k1", made, stage_kind="won")
    refused = write(connector, "opportunities", "k2", name="E", stage_kind="won")

    assert won.record is not None
    assert won.record.data["stage"] == "CLOSED_WON"
    assert isinstance(refused.error, RecordRejected)
    assert "closed_on: A deal cannot be closed without the date it closed on." in refused.error.message


def test_an_opportunity_is_mapped_whole(connector: BottleConnector, control: AccountControl) -> None:
    control.settings(owner="olive@firm.test", currency="USD")
    company = write(connector, "accounts", "k1", name="Initech", website="initech.test")
    assert company.record is not None
    deal = write(
        connector, "opportunities", "k2", name="Roll-out", amount="1250.50", closed_on="2026-12-31",
        account=company.record.external_id, cf_payment_status="part_paid", cf_invoiced_amount=1250.5, cf_paid_amount=100,
    )  # fmt: skip
    assert deal.record is not None

    assert map_source(connector, "accounts", company.record.external_id)["domain"] == "initech.test"
    assert map_source(connector, "opportunities", deal.record.external_id) == {
        "name": "Roll-out",
        "stage": "open",
        "amount": {"amount": 125050, "currency": "USD"},
        "close_date": "2026-12-31",
        "owner_email": "olive@firm.test",
        "payment_status": "part_paid",
        "invoice_number": None,
        "invoiced_amount": {"amount": 125050, "currency": "USD"},
        "paid_amount": {"amount": 10000, "currency": "USD"},
    }


def deliver(event: str, *, sent: datetime = NOW, body: bytes = b"") -> list[Any]:
    payload = {"id": "e1", "event": event, "created_at": NOW.isoformat(), "org_id": "o1", "data": {"id": "r1"}}
    raw = json.dumps(payload).encode()
    headers = VENDOR.webhook_headers(secret="whsec_1", url="", body=raw, now=sent)
    lower = {name.lower(): value for name, value in headers.items()}
    return BottleConnector.verify_webhook(secret="whsec_1", headers=lower, body=body or raw, url="", now=NOW)


@pytest.mark.parametrize(
    ("event", "streams"),
    [("deal.won", ["opportunities"]), ("account.deleted", ["accounts"]), ("ping", []), ("ticket.created", [])],
)
def test_events_name_their_stream(event: str, streams: list[str]) -> None:
    assert [(found.stream, found.external_id, found.account_id) for found in deliver(event)] == [
        (stream, "r1", "o1") for stream in streams
    ]


def test_an_old_delivery_is_a_replay() -> None:
    with pytest.raises(ForgedWebhook):
        deliver("deal.won", sent=NOW - timedelta(minutes=6))


def test_a_quote_carries_its_lines_and_keeps_its_secret(connector: BottleConnector, control: AccountControl) -> None:
    company = control.create("accounts", {"name": "Initech"})["id"]
    lines = [
        {"name": "Consulting", "description": "Work", "quantity": "2.5", "unit_price": "100"},
        {"name": "Travel", "quantity": "1", "unit_price": "49.90"},
    ]
    dates = {"issue_date": "2026-11-20", "expiry_date": "2026-12-20"}
    values = {"title": "Offer", "status": "Viewed", "account_id": company, "currency": "EUR", "line_items": lines}
    control.clock("2026-11-20T09:00:00Z")
    made = control.create("quotes", {**values, **dates})

    (page,) = connector.stream("quotes").read(checkpoint=None, page_size=10)

    euros = lambda cents: {"amount": cents, "currency": "EUR"}  # noqa: E731
    assert map_source(connector, "quotes", made["id"]) == {
        "name": "Offer",
        "status": "sent",
        "currency": "EUR",
        "number": "EST-20261120-0001",
        "total": euros(29990),
        "issue_date": "2026-11-20",
        "expiry_date": "2026-12-20",
        "lines": [
            {"description": "Work", "quantity": "2.50", "unit_price": euros(10000), "amount": euros(25000)},
            {"description": "Travel", "quantity": "1.00", "unit_price": euros(4990), "amount": euros(4990)},
        ],
    }
    assert page.records[0].data["account"] == {"id": company, "name": "Initech"}
    assert made["public_token"] not in json.dumps(page.records[0].data)


def test_a_quote_deleted_while_it_is_read_is_left_out(connector: BottleConnector, control: AccountControl) -> None:
    stream = connector.stream("quotes")
    control.create("quotes", {"title": "A"})
    gone = control.create("quotes", {"title": "B"})["id"]
    listed = connector.client.get("/api/invoices/estimates/")["results"]
    control.delete("quotes", gone)

    assert [stream._listed(row) is None for row in listed] == [True, False]  # type: ignore[attr-defined]


def test_payments_must_be_in_the_deals_currency(connector: BottleConnector, control: AccountControl) -> None:
    made = control.create("opportunities", {"name": "D", "currency": "EUR"})["id"]

    wrong = write(connector, "opportunities", "k1", made, cf_paid_amount=10.0, payment_currency="USD")
    right = write(connector, "opportunities", "k2", made, cf_invoiced_amount=20.0, payment_currency="EUR")

    assert isinstance(wrong.error, RecordRejected)
    assert wrong.error.message == "this deal is in EUR, the payment in USD"
    assert right.record is not None
    assert right.record.data["custom_fields"] == {"invoiced_amount": 20.0}
