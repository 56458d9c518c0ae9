"""What Asana does that others do not."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from apps.connectors.sdk.errors import ConfigurationError, RateLimited, RecordRejected
from apps.connectors.sdk.webhooks import ForgedWebhook
from sandbox.asana import VENDOR
from sandbox.asana.vendor import WORKSPACE
from sandbox.testing import RunningSandbox
from tests.connectors.asana.harness import AsanaHarness
from tests.connectors.delivery import mapped, read_all, write, written

TASK = {"name": "Data migration", "status": "open"}
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def harness(sandbox: RunningSandbox) -> AsanaHarness:
    return AsanaHarness(sandbox)


def test_a_workspace_the_token_does_not_see_is_named(harness):
    harness.more = {"workspace": "77"}

    with pytest.raises(ConfigurationError, match=f"no workspace 77; it sees .*{WORKSPACE}"):
        harness.connector().check()


def test_tasks_of_every_project_each_with_its_first_one(harness):
    connector = harness.connector()
    first, second, _empty = (harness.made("projects") for _ in range(3))
    alone = harness.made("tasks", projects=[second])
    shared = harness.made("tasks", projects=[first, second])

    records, _ = read_all(connector, "tasks", size=1)

    found = [(record.external_id, mapped(connector, "tasks", record)["refs"]["project"]) for record in records]
    assert sorted(found) == sorted([(shared, first), (alone, second), (shared, first)])


def test_tasks_and_milestones_are_told_apart(harness):
    connector = harness.connector()
    task, milestone = harness.seed_one("tasks"), harness.seed_one("milestones")

    assert [record.external_id for record in read_all(connector, "tasks")[0]] == [task]
    assert [record.external_id for record in read_all(connector, "milestones")[0]] == [milestone]
    assert connector.stream("tasks").get(milestone) is None


def test_only_what_changed_is_read_again(harness):
    connector = harness.connector()
    old, edited = harness.seed("tasks", 2)
    _, checkpoint = read_all(connector, "tasks")
    harness.settle(3600)
    harness.edit("tasks", edited)

    records, _ = read_all(connector, "tasks", {"since": harness.now().isoformat()})

    assert [record.external_id for record in records] == [edited]
    assert old != edited
    assert checkpoint["since"] <= harness.now().isoformat()


@pytest.mark.parametrize("stream", ["projects", "tasks"])
def test_a_pass_that_outlived_its_offset_reads_the_list_again(harness, stream):
    seeded = set(harness.seed(stream, 5))
    pages = harness.connector().stream(stream).read(checkpoint=None, page_size=2)
    checkpoint = next(pages).checkpoint
    harness.settle(2 * 3600)

    records, _ = read_all(harness.connector(), stream, checkpoint, size=2)

    assert seeded <= {record.external_id for record in records}


def test_fields_come_only_when_asked_for(harness):
    harness.made("users", email="Dana@Northwind.example", name="Dana")
    connector = harness.connector()
    assert set(connector.client.get("/users", params={"workspace": WORKSPACE})["data"][0]) == {
        "gid", "name", "resource_type",
    }  # fmt: skip

    (record,), _ = read_all(connector, "users")

    assert mapped(connector, "users", record) == {
        "name": "Dana", "email": "dana@northwind.example", "status": "active", "refs": {},
    }  # fmt: skip


def test_a_task_without_a_name_goes_by_its_number(harness):
    connector = harness.connector()
    nameless = harness.made("tasks", name="")

    record = connector.stream("tasks").get(nameless)

    assert mapped(connector, "tasks", record)["name"] == nameless


def test_time_names_project_task_and_person(harness):
    connector = harness.connector()
    harness.made("time_entries", entered_on="2025-12-31")
    harness.more = {"time_since": "2026-01-01"}
    entry = harness.made("time_entries", approval_status="SUBMITTED")

    (record,), checkpoint = read_all(harness.connector(), "time_entries")

    assert record.external_id == entry
    assert mapped(connector, "time_entries", record) == {
        "work_date": "2026-11-20", "duration_seconds": 4500, "status": "submitted", "billable": True,
        "refs": {
            "project": harness.known("projects"), "task": harness.known("tasks"), "resource": harness.known("users"),
        },
    }  # fmt: skip
    assert checkpoint == {}


def test_a_milestone_there_and_back(harness):
    connector = harness.connector()
    refs = {"project": harness.known("projects")}
    milestone = {"name": "Go-live", "status": "open", "due_date": "2026-12-18"}

    made = written(write(connector, "milestones", "m-1", milestone, **refs))
    done = written(write(connector, "milestones", "m-2", {**milestone, "status": "done"}, made.external_id, **refs))

    assert mapped(connector, "milestones", made) == {**milestone, "refs": refs}
    today = harness.now().date().isoformat()
    assert mapped(connector, "milestones", done) == {
        **milestone, "status": "done", "completed_date": today, "refs": refs,
    }  # fmt: skip
    assert connector.sink("milestones").resolve("m-1").external_id == made.external_id
    assert connector.sink("tasks").resolve("m-1") is None


def test_a_lost_create_is_found_in_whichever_project(harness):
    connector = harness.connector()
    projects = [harness.made("projects") for _ in range(3)]

    made = written(write(connector, "tasks", "t-1", TASK, project=projects[1]))

    assert connector.sink("tasks").resolve("t-1").external_id == made.external_id
    assert connector.sink("tasks").resolve("t-") is None
    assert made.data["notes"] == "[sync_ref: t-1]"


def test_a_start_needs_an_end(harness):
    """Asana refuses one without the other."""
    connector = harness.connector()

    made = written(write(connector, "projects", "p-1", {"name": "A", "status": "open", "start_date": "2026-11-01"}))
    dated = {"name": "B", "status": "closed", "start_date": "2026-11-01", "end_date": "2026-12-01"}
    both = written(write(connector, "projects", "p-2", dated))

    assert mapped(connector, "projects", made) == {"name": "A", "status": "open", "refs": {}}
    assert mapped(connector, "projects", both) == {**dated, "refs": {}}


def test_refusals_tell_the_field(harness):
    result = write(harness.connector(), "tasks", "t-1", TASK, project="99")

    assert isinstance(result.error, RecordRejected)
    assert result.error.message == "projects: [0]: Unknown object: 99 (HTTP 400)"


def test_the_limit_says_how_long_to_wait(harness):
    connector = harness.connector()
    harness.fault("429", retry_after=30)

    with pytest.raises(RateLimited) as caught:
        read_all(connector, "projects")

    assert caught.value.retry_after == 30


def signed(payload):
    body = orjson.dumps(payload)
    sent = VENDOR.webhook_headers(secret="hook-secret", url="", body=body, now=NOW)
    return {
        "secret": "hook-secret",
        "headers": {k.lower(): v for k, v in sent.items()},
        "body": body,
        "url": "",
        "now": NOW,
    }


def test_events_name_their_objects_and_have_ids_of_their_own():
    resources = [
        {"gid": "1", "resource_type": "task", "resource_subtype": "default_task"},
        {"gid": "2", "resource_type": "task", "resource_subtype": "milestone"},
        {"gid": "3", "resource_type": "story"},
        {"gid": "4", "resource_type": "time_tracking_entry"},
    ]
    moments = {"action": "deleted", "created_at": "2026-11-20T11:59:00.000Z"}
    verify = AsanaHarness.connector_type.verify_webhook

    events = verify(**signed({"events": [{**moments, "resource": resource} for resource in resources]}))

    assert [(event.stream, event.external_id) for event in events] == [
        ("tasks", "1"), ("milestones", "2"), ("time_entries", "4"),
    ]  # fmt: skip
    assert len({event.event_id for event in events}) == 3
    assert events[0].occurred_at == datetime(2026, 11, 20, 11, 59, tzinfo=UTC)


def test_a_heartbeat_is_nothing_and_must_be_signed():
    verify = AsanaHarness.connector_type.verify_webhook
    heartbeat = signed({"events": []})

    assert verify(**heartbeat) == []
    with pytest.raises(ForgedWebhook):
        verify(**{**heartbeat, "headers": {}})


def test_each_hook_has_a_secret_of_its_own():
    verify = AsanaHarness.connector_type.verify_webhook
    delivery = {**signed({"events": []}), "secret": "first-secret\nhook-secret\nlast-secret"}

    assert verify(**delivery) == []
    with pytest.raises(ForgedWebhook):
        verify(**{**delivery, "secret": "first-secret\nlast-secret"})


def test_a_first_call_is_answered_with_its_secret():
    handshake = AsanaHarness.connector_type.webhook_handshake

    agreed = handshake({"x-hook-secret": "chosen-by-asana"})

    assert (agreed.secret, agreed.answer) == ("chosen-by-asana", {"X-Hook-Secret": "chosen-by-asana"})
    assert handshake({"x-hook-signature": "abc"}) is None
