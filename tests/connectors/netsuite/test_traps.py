"""What NetSuite's answers mean: text for everything, clocks without zones, ledger signs, jobs that run once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from apps.connectors.sdk import machine_access, oauth2
from apps.connectors.sdk.errors import ConfigurationError, RateLimited, RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.vendors.netsuite.manifest import MANIFEST
from sandbox.testing import RunningSandbox
from tests.connectors.keys import key_pair
from tests.connectors.netsuite.support import NetSuiteHarness, euros, made, mapped, payload, write

LINE = {"description": "Consulting", "quantity": "3.25", "unit_price": euros(15000), "amount": euros(48750)}
INVOICE = {
    "status": "open", "currency": "EUR", "reference": "PO-1", "issue_date": "2026-11-20", "due_date": "2026-12-20",
    "total": euros(48750), "lines": [LINE],
}  # fmt: skip
RECORD = "/services/rest/record/v1"


@pytest.fixture
def firm(sandbox: RunningSandbox) -> NetSuiteHarness:
    return NetSuiteHarness(sandbox)


def everything(connector: Any, stream: str, checkpoint: Any = None, size: int = 100) -> tuple[list[Any], Any]:
    pages = list(connector.stream(stream).read(checkpoint=checkpoint, page_size=size))
    return [record for page in pages for record in page.records], pages[-1].checkpoint


def test_empty_columns_are_absent_and_everything_is_text(firm: NetSuiteHarness) -> None:
    (customer,) = firm.seed("customers", 1)

    record = firm.connect().stream("customers").get(customer)

    assert (record.data["phone"], record.data["isinactive"]) == (None, "F")
    shown = mapped("customers", record)
    assert (shown["email"], shown["currency"], shown["status"]) == ("info@example.org", "EUR", "active")


def test_a_stamp_is_a_moment_in_the_zone_of_the_account(firm: NetSuiteHarness) -> None:
    firm.control.settings(time_zone="Europe/Berlin")
    firm.control.clock("2026-07-01T12:00:00Z")
    (customer,) = firm.seed("customers", 1)

    record = firm.connect(time_zone="Europe/Berlin").stream("customers").get(customer)

    assert record.modified_at.replace(second=0) == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match="no time zone Mars/Olympus"):
        firm.connect(time_zone="Mars/Olympus").stream("customers").get(customer)


def test_nothing_is_lost_in_the_hour_that_a_clock_repeats(firm: NetSuiteHarness) -> None:
    """On 1 November 2026 at 2:00 clocks in Los Angeles go back to 1:00: what is newer is stamped earlier."""
    firm.control.clock("2026-11-01T08:55:00Z")
    firm.seed("customers", 1)
    connector = firm.connect()
    before, checkpoint = everything(connector, "customers")
    firm.control.clock("2026-11-01T09:05:00Z")
    (late,) = firm.seed("customers", 1)

    after, _ = everything(connector, "customers", checkpoint)

    assert before[0].data["modified"] > next(r for r in after if r.external_id == late).data["modified"]


def test_an_import_with_one_stamp_is_read_whole_in_small_pages(firm: NetSuiteHarness) -> None:
    seeded = set(firm.seed("customers", 7))

    found, _ = everything(firm.connect(), "customers", size=2)

    assert {record.external_id for record in found} == seeded


def test_ledger_signs_are_turned_and_tax_stands_in_its_own_lines(firm: NetSuiteHarness) -> None:
    firm.control.settings(tax_percent=19)
    (invoice,) = firm.seed("invoices", 1)

    record = firm.connect().stream("invoices").get(invoice)

    shown = mapped("invoices", record)
    assert [(line["quantity"], line["amount"]) for line in shown["lines"]] == [("3.25", euros(48750))]
    assert (shown["subtotal"], shown["tax"], shown["total"]) == (euros(48750), euros(9263), euros(58013))


def test_an_invoice_to_a_project_belongs_to_the_projects_customer(firm: NetSuiteHarness) -> None:
    project = firm.one("projects")
    time = firm.seed("time_bills", 1)[0]
    booked_on_a_customer = firm.control.create(
        "time_bills", {"employee": firm.ref("employees"), "customer": firm.ref("customers"), "hours": "0:30"}
    )
    connector = firm.connect()

    assert mapped("time_bills", connector.stream("time_bills").get(time))["refs"]["project"] == project
    alone = mapped("time_bills", connector.stream("time_bills").get(str(booked_on_a_customer["id"])))
    assert alone["refs"] == {"resource": firm.one("employees")}
    assert mapped("projects", connector.stream("projects").get(project))["refs"] == {"account": firm.one("customers")}


def test_hours_are_written_as_on_a_clock(firm: NetSuiteHarness) -> None:
    entry = {
        "work_date": "2026-11-20", "duration_seconds": 11100, "status": "approved", "billable": True,
        "description": "Workshop",
    }  # fmt: skip
    values = payload("time_bills", entry, resource="1")
    refs = {"resource": firm.one("employees"), "project": firm.one("projects")}

    record = made(write(firm.connect(), "time_bills", "t1", entry, **refs))

    assert values["hours"] == "3:05"
    assert payload("time_bills", {**entry, "duration_seconds": 3599}, resource="1")["hours"] == "1:00"
    assert mapped("time_bills", record) == {**entry, "refs": refs}


def test_an_entity_written_again_under_its_key_keeps_what_people_changed(firm: NetSuiteHarness) -> None:
    connector = firm.connect()
    first = made(write(connector, "customers", "c1", {"name": "Initech"}))
    firm.control.update("customers", first.external_id, {"companyName": "Initech AG"})

    again = made(write(connector, "customers", "c1", {"name": "Initech"}))

    assert (again.external_id, again.data["companyname"]) == (first.external_id, "Initech AG")


def test_one_key_is_one_job_even_before_its_record_shows(firm: NetSuiteHarness) -> None:
    """Two workers, neither of which sees the other's record yet: the second is sent to the first one's job."""
    connector = firm.connect()
    body = {"entity": firm.ref("customers"), "item": {"items": [{"quantity": 1, "rate": 5, "item": {"id": "8"}}]}}

    first = connector.api.submit("invoice", "one-key", body)
    second = firm.connect().api.submit("invoice", "one-key", body)
    other = connector.api.submit("invoice", "other-key", body)

    assert (first == second, first == other) == (True, False)
    posts = [r for r in firm.control.requests() if r["method"] == "POST" and r["path"] == f"{RECORD}/invoice"]
    assert [r["status"] for r in posts] == [202, 400, 202]


def test_a_job_that_takes_its_time_is_waited_for_and_then_left(firm: NetSuiteHarness) -> None:
    waits: list[float] = []
    connector = firm.connect()
    connector.wait = waits.append
    account = firm.one("customers")
    firm.control.settings(job_polls=3)
    made(write(connector, "invoices", "slow", INVOICE, account=account))
    assert waits == [1.0, 1.0, 1.0]

    firm.control.settings(job_polls=99)
    with pytest.raises(TransientError) as caught:
        write(connector, "invoices", "never", INVOICE, account=account)
    assert caught.value.code == "pending"
    assert connector.sink("invoices").resolve("never").data["otherrefnum"] == "PO-1"


def test_a_refusal_of_a_job_is_told_at_its_end(firm: NetSuiteHarness) -> None:
    connector = firm.connect()
    results = [write(connector, "invoices", "bad", INVOICE, account="999999") for _ in range(2)]

    assert [type(result.error) for result in results] == [RecordRejected, RecordRejected]
    assert [result.error.code for result in results] == ["INVALID_KEY_OR_REF", "INVALID_KEY_OR_REF"]
    posts = [r for r in firm.control.requests() if r["method"] == "POST" and r["path"] == f"{RECORD}/invoice"]
    assert [r["status"] for r in posts] == [202, 400, 202]
    assert firm.control.objects("invoices") == []


def test_a_refusal_that_was_mended_does_not_come_back(firm: NetSuiteHarness) -> None:
    """The first job's answer is kept for its key; the same write must still be able to succeed."""
    account = firm.one("customers")
    firm.control.settings(tax_percent=19)
    refused = [write(firm.connect(), "invoices", "i1", INVOICE, account=account).error for _ in range(2)]
    firm.control.settings(tax_percent=0)

    record = made(write(firm.connect(), "invoices", "i1", INVOICE, account=account))

    assert [error.code for error in refused] == ["amounts_differ", "amounts_differ"]
    assert mapped("invoices", record)["total"] == euros(48750)
    assert len(firm.control.objects("invoices")) == 1


def test_an_invoice_counted_differently_is_taken_back(firm: NetSuiteHarness) -> None:
    firm.control.settings(tax_percent=19)
    connector = firm.connect()

    result = write(connector, "invoices", "i1", INVOICE, account=firm.one("customers"))

    assert isinstance(result.error, RecordRejected)
    assert "580.13 where 487.50" in result.error.message
    assert firm.control.objects("invoices") == []
    taxed = made(write(connector, "invoices", "i2", {**INVOICE, "total": euros(58013)}, account=firm.one("customers")))
    assert mapped("invoices", taxed)["tax"] == euros(9263)


def test_an_invoice_left_behind_with_another_total_is_taken_back(firm: NetSuiteHarness) -> None:
    account = firm.one("customers")
    for key, total in (("right", 48750), ("wrong", 99999)):
        firm.lose_answer("invoices")
        with pytest.raises(TransientError):
            write(firm.connect(), "invoices", key, {**INVOICE, "total": euros(total)}, account=account)
    sink = firm.connect().sink("invoices")

    assert mapped("invoices", sink.resolve("right"))["total"] == euros(48750)
    assert sink.resolve("wrong") is None
    assert len(firm.control.objects("invoices")) == 1


def test_invoices_and_payments_meet(firm: NetSuiteHarness) -> None:
    connector = firm.connect()
    invoice = made(write(connector, "invoices", "i1", INVOICE, account=firm.one("customers")))
    part = {"amount": euros(10000), "paid_date": "2026-11-25", "reference": "Wire 7"}

    paid = made(write(connector, "payments", "p1", part, invoice=invoice.external_id))
    after_part = mapped("invoices", connector.stream("invoices").get(invoice.external_id))
    made(write(connector, "payments", "p2", {**part, "amount": euros(38750)}, invoice=invoice.external_id))
    after_all = mapped("invoices", connector.stream("invoices").get(invoice.external_id))
    too_much = write(connector, "payments", "p3", part, invoice=invoice.external_id)

    assert mapped("payments", paid) == {**part, "refs": {"invoice": invoice.external_id}}
    assert (after_part["status"], after_part["amount_due"]) == ("open", euros(38750))
    assert (after_all["status"], after_all["amount_paid"]) == ("paid", euros(48750))
    assert isinstance(too_much.error, RecordRejected)
    assert len(firm.control.objects("payments")) == 2


def test_a_voided_payment_is_gone(firm: NetSuiteHarness) -> None:
    (payment,) = firm.seed("payments", 1)
    firm.control.update("payments", payment, {"voided": "T"})

    assert firm.connect().stream("payments").get(payment).deleted is True


def test_an_expense_is_a_line_of_a_report_of_its_own(firm: NetSuiteHarness) -> None:
    expense = {
        "spent_date": "2026-11-20", "amount": euros(5990), "status": "approved", "billable": True, "description": "Train",
    }  # fmt: skip
    refs = {"resource": firm.one("employees"), "project": firm.one("projects")}
    connector = firm.connect()

    record = made(write(connector, "expenses", "e1", expense, **refs))

    assert mapped("expenses", record) == {**expense, "category": "Travel", "refs": refs}
    assert connector.sink("expenses").resolve("e1").external_id == record.external_id


def test_too_many_calls_at_once_is_a_limit_without_a_time(firm: NetSuiteHarness) -> None:
    firm.control.fault("429")

    with pytest.raises(RateLimited) as caught:
        firm.connect().check()

    assert (caught.value.retry_after, caught.value.code) == (3.0, "CONCURRENCY_LIMIT_EXCEEDED")


def test_a_table_the_role_may_not_see_needs_a_person(firm: NetSuiteHarness) -> None:
    firm.control.settings(hidden_tables=["timebill"])

    with pytest.raises(ConfigurationError, match="timebill"):
        everything(firm.connect(), "time_bills")


def test_what_is_not_set_up_is_named(firm: NetSuiteHarness) -> None:
    account, employee = firm.one("customers"), firm.one("employees")
    expense = {"spent_date": "2026-11-20", "amount": euros(1), "status": "draft", "billable": False}

    no_item = write(firm.connect(item=""), "invoices", "i1", INVOICE, account=account)
    no_currency = write(firm.connect(), "invoices", "i2", {**INVOICE, "currency": "CHF"}, account=account)
    no_category = write(firm.connect(expense_category=""), "expenses", "e1", expense, resource=employee)

    assert [r.error.code for r in (no_item, no_currency, no_category)] == ["item", "currency", "expense_category"]


def test_an_update_of_what_was_deleted_is_refused(firm: NetSuiteHarness) -> None:
    request = WriteRequest(key="u1", external_id="424242", payload=payload("customers", {"name": "Gone"}))

    (result,) = firm.connect().sink("customers").write([request])

    assert isinstance(result.error, RecordRejected)
    assert result.error.status == 404


def test_a_machine_signs_for_its_token(firm: NetSuiteHarness) -> None:
    (private, public), (strange, _) = key_pair(), key_pair()
    firm.control.credentials(client_id="consumer-1", certificate_id="cert-7", certificate=public)
    settings = {"base_url": firm.base_url, "account": "1234567", "access": "machine"}
    good = {"client_id": "consumer-1", "key_id": "cert-7", "private_key": private}
    now = datetime.now(UTC)

    with httpx2.Client(trust_env=False) as client:
        options: Any = {"settings": settings, "now": now}
        tokens = machine_access.request_machine_tokens(client, MANIFEST, credentials=good, **options)
        for wrong in ({"key_id": "old"}, {"client_id": "consumer-2"}, {"private_key": strange}):
            with pytest.raises(ConfigurationError, match="client id or secret was refused"):
                machine_access.request_machine_tokens(client, MANIFEST, credentials={**good, **wrong}, **options)
        options["now"] = now - timedelta(minutes=4)
        with pytest.raises(ConfigurationError, match="client id or secret was refused"):
            machine_access.request_machine_tokens(client, MANIFEST, credentials=good, **options)

    assert tokens.expires_at - now == timedelta(minutes=30)
    assert tokens.refresh_token == ""


def test_each_account_has_a_token_address_of_its_own() -> None:
    app = oauth2.OAuth2App.of(MANIFEST, settings={"account": "1234567-sb1"}, client_id="a", client_secret="b")

    assert app.token_url == ("https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token")
    assert app.authorize_url == "https://system.netsuite.com/app/login/oauth2/authorize.nl"


@pytest.mark.parametrize("account", ["", "evil.example/", "a@evil", "1234567.evil"])
def test_an_account_cannot_lead_the_secret_elsewhere(account: str) -> None:
    with pytest.raises(ConfigurationError, match="letters, digits and hyphens"):
        oauth2.OAuth2App.of(MANIFEST, settings={"account": account}, client_id="a", client_secret="b")


def test_an_estimate_is_a_quote_until_it_expires(firm: NetSuiteHarness) -> None:
    (quote,) = firm.seed("quotes", 1)

    record = firm.connect().stream("quotes").get(quote)

    assert record is not None
    title, today = record.data["title"], record.data["trandate"]
    line = {"description": title, "quantity": "2", "unit_price": euros(15000), "amount": euros(30000)}
    assert mapped("quotes", record) == {
        "name": title, "number": f"Estimate{quote}", "status": "sent", "currency": "EUR", "total": euros(30000),
        "issue_date": today, "expiry_date": "2026-12-20", "lines": [line], "refs": {"account": firm.one("customers")},
    }  # fmt: skip


def test_an_estimate_that_is_counted_differently_leaves_nothing(firm: NetSuiteHarness) -> None:
    wrong = {**firm.payload("quotes"), "total": "300.01"}

    (result,) = firm.connect().sink("quotes").write([WriteRequest(key="k-1", payload=wrong)])

    assert getattr(result.error, "code", "") == "amounts_differ"
    assert firm.control.objects("quotes") == []
