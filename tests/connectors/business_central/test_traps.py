"""What Business Central's answers mean, and what it does behind a friendly status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from apps.connectors.sdk import machine_access, oauth2
from apps.connectors.sdk.errors import ConfigurationError, RateLimited, RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.vendors.business_central.manifest import MANIFEST
from sandbox.testing import RunningSandbox
from tests.connectors.business_central.support import BusinessCentralHarness, euros, made, mapped, payload, write

LINE = {"description": "Consulting", "quantity": "3.25", "unit_price": euros(15000), "amount": euros(48750)}
INVOICE = {
    "status": "open", "currency": "EUR", "reference": "PO-1", "issue_date": "2026-11-20", "due_date": "2026-12-20",
    "subtotal": euros(48750), "tax": euros(0), "total": euros(48750), "lines": [LINE],
}  # fmt: skip


@pytest.fixture
def firm(sandbox: RunningSandbox) -> BusinessCentralHarness:
    return BusinessCentralHarness(sandbox)


def test_placeholders_for_nothing_are_nothing(firm: BusinessCentralHarness) -> None:
    row = firm.control.create("customers", {"displayName": "Initech"})

    record = firm.connect().stream("customers").get(row["id"])

    assert row["blocked"] == "_x0020_"
    assert record.data["blocked"] is None
    assert mapped("customers", record) == {
        "name": "Initech", "number": "C10000", "currency": "EUR", "status": "active", "refs": {},
    }  # fmt: skip


def test_the_server_may_make_pages_smaller_than_asked(firm: BusinessCentralHarness) -> None:
    firm.control.settings(largest_page=2)
    seeded = set(firm.seed("customers", 5))

    pages = list(firm.connect().stream("customers").read(checkpoint=None, page_size=100))

    assert [len(page.records) for page in pages] == [2, 2, 1]
    assert {record.external_id for page in pages for record in page.records} == seeded


def test_time_entries_are_filtered_by_the_misspelled_property_they_have(firm: BusinessCentralHarness) -> None:
    now = datetime.now(UTC)
    firm.control.clock((now - timedelta(hours=2)).isoformat())
    firm.seed("time_entries", 1)
    firm.control.clock(None)
    (late,) = firm.seed("time_entries", 1)
    stream = firm.connect().stream("time_entries")

    (page,) = stream.read(checkpoint={"since": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})

    assert [record.external_id for record in page.records] == [late]
    assert mapped("time_entries", page.records[0]) == {
        "work_date": "2026-11-20", "duration_seconds": 11700, "status": "draft", "billable": True,
        "refs": {"project": firm.one("projects"), "resource": firm.one("employees")},
    }  # fmt: skip


def test_a_person_finds_its_customer_through_its_business_relation(firm: BusinessCentralHarness) -> None:
    (person,) = firm.seed("contacts", 1)
    firm.control.create("contacts", {"displayName": "A company contact"})

    records = [r for page in firm.connect().stream("contacts").read(checkpoint=None) for r in page.records]

    assert [record.external_id for record in records] == [person]
    assert mapped("contacts", records[0])["refs"] == {"account": firm.one("customers")}


def test_a_batch_is_one_call_and_its_parts_answer_for_themselves(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    requests = [
        WriteRequest(key=f"b{n}", payload=payload("projects", {"name": name}))
        for n, name in enumerate(["One", "", "Three"])
    ]
    firm.control.clear_requests()

    results = connector.sink("projects").write(requests)

    assert [type(result.error) for result in results] == [type(None), RecordRejected, type(None)]
    assert results[1].error.message == "displayName must be filled in. (HTTP 400)"
    assert [r.record.data["displayName"] for r in results if r.record] == ["One", "Three"]
    posts = [r for r in firm.control.requests() if r["method"] == "POST"]
    assert [len(r["body"]["requests"]) for r in posts] == [3, 3]


def test_an_entity_changed_meanwhile_is_read_again_and_then_changed(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    (customer,) = firm.seed("customers", 1)
    sink = connector.sink("customers")
    stale = connector.stream("customers").get(customer)
    firm.control.update("customers", customer, {"phoneNumber": "+49 99"})
    fresh = sink.stream.get
    looks = [stale]
    sink.stream.get = lambda external_id: looks.pop() if looks else fresh(external_id)

    request = WriteRequest(key="u1", external_id=customer, payload=payload("customers", {"name": "Initech AG"}))
    record = made(sink.write([request])[0])

    assert (record.data["displayName"], record.data["phoneNumber"]) == ("Initech AG", "+49 99")
    assert [r["status"] for r in firm.control.requests() if r["method"] == "PATCH"] == [409, 200]


def test_an_entity_that_never_rests_is_worth_another_try_later(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    (customer,) = firm.seed("customers", 1)
    sink = connector.sink("customers")
    stale = connector.stream("customers").get(customer)
    firm.control.update("customers", customer, {"phoneNumber": "+49 99"})
    sink.stream.get = lambda external_id: stale

    request = WriteRequest(key="u1", external_id=customer, payload=payload("customers", {"name": "X"}))
    with pytest.raises(TransientError) as caught:
        sink.write([request])

    assert caught.value.code == "Request_EntityChanged"


def test_an_invoice_is_posted_and_its_balance_tells_what_was_paid(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    record = made(write(connector, "invoices", "i1", INVOICE, account=firm.one("customers")))
    shown = mapped("invoices", record)
    assert shown.pop("number") == "PS-INV103001"
    assert shown == {
        **INVOICE, "amount_paid": euros(0), "amount_due": euros(48750), "refs": {"account": firm.one("customers")},
    }  # fmt: skip

    firm.control.update("invoices", record.external_id, {"paid": 100})
    part = mapped("invoices", connector.stream("invoices").get(record.external_id))
    firm.control.update("invoices", record.external_id, {"paid": 387.5})
    whole = mapped("invoices", connector.stream("invoices").get(record.external_id))

    assert (part["status"], part["amount_paid"], part["amount_due"]) == ("open", euros(10000), euros(38750))
    assert (whole["status"], whole["amount_paid"], whole["amount_due"]) == ("paid", euros(48750), euros(0))


def test_an_invoice_that_is_counted_differently_leaves_nothing(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    firm.control.settings(tax_percent=19)

    result = write(connector, "invoices", "i1", INVOICE, account=firm.one("customers"))

    assert isinstance(result.error, RecordRejected)
    assert result.error.code == "amounts_differ"
    assert firm.control.objects("invoices") == []
    taxed = {**INVOICE, "tax": euros(9263), "total": euros(58013)}
    assert mapped("invoices", made(write(connector, "invoices", "i2", taxed, account=firm.one("customers"))))[
        "tax"
    ] == euros(9263)


def test_a_crash_before_posting_is_finished_and_a_draft_stays_one(firm: BusinessCentralHarness) -> None:
    connector = firm.connect()
    account = firm.one("customers")
    draft = made(write(connector, "invoices", "d1", {**INVOICE, "status": "draft"}, account=account))
    firm.lose_answer("invoices")
    with pytest.raises(TransientError):
        write(connector, "invoices", "i1", INVOICE, account=account)
    sink = firm.connect().sink("invoices")

    assert mapped("invoices", sink.resolve("d1"))["status"] == "draft"
    assert mapped("invoices", sink.resolve("i1"))["status"] == "open"
    again = made(write(connector, "invoices", "d1", {**INVOICE, "status": "draft"}, account=account))
    assert (again.external_id, len(firm.control.objects("invoices"))) == (draft.external_id, 2)


def test_a_draft_left_behind_with_another_total_is_never_posted(firm: BusinessCentralHarness) -> None:
    account = firm.one("customers")
    firm.lose_answer("invoices")
    with pytest.raises(TransientError):
        write(firm.connect(), "invoices", "i1", {**INVOICE, "total": euros(99999)}, account=account)
    assert len(firm.control.objects("invoices")) == 1

    assert firm.connect().sink("invoices").resolve("i1") is None
    assert firm.control.objects("invoices") == []


def test_a_line_without_a_revenue_account_is_refused_by_name(firm: BusinessCentralHarness) -> None:
    refused = write(firm.connect(revenue_account=""), "invoices", "i1", INVOICE, account=firm.one("customers"))
    unknown = write(firm.connect(revenue_account="9999"), "quotes", "q1", INVOICE, account=firm.one("customers"))

    assert refused.error.code == "revenue_account"
    assert "No.='9999'" in unknown.error.message


def test_a_payment_is_a_negative_line_in_the_journal(firm: BusinessCentralHarness) -> None:
    paid = {"amount": euros(10000), "paid_date": "2026-11-25", "reference": "Wire 7"}

    record = made(write(firm.connect(), "payments", "p1", paid, invoice=firm.one("invoices")))

    assert record.data["amount"] == -100.0
    assert mapped("payments", record) == {
        **paid, "refs": {"invoice": firm.one("invoices")},
    }  # fmt: skip


def test_a_key_too_long_for_its_property_leaves_a_digest(firm: BusinessCentralHarness) -> None:
    sink = firm.connect().sink("quotes")
    short, long = "k" * 32, "k" * 64

    assert sink.mark(short) == short
    assert len(sink.mark(long)) == 32
    assert len(firm.connect().sink("invoices").mark(long)) == 20
    assert sink.mark(long) != sink.mark(long[:-1] + "x")
    assert len(firm.connect().sink("customers").mark(long)) == 17


def test_one_of_several_companies_must_be_named(firm: BusinessCentralHarness) -> None:
    firm.control.settings(two_companies=True)

    with pytest.raises(ConfigurationError, match="Northwind, My Company"):
        firm.connect().check()
    assert firm.connect(company="Northwind").check().account_name == "Northwind Consulting"


def test_a_limit_inside_a_batch_is_a_limit_for_all_of_it(firm: BusinessCentralHarness) -> None:
    firm.control.fault("429", path_prefix="/v2.0/Production/api/v2.0/$batch", retry_after=11)

    with pytest.raises(RateLimited) as caught:
        write(firm.connect(), "projects", "p1", {"name": "Rollout"})

    assert caught.value.retry_after == 11


def test_an_application_of_the_customers_own_gets_a_token(firm: BusinessCentralHarness) -> None:
    firm.control.credentials(client_id="app-1", client_secret="app-secret-1")
    settings = {"base_url": firm.base_url, "tenant": "dir-1", "access": "machine"}
    good = {"client_id": "app-1", "client_secret": "app-secret-1"}
    now = datetime.now(UTC)

    with httpx2.Client(trust_env=False) as client:
        options = {"settings": settings, "now": now}
        tokens = machine_access.request_machine_tokens(client, MANIFEST, credentials=good, **options)
        with pytest.raises(ConfigurationError):
            machine_access.request_machine_tokens(
                client, MANIFEST, credentials={**good, "client_secret": "guessed"}, **options
            )

    assert tokens.access_token
    assert tokens.refresh_token == ""


def test_addresses_are_microsofts_unless_the_connection_leads_elsewhere(firm: BusinessCentralHarness) -> None:
    here = oauth2.OAuth2App.of(MANIFEST, settings={"base_url": firm.base_url}, client_id="a", client_secret="b")
    there = oauth2.OAuth2App.of(MANIFEST, settings={}, client_id="a", client_secret="b")

    assert here.token_url == f"{firm.base_url}/common/oauth2/v2.0/token"
    assert there.authorize_url == "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
