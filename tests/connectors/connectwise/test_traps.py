"""What ConnectWise does that others do not."""

from __future__ import annotations

import base64
import hashlib

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RecordRejected
from apps.connectors.vendors.connectwise.sinks import tail
from sandbox.connectwise import VENDOR
from sandbox.testing import RunningSandbox
from tests.connectors.connectwise.harness import API, ConnectWiseHarness
from tests.connectors.delivery import mapped, read_all, write, written

PROJECT = {"name": "Rollout", "status": "open", "start_date": "2026-11-01", "end_date": "2027-01-31"}
ENTRY = {"work_date": "2026-11-20", "duration_seconds": 5400, "billable": True, "description": "Workshop"}


@pytest.fixture
def harness(sandbox: RunningSandbox) -> ConnectWiseHarness:
    return ConnectWiseHarness(sandbox)


def one(connector, stream, external_id):
    return mapped(connector, stream, connector.stream(stream).get(str(external_id)))


def test_a_missing_client_id_is_refused(harness):
    harness.more = {"client_id": ""}

    with pytest.raises(ConfigurationError, match="client id"):
        harness.connector().check()


def test_a_time_zone_that_is_none_is_named(harness):
    harness.more = {"time_zone": "Eastern Standard Time"}

    with pytest.raises(ConfigurationError, match="no time zone"):
        harness.connector().check()


def test_pages_go_forward_by_id(harness):
    """Counted pages would lose a record for each one deleted meanwhile."""
    seeded = harness.seed("contacts", 5)
    pages = harness.connector().stream("contacts").read(checkpoint=None, page_size=2)
    first = next(pages)
    for gone in first.records:
        harness.control.delete("contacts", gone.external_id)

    rest = [record.external_id for page in pages for record in page.records]

    assert [record.external_id for record in first.records] + rest == seeded
    assert first.checkpoint["place"]["next"].startswith("/company/contacts?pageSize=2")


def test_a_condition_that_was_not_applied_stops_the_run(harness, monkeypatch):
    connector = harness.connector()
    harness.seed("companies", 1)
    harness.settle(3600)
    stream = connector.stream("companies")
    monkeypatch.setattr(type(stream), "conditions", lambda self, since: "")

    with pytest.raises(FatalError, match="lastUpdated"):
        list(stream.read(checkpoint={"since": harness.now().isoformat()}))


def test_deleted_companies_are_told(harness):
    kept, gone = harness.seed("companies", 2)
    harness.control.delete("companies", gone)

    records, _ = read_all(harness.connector(), "companies")

    assert {record.external_id: record.deleted for record in records} == {kept: False, gone: True}


def test_the_service_desk_lists_no_project_tickets(harness):
    connector = harness.connector()
    (ticket,) = harness.seed("tickets", 1)
    (task,) = harness.seed("tasks", 1)

    assert [record.external_id for record in read_all(connector, "tickets")[0]] == [ticket]
    assert [record.external_id for record in read_all(connector, "tasks")[0]] == [task]
    assert connector.stream("tickets").get(task) is None


def test_a_day_is_one_where_the_company_is(harness):
    harness.more = {"time_zone": "America/New_York"}
    connector = harness.connector()
    late = harness.made("time_entries", timeStart="2026-11-21T02:00:00Z")
    refs = {"task": str(harness.known("tasks")), "resource": str(harness.known("members"))}

    made = written(write(connector, "time_entries", "e-1", ENTRY, **refs))

    assert one(connector, "time_entries", late["id"])["work_date"] == "2026-11-20"
    assert (made.data["timeStart"], made.data["work_date"]) == ("2026-11-20T14:00:00Z", "2026-11-20")


def test_time_names_project_task_and_person(harness):
    connector = harness.connector()
    refs = {name: str(harness.known(stream)) for name, stream in
            (("project", "projects"), ("task", "tasks"), ("resource", "members"))}  # fmt: skip

    made = written(write(connector, "time_entries", "e-1", ENTRY, **refs))

    assert mapped(connector, "time_entries", made) == {**ENTRY, "status": "draft", "refs": refs}
    assert connector.sink("time_entries").resolve("e-1").external_id == made.external_id


@pytest.mark.parametrize(
    ("theirs", "time", "expense"),
    [
        ("Open", "draft", "draft"),
        ("Rejected", "draft", "rejected"),
        ("RejectBySecondTier", "draft", "rejected"),
        ("PendingProjectApproval", "submitted", "submitted"),
        ("ApprovedByTierTwo", "approved", "approved"),
        ("BilledAgreement", "approved", "approved"),
    ],
)
def test_approval(harness, theirs, time, expense):
    connector = harness.connector()
    entry, spent = (harness.made(kind, status=theirs)["id"] for kind in ("time_entries", "expenses"))

    assert one(connector, "time_entries", entry)["status"] == time
    assert one(connector, "expenses", spent)["status"] == expense


@pytest.mark.parametrize(("own", "expected"), [({"currencyCode": "GBP"}, "GBP"), (None, "EUR")])
def test_expenses_have_a_currency(harness, own, expected):
    spent = harness.made("expenses", amount=33.335, currency=own, billableOption="DoNotBill")

    found = one(harness.connector(), "expenses", spent["id"])

    assert (found["amount"], found["billable"], found["category"]) == (
        {"amount": 3334, "currency": expected}, False, "Mileage",
    )  # fmt: skip


def test_a_contacts_default_address_wins(harness):
    items = [
        {"value": "old@initech.test", "communicationType": "Email", "defaultFlag": False},
        {"value": "Ada@Initech.test", "communicationType": "Email", "defaultFlag": True},
        {"value": "+49 30 1", "communicationType": "Phone", "defaultFlag": False},
    ]
    contact = harness.made("contacts", communicationItems=items)

    found = one(harness.connector(), "contacts", contact["id"])

    assert (found["email"], found["phone"]) == ("ada@initech.test", "+49 30 1")


def test_a_contact_is_made_once_and_quotes_do_no_harm(harness):
    connector = harness.connector()
    account = str(harness.known("companies"))
    contact = {"name": 'Ada "the Countess"', "email": "ada@initech.test"}

    first = written(write(connector, "contacts", "k-1", contact, account=account))
    again = written(write(connector, "contacts", "k-2", contact, account=account))
    other = written(write(connector, "contacts", "k-3", {**contact, "email": "b@initech.test"}, account=account))

    assert first.external_id == again.external_id != other.external_id


def test_the_identifier_of_a_company_is_readable_and_its_own(harness):
    connector = harness.connector()

    made = written(write(connector, "companies", "c-1", {"name": "Initech GmbH & Co. KG"}))
    again = written(write(connector, "companies", "c-1", {"name": "Initech GmbH & Co. KG"}))

    assert made.data["identifier"] == f"InitechGmbHC-{tail('c-1')}"
    assert again.external_id == made.external_id
    assert connector.sink("companies").resolve("c-2") is None


def test_changes_are_sent_as_json_patch(harness):
    connector = harness.connector()
    account = str(harness.known("companies"))
    made = written(write(connector, "projects", "p-1", PROJECT, account=account))

    closed = written(
        write(connector, "projects", "p-2", {**PROJECT, "status": "closed"}, made.external_id, account=account)
    )

    assert mapped(connector, "projects", closed) == {**PROJECT, "status": "closed", "refs": {"account": account}}
    (sent,) = [call["body"] for call in harness.control.requests() if call["method"] == "PATCH"]
    assert {"op": "replace", "path": "status", "value": {"name": "Closed"}} in sent
    assert connector.sink("projects").resolve("p-1").external_id == made.external_id


def test_a_status_the_company_does_not_have_is_named(harness):
    harness.more = {"closed_status": "Done"}
    connector = harness.connector()
    made = written(
        write(connector, "tasks", "t-1", {"name": "Design", "status": "open"}, project=str(harness.known("projects")))
    )

    task = {"name": "Design", "status": "done"}
    result = write(connector, "tasks", "t-2", task, made.external_id, project=str(harness.known("projects")))

    assert isinstance(result.error, RecordRejected)
    assert "status: The status was not found." in result.error.message


def test_a_task_of_that_name_in_the_project_is_taken_up(harness):
    """A project's ticket has no field for a reference."""
    connector = harness.connector()
    first, second = (str(harness.made("projects")["id"]) for _ in range(2))
    task = {"name": 'Design "A"', "status": "open", "estimate_seconds": 45000}

    made = written(write(connector, "tasks", "t-1", task, project=first))
    again = written(write(connector, "tasks", "t-2", task, project=first))
    elsewhere = written(write(connector, "tasks", "t-3", task, project=second))

    assert made.external_id == again.external_id != elsewhere.external_id
    assert mapped(connector, "tasks", made) == {**task, "refs": {"project": first}}


def test_a_ticket_there_and_back(harness):
    connector = harness.connector()
    refs = {"account": str(harness.known("companies")), "contact": str(harness.known("contacts"))}

    made = written(write(connector, "tickets", "s-1", {"name": "Printer on fire", "status": "new"}, **refs))
    solved = written(
        write(connector, "tickets", "s-2", {"name": "Printer out", "status": "solved"}, made.external_id, **refs)
    )

    assert mapped(connector, "tickets", made) == {
        "name": "Printer on fire", "number": made.external_id, "status": "new", "refs": refs,
    }  # fmt: skip
    assert mapped(connector, "tickets", solved)["status"] == "closed"
    assert connector.sink("tickets").resolve("s-1").external_id == made.external_id


@pytest.mark.parametrize(
    ("kind", "entity", "stream"),
    [
        ("ticket", {"recordType": "ServiceTicket"}, "tickets"),
        ("ticket", {"recordType": "ProjectTicket"}, "tasks"),
        ("Company", {}, "companies"),
        ("time", {}, "time_entries"),
    ],
)
def test_each_callback_names_its_object(harness, kind, entity, stream):
    """Signed with the hash of the key, computed here by another library."""
    body = orjson.dumps({"ID": 7, "Type": kind, "CompanyId": "acme", "Entity": orjson.dumps(entity).decode()})
    mac = HMAC(hashlib.sha256(b"signing-key").digest(), hashes.SHA256())
    mac.update(body)
    signature = base64.b64encode(mac.finalize()).decode()

    sent = VENDOR.webhook_headers(secret="signing-key", url="", body=body, now=harness.now())
    (event,) = harness.connector_type.verify_webhook(
        secret="signing-key", headers=sent, body=body, url="", now=harness.now()
    )

    assert sent == {"x-content-signature": signature}
    assert (event.stream, event.external_id, event.account_id) == (stream, "7", "acme")
    assert len(event.event_id) == 64


def test_the_simulator_refuses_a_patch_that_is_no_list(harness):
    connector = harness.connector()
    company = harness.known("companies")

    with pytest.raises(RecordRejected, match="must be an array"):
        connector.client.patch(f"/company/companies/{company}", json={"name": "x"})
    assert connector.client.base_url.endswith(API)
