"""What Harvest does that others do not."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import ConfigurationError, RateLimited, RecordRejected
from sandbox.testing import RunningSandbox
from tests.connectors.delivery import mapped, read_all, write, written
from tests.connectors.harvest.harness import HarvestHarness


@pytest.fixture
def harness(sandbox: RunningSandbox) -> HarvestHarness:
    return HarvestHarness(sandbox)


def one(connector, stream, external_id):
    return mapped(connector, stream, connector.stream(stream).get(str(external_id)))


def test_a_members_token_is_refused(harness):
    """Members see their own time only, which looks like everything."""
    harness.control.settings(access_roles=["member"])

    with pytest.raises(ConfigurationError, match="administrator"):
        harness.connector().check()


def test_another_account_is_refused(harness):
    harness.control.settings(account_id="777")

    with pytest.raises(ConfigurationError, match="access to this account"):
        harness.connector().check()


def test_pages_follow_the_links_and_nothing_slides_past(harness):
    """Lists show the newest first, so what is added meanwhile would shift counted pages."""
    seeded = set(harness.seed("clients", 5))
    connector = harness.connector()
    pages = connector.stream("clients").read(checkpoint=None, page_size=2)
    first = next(pages)
    harness.seed("clients", 3)

    read = [record.external_id for page in (first, *pages) for record in page.records]

    assert sorted(read) == sorted(seeded)
    assert all("cursor=" in call["query"] for call in harness.control.requests()[1:])
    assert first.checkpoint["place"]["next"].startswith("/v2/clients?cursor=")


def test_time_names_project_task_person_and_invoice(harness):
    assert harness.booked
    invoice = harness.made("invoices")
    entry = harness.made(
        "time_entries", hours=1.333333, notes="Workshop", approval_status="approved", invoice_id=invoice["id"]
    )
    connector = harness.connector()

    assert one(connector, "time_entries", entry["id"]) == {
        "work_date": "2026-11-20", "duration_seconds": 4788, "description": "Workshop", "status": "approved",
        "billable": True,
        "refs": {
            "project": str(harness.known("projects")), "task": harness.booked["task"],
            "resource": str(harness.known("users")), "invoice": str(invoice["id"]),
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "ours"), [("unsubmitted", "draft"), ("submitted", "submitted"), ("approved", "approved")]
)
def test_approval(harness, theirs, ours):
    entry = harness.made("time_entries", approval_status=theirs)

    assert one(harness.connector(), "time_entries", entry["id"])["status"] == ours


def test_expenses_are_in_the_currency_of_the_client(harness):
    client = harness.made("clients", currency="GBP")
    project = harness.made("projects", client_id=client["id"])
    expense = harness.made("expenses", project_id=project["id"], total_cost=33.335, billable=False)

    assert one(harness.connector(), "expenses", expense["id"]) == {
        "spent_date": "2026-11-20", "amount": {"amount": 3334, "currency": "GBP"}, "status": "draft", "billable": False,
        "category": "Travel", "refs": {"project": str(project["id"]), "resource": str(harness.known("users"))},
    }  # fmt: skip


def test_an_invoice_with_its_lines(harness):
    line = {"id": 1, "kind": "Service", "description": None, "quantity": 3.25, "unit_price": 149.99, "amount": 487.47}
    invoice = harness.made("invoices", state="closed", amount=487.47, due_amount=0.0, line_items=[line], number="17")

    assert one(harness.connector(), "invoices", invoice["id"]) == {
        "number": "17", "status": "void", "currency": "EUR", "total": {"amount": 48747, "currency": "EUR"},
        "amount_due": {"amount": 0, "currency": "EUR"},
        "lines": [{
            "description": "Service", "quantity": "3.25", "unit_price": {"amount": 14999, "currency": "EUR"},
            "amount": {"amount": 48747, "currency": "EUR"},
        }],
        "refs": {"account": str(harness.known("clients"))},
    }  # fmt: skip


def test_a_client_of_the_same_name_is_taken_up(harness):
    """Harvest allows no second one, so it is either this one or none."""
    there = harness.made("clients", name="Initech GmbH")

    record = written(write(harness.connector(), "clients", "c-1", {"name": "INITECH GmbH", "status": None}))

    assert record.external_id == str(there["id"])
    assert harness.count("clients") == 1


def test_contacts_of_one_client_are_told_by_address_or_name(harness):
    connector = harness.connector()
    account = str(harness.known("clients"))
    ada = {"name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace"}

    first = written(write(connector, "contacts", "k-1", {**ada, "email": "Ada@Initech.test"}, account=account))
    again = written(write(connector, "contacts", "k-2", {**ada, "email": "ada@initech.test"}, account=account))
    nameless = written(write(connector, "contacts", "k-3", ada, account=account))

    assert first.external_id == again.external_id != nameless.external_id
    assert mapped(connector, "contacts", first) == {**ada, "email": "ada@initech.test", "refs": {"account": account}}


def test_a_rate_of_ones_own_needs_the_defaults_off(harness):
    connector = harness.connector()
    project, person = str(harness.known("projects")), str(harness.known("users"))
    record = {"name": "n", "status": "active", "hourly_rate": {"amount": 12050, "currency": "EUR"}}

    made = written(write(connector, "assignments", "a-1", record, project=project, resource=person))

    assert made.data["hourly_rate"] == 120.5
    assert mapped(connector, "assignments", made)["refs"] == {"project": project, "resource": person}


def test_two_projects_share_a_task_of_one_name(harness):
    connector = harness.connector()
    projects = [str(harness.made("projects")["id"]) for _ in range(2)]

    made = [
        written(write(connector, "tasks", f"t-{project}", {"name": "Design", "status": "open"}, project=project))
        for project in projects
    ]

    assert [mapped(connector, "tasks", record)["refs"]["project"] for record in made] == projects
    assert [row["name"] for row in harness.control.objects("tasks")] == ["Design"]


def test_a_task_cannot_be_renamed_for_one_project(harness):
    connector = harness.connector()
    project = str(harness.known("projects"))
    made = written(write(connector, "tasks", "t-1", {"name": "Design", "status": "open"}, project=project))

    result = write(connector, "tasks", "t-2", {"name": "Drawing", "status": "open"}, made.external_id, project=project)

    assert isinstance(result.error, RecordRejected)
    assert result.error.message == "the vendor did not take the name"


def test_time_goes_where_person_and_task_belong(harness):
    connector = harness.connector()
    booked = {"project": str(harness.booked["project_id"]), "resource": str(harness.booked["user_id"])}
    entry = {"work_date": "2026-11-20", "duration_seconds": 5400, "description": "Workshop", "status": "draft"}

    made = written(write(connector, "time_entries", "e-1", entry, task=harness.booked["task"], **booked))
    elsewhere = str(harness.made("projects")["id"])
    refused = write(
        connector, "time_entries", "e-2", entry, task=harness.booked["task"], **{**booked, "project": elsewhere}
    )

    assert mapped(connector, "time_entries", made)["duration_seconds"] == 5400
    assert connector.sink("time_entries").resolve("e-1").external_id == made.external_id
    assert connector.sink("time_entries").resolve("e-") is None
    assert isinstance(refused.error, RecordRejected)
    assert "not assigned to this project" in refused.error.message


def test_locked_time_is_refused(harness):
    assert harness.booked
    connector = harness.connector()
    locked = harness.made("time_entries", is_locked=True)
    entry = {"work_date": "2026-11-20", "duration_seconds": 60}

    refs = {"project": str(harness.known("projects")), "task": harness.booked["task"]}
    result = write(
        connector, "time_entries", "e-1", entry, str(locked["id"]), **refs, resource=str(harness.known("users"))
    )

    assert isinstance(result.error, RecordRejected)
    assert result.error.message == "This record is locked (HTTP 422)"


def test_the_limit_says_how_long_to_wait(harness):
    connector = harness.connector()
    harness.fault("429", retry_after=12)

    with pytest.raises(RateLimited) as caught:
        read_all(connector, "clients")

    assert caught.value.retry_after == 12


def test_a_project_is_found_by_its_mark_for_a_month(harness):
    connector = harness.connector()
    project = {"name": "Rollout", "status": "open", "budget": {"amount": 150050, "currency": "EUR"}}
    made = written(write(connector, "projects", "p-1", project, account=str(harness.known("clients"))))

    found = connector.sink("projects").resolve("p-1")
    harness.settle(32 * 86400)

    assert found.external_id == made.external_id
    assert mapped(connector, "projects", found)["budget"] == {"amount": 150050, "currency": "EUR"}
    assert connector.sink("projects").resolve("p-1") is None
