"""What is particular to Pipedrive: fields with random codes, numbers that must be numbers, unsigned webhooks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.entities import validate_entity
from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, RecordRejected
from apps.connectors.sdk.types import Page, WriteRequest, WriteResult
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.connectors.vendors.pipedrive import PipedriveConnector
from apps.core import expressions
from sandbox.pipedrive import VENDOR
from sandbox.testing import AccountControl, RunningSandbox

_accounts = itertools.count(1)
TOKEN = "token-1234567890"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def account() -> str:
    return f"company{next(_accounts)}"


@pytest.fixture
def control(sandbox: RunningSandbox, account: str) -> AccountControl:
    found = sandbox.control("pipedrive", account)
    found.credentials(api_key=TOKEN)
    return found


@pytest.fixture
def connector(sandbox: RunningSandbox, account: str, control: AccountControl) -> Iterator[PipedriveConnector]:
    made = PipedriveConnector(
        ConnectionContext(
            settings={"base_url": sandbox.base_url("pipedrive", account)},
            credentials={"api_key": TOKEN},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )
    yield made
    made.close()


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


def read(connector: PipedriveConnector, stream: str, **options: Any) -> list[Page]:
    return list(connector.stream(stream).read(**{"checkpoint": None, **options}))


def add_deals(control: AccountControl, count: int) -> list[str]:
    return [str(entry["id"]) for entry in control.create("deals", [{"title": f"D{n}"} for n in range(count)])]


def write(
    connector: PipedriveConnector, sink: str, key: str, external_id: str | None = None, **payload: Any
) -> WriteResult:
    (result,) = connector.sink(sink).write([WriteRequest(key=key, payload=payload, external_id=external_id)])
    return result


def test_many_records_of_one_second_are_read_once(connector: PipedriveConnector, control: AccountControl) -> None:
    made = add_deals(control, 23)

    pages = read(connector, "deals", page_size=4)

    assert ids(pages) == made
    assert [page.checkpoint["complete"] for page in pages] == [False] * 5 + [True]


def test_an_edit_under_way_hides_no_other_record(connector: PipedriveConnector, control: AccountControl) -> None:
    control.clock("2026-01-01T00:00:00Z")
    made = add_deals(control, 9)
    pages = connector.stream("deals").read(checkpoint=None, page_size=4)
    found = [next(pages)]
    control.clock("2026-01-02T00:00:00Z")
    # The first of the page read, and the one that the cursor names.
    for index in (0, 4):
        control.update("deals", made[index], {"title": "edited"})
    found += list(pages)

    assert set(ids(found)) == set(made)


def test_a_pass_begins_before_the_end_of_the_last(connector: PipedriveConnector, control: AccountControl) -> None:
    control.clock("2026-11-01T12:00:00Z")
    add_deals(control, 1)
    (page,) = read(connector, "deals")
    control.clock("2026-11-01T11:56:00Z")
    (late,) = add_deals(control, 1)
    control.clear_requests()

    (again,) = read(connector, "deals", checkpoint=page.checkpoint)

    assert late in ids([again])
    (asked,) = (r["query"] for r in control.requests() if r["path"] == "/api/v2/deals")
    assert "updated_since=2026-11-01T11%3A55%3A00Z" in asked


def test_a_deleted_deal_is_read_as_such(connector: PipedriveConnector, control: AccountControl) -> None:
    gone, kept = add_deals(control, 2)
    (page,) = read(connector, "deals")
    control.delete("deals", gone)

    (again,) = read(connector, "deals", checkpoint=page.checkpoint)

    assert {record.external_id: record.deleted for record in again.records} == {gone: True, kept: False}
    assert connector.stream("deals").get(gone) is None


def test_a_list_that_ignores_the_order_stops_the_read(connector: PipedriveConnector, control: AccountControl) -> None:
    for day in (1, 2):
        control.clock(f"2026-01-0{day}T00:00:00Z")
        add_deals(control, 1)
    control.settings(ignores_order=True)

    with pytest.raises(FatalError, match="unsorted"):
        read(connector, "deals")


def test_a_deal_becomes_an_opportunity(connector: PipedriveConnector, control: AccountControl) -> None:
    owner = control.create("users", {"email": "ann@acme.test"})["id"]
    company = control.create("organizations", {"name": "Initech"})["id"]
    person = control.create("persons", {"name": "Peter Gibbons"})["id"]
    values = {"title": "Roll-out", "value": 1250.5, "currency": "USD", "org_id": company, "person_id": person}
    made = control.create("deals", {**values, "owner_id": owner, "expected_close_date": "2026-12-31"})["id"]
    paid = write(connector, "deals", "k1", str(made), cf_payment_status="part_paid", cf_paid_amount=100)
    assert paid.record is not None

    spec = connector.manifest.stream("deals")
    fields = expressions.compile(spec.fields).evaluate({"record": paid.record.data})
    refs = {
        name: expressions.compile_one(ref["id"]).evaluate({"record": paid.record.data})["value"]
        for name, ref in spec.refs.items()
    }

    validate_entity("opportunity", {name: value for name, value in fields.items() if value is not None})
    assert fields == {
        "name": "Roll-out",
        "stage": "open",
        "amount": {"amount": 125050, "currency": "USD"},
        "close_date": "2026-12-31",
        "owner_email": "ann@acme.test",
        "payment_status": "part_paid",
        "invoice_number": None,
        "invoiced_amount": None,
        "paid_amount": {"amount": 10000, "currency": "USD"},
    }
    assert refs == {"account": str(company), "contact": str(person)}


def test_our_fields_are_added_once_and_found_by_name(connector: PipedriveConnector, control: AccountControl) -> None:
    write(connector, "deals", "k1", title="A")
    write(connector, "deals", "k2", title="B")

    added = [r["body"] for r in control.requests() if (r["method"], r["path"]) == ("POST", "/api/v2/dealFields")]
    assert [entry["field_name"] for entry in added] == [
        "Sync reference",
        "Payment status",
        "Invoice number",
        "Invoiced amount",
        "Paid amount",
    ]
    assert {entry["field_name"]: entry["field_type"] for entry in added}["Paid amount"] == "double"


def test_who_may_not_add_fields_is_told_which_are_missing(
    connector: PipedriveConnector, control: AccountControl
) -> None:
    control.settings(is_admin=False)

    with pytest.raises(ConfigurationError) as caught:
        connector.check()

    assert caught.value.message == "Add these custom fields to organizations in Pipedrive: Sync reference."


def test_numbers_as_text_are_refused_by_version_2(connector: PipedriveConnector, control: AccountControl) -> None:
    company = control.create("organizations", {"name": "Initech"})["id"]

    bad = write(connector, "deals", "k1", title="A", org_id=str(company))
    good = write(connector, "deals", "k2", title="A", org_id=company)

    assert isinstance(bad.error, RecordRejected)
    assert bad.error.code == "ERR_SCHEMA_VALIDATION_FAILED"
    assert good.error is None


def test_the_mapping_sends_ids_as_numbers(connector: PipedriveConnector) -> None:
    record = dict.fromkeys(("close_date", "payment_status", "invoice_number", "invoiced_amount", "paid_amount"))
    context = {"record": {**record, "name": "A", "stage": "won", "amount": {"amount": 125050, "currency": "EUR"}}}

    payload = expressions.compile(connector.manifest.sink("deals").fields).evaluate(
        {**context, "refs": {"account": "7", "contact": None}}
    )

    assert payload == {
        "title": "A", "value": 1250.5, "currency": "EUR", "expected_close_date": None, "status": "won", "org_id": 7,
        "person_id": None, "payment_currency": None, "cf_payment_status": None, "cf_invoice_number": None, "cf_invoiced_amount": None,
        "cf_paid_amount": None,
    }  # fmt: skip


def test_a_new_address_keeps_the_others(connector: PipedriveConnector, control: AccountControl) -> None:
    entries = [
        {"value": "old@x.test", "primary": True, "label": "work"},
        {"value": "home@x.test", "primary": False, "label": "home"},
    ]
    made = control.create("persons", {"name": "Ada", "emails": entries})["id"]

    write(connector, "persons", "k1", str(made), email="new@x.test")

    (held,) = control.objects("persons")
    assert held["emails"] == [
        {"value": "new@x.test", "primary": True, "label": "work"},
        {"value": "home@x.test", "primary": False, "label": "home"},
    ]


def test_search_finds_a_mark_after_a_while(connector: PipedriveConnector, control: AccountControl) -> None:
    control.settings(search_lag_seconds=30)
    made = write(connector, "deals", "ref-1", title="A")
    assert made.record is not None

    early = connector.sink("deals").resolve("ref-1")
    control.settings(search_lag_seconds=0)
    late = connector.sink("deals").resolve("ref-1")

    assert early is None
    assert late is not None
    assert late.external_id == made.record.external_id


@pytest.mark.parametrize(("case", "tokens", "wait"), [("burst", 5000, 2.0), ("day used up", 0, 3600.0)])
def test_limits_are_waited_out(
    connector: PipedriveConnector, control: AccountControl, case: str, tokens: int, wait: float
) -> None:
    control.settings(tokens_left=tokens)
    control.fault("429")

    with pytest.raises(RateLimited) as caught:
        read(connector, "deals")

    assert caught.value.retry_after == wait


def deliver(secret: str, body: bytes) -> list[Any]:
    sent = VENDOR.webhook_headers(secret="hook-password", url="", body=body, now=NOW)
    headers = {name.lower(): value for name, value in sent.items()}
    return PipedriveConnector.verify_webhook(secret=secret, headers=headers, body=body, url="", now=NOW)


META = {"entity": "deal", "entity_id": "7", "company_id": "9", "id": "u-1", "timestamp": "2026-11-23T12:00:00.000Z"}


@pytest.mark.parametrize(("entity", "streams"), [("deal", ["deals"]), ("person", ["persons"]), ("activity", [])])
def test_a_delivery_only_says_where_to_look(entity: str, streams: list[str]) -> None:
    body = json.dumps({"meta": {**META, "entity": entity}, "data": {"value": 1}}).encode()

    found = deliver("hook-password", body)

    assert [(event.stream, event.external_id, event.account_id, event.event_id) for event in found] == [
        (stream, "7", "9", "u-1") for stream in streams
    ]


def test_a_delivery_of_somebody_else_is_refused() -> None:
    with pytest.raises(ForgedWebhook):
        deliver("another", json.dumps({"meta": META}).encode())


def test_payments_must_be_in_the_deals_currency(connector: PipedriveConnector, control: AccountControl) -> None:
    made = str(control.create("deals", {"title": "D", "currency": "USD"})["id"])

    wrong = write(connector, "deals", "k1", made, cf_paid_amount=10, payment_currency="EUR")
    right = write(connector, "deals", "k2", made, cf_paid_amount=20, payment_currency="USD")

    assert isinstance(wrong.error, RecordRejected)
    assert wrong.error.message == "this deal is in USD, the payment in EUR"
    assert right.record is not None
    assert right.record.data["ours"]["paid_amount"] == 20
