"""What Jira does that others do not."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, RecordRejected
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.sdk.webhooks import ForgedWebhook
from apps.connectors.vendors.jira.adf import as_text, document
from apps.connectors.vendors.jira.sinks import project_key
from apps.connectors.vendors.jira.streams import local_minute
from apps.connectors.vendors.jira.worklogs import work_date
from sandbox.jira import VENDOR
from sandbox.testing import RunningSandbox
from tests.connectors.delivery import mapped, read_all, write, written
from tests.connectors.jira.harness import JiraHarness

TASK = {"name": "Data migration", "status": "open", "estimate_seconds": 45000}
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def harness(sandbox: RunningSandbox) -> JiraHarness:
    return JiraHarness(sandbox)


def test_a_task_goes_there_and_back(harness):
    connector = harness.connector()
    project, person = harness.known("projects"), harness.known("users")

    record = written(write(connector, "issues", "t-1", TASK, project=project, resource=person))

    refs = {"project": project, "resource": person}
    assert mapped(connector, "issues", record) == {**TASK, "refs": refs}
    done = written(write(connector, "issues", "t-2", {**TASK, "status": "done"}, record.external_id, project=project))
    assert mapped(connector, "issues", done) == {**TASK, "status": "done", "refs": refs}


def test_a_wrong_token_is_told_from_an_empty_site(harness):
    """Jira answers the public lists with 200 and nothing, as to anybody."""
    harness.seed("projects", 1)
    connector = harness.connector(valid=False)

    with pytest.raises(ConfigurationError):
        read_all(connector, "projects")


def test_an_issue_the_index_does_not_know_yet_comes_with_the_next_pass(harness):
    connector = harness.connector()
    harness.seed("issues", 2)
    late = harness.seed_one("issues")

    first, checkpoint = read_all(connector, "issues")
    harness.settle(31)
    second, _ = read_all(connector, "issues", checkpoint)

    assert late not in {record.external_id for record in first}
    assert late in {record.external_id for record in second}


def test_an_edit_the_index_does_not_know_yet_comes_with_the_next_pass(harness):
    connector = harness.connector()
    (issue,) = harness.seed("issues", 1)
    harness.control.update("issues", issue, {"summary": "Newer"})

    first, checkpoint = read_all(connector, "issues")
    harness.settle(31)
    second, _ = read_all(connector, "issues", checkpoint)

    assert [record.data["summary"] == "Newer" for record in (*first, *second)] == [False, True]


def test_a_pass_that_outlived_its_token_starts_over(harness):
    connector = harness.connector()
    seeded = set(harness.seed("issues", 5))
    pages = connector.stream("issues").read(checkpoint=None, page_size=2)
    checkpoint = next(pages).checkpoint
    harness.settle(8 * 86400)

    records, _ = read_all(harness.connector(), "issues", checkpoint, size=2)

    assert {record.external_id for record in records} == seeded


def test_only_named_fields_come_back(harness):
    """Without a list of fields the search gives ids alone."""
    harness.seed("issues", 1)

    records, _ = read_all(harness.connector(), "issues")

    assert records[0].data["summary"].startswith("Issue ")


@pytest.mark.parametrize(
    ("case", "when", "expected"),
    [
        ("winter", datetime(2026, 1, 10, 8, 59, 59, tzinfo=UTC), "2026-01-10 09:59"),
        ("summer", datetime(2026, 7, 10, 8, 0, tzinfo=UTC), "2026-07-10 10:00"),
        # 00:30 UTC is 02:30 for the first time, 01:30 UTC for the second.
        ("the hour that comes twice, first", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 01:30"),
        ("the hour that comes twice, second", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 01:30"),
    ],
)
def test_query_times_are_the_users_and_never_too_late(case, when, expected):
    assert local_minute(when, BERLIN) == expected


def test_a_query_read_in_another_zone_is_noticed(harness, monkeypatch):
    connector = harness.connector()
    harness.seed("issues", 1)
    _, checkpoint = read_all(connector, "issues")
    harness.settle(86400)
    harness.seed("issues", 1)
    monkeypatch.setattr("apps.connectors.vendors.jira.streams.local_minute", lambda when, zone: "1970-01-01 00:00")

    with pytest.raises(FatalError, match="time zone"):
        read_all(connector, "issues", {**checkpoint, "since": harness.now().isoformat()})


def test_one_bad_issue_in_a_bulk_fails_alone(harness):
    connector = harness.connector()
    good = harness.payload("issues")
    payloads = [good, {**good, "summary": ""}, {**good, "project": "99999"}, {**good, "summary": "Last"}]
    requests = [WriteRequest(key=f"b-{number}", payload=payload) for number, payload in enumerate(payloads)]

    results = connector.sink("issues").write(requests)

    assert [result.record and result.record.data["summary"] for result in results] == [
        good["summary"], None, None, "Last",
    ]  # fmt: skip
    assert "summary: You must specify a summary" in results[1].error.message
    assert "project: Specify a valid project" in results[2].error.message
    assert sum(call["path"] == "/rest/api/3/issue/bulk" for call in harness.control.requests()) == 1


def test_a_bulk_without_a_good_issue_tells_each_its_own_reason(harness):
    connector = harness.connector()
    bad = {**harness.payload("issues"), "summary": ""}
    elsewhere = {**harness.payload("issues"), "project": "99999"}
    requests = [WriteRequest(key="x-1", payload=bad), WriteRequest(key="x-2", payload=elsewhere)]

    results = connector.sink("issues").write(requests)

    assert [isinstance(result.error, RecordRejected) for result in results] == [True, True]
    assert harness.count("issues") == 0


def test_written_issues_are_read_past_the_index(harness):
    connector = harness.connector()
    requests = [WriteRequest(key=f"n-{number}", payload=harness.payload("issues")) for number in range(3)]

    results = connector.sink("issues").write(requests)

    made = [result.record.external_id for result in results]
    searches = [call["body"] for call in harness.control.requests() if call["path"].endswith("/search/jql")]
    assert searches[-1]["reconcileIssues"] == [int(issue) for issue in made]


def test_a_workflow_without_a_way_is_named(harness):
    harness.control.settings(closed_transitions=["31"])
    connector = harness.connector()

    result = write(connector, "issues", "w-1", {**TASK, "status": "done"}, project=harness.known("projects"))

    assert isinstance(result.error, RecordRejected)
    assert "no way from here to a done status" in result.error.message


def test_deleted_worklogs_are_told_once_a_minute_has_passed(harness):
    connector = harness.connector()
    kept, gone = harness.seed("worklogs", 2)
    first, checkpoint = read_all(connector, "worklogs")
    harness.control.delete("worklogs", gone)

    too_early, checkpoint = read_all(connector, "worklogs", checkpoint)
    harness.settle(61)
    later, checkpoint = read_all(connector, "worklogs", checkpoint)

    assert {record.external_id for record in first} == {kept, gone}
    assert [record.external_id for record in too_early if record.deleted] == []
    assert [record.external_id for record in later if record.deleted] == [gone]
    assert checkpoint["phase"] == 0


@pytest.mark.parametrize(("case", "tied", "listed"), [("two pages share it", 2, 3), ("it fills a page", 3, 3)])
def test_worklogs_of_one_millisecond_are_all_read_across_pages(harness, case, tied, listed):
    harness.control.settings(worklog_page=listed)
    moments = ["2026-11-20T09:00:00.001+00:00", "2026-11-20T09:00:00.002+00:00"]
    moments += ["2026-11-20T09:00:00.003+00:00"] * tied + ["2026-11-20T09:00:00.004+00:00"] * 2
    worklog = {"issueId": harness.known("issues"), "timeSpentSeconds": 900}
    made = harness.control.create("worklogs", [{**worklog, "updated": moment} for moment in moments])

    records, _ = read_all(harness.connector(), "worklogs", size=2)

    assert [record.external_id for record in records] == [worklog["id"] for worklog in made]


def test_a_worklog_names_project_task_person_and_day(harness):
    connector = harness.connector()
    tokyo = harness.control.create("users", {"displayName": "Kenji", "timeZone": "Asia/Tokyo"})["accountId"]
    made = harness.control.create(
        "worklogs",
        {
            "issueId": harness.known("issues"), "timeSpentSeconds": 5400, "started": "2026-11-19T16:00:00+00:00",
            "author": tokyo, "comment": document("Workshop\nwith the team"),
        },
    )  # fmt: skip

    record = connector.stream("worklogs").get(made["id"])

    # Four in the afternoon in London is the next day in Tokyo, whatever zone the token's owner lives in.
    assert mapped(connector, "worklogs", record) == {
        "work_date": "2026-11-20", "duration_seconds": 5400, "description": "Workshop\nwith the team",
        "status": "approved", "billable": True,
        "refs": {"project": harness.known("projects"), "task": harness.known("issues"), "resource": tokyo},
    }  # fmt: skip
    assert work_date("2024-01-15T10:00:00.000+0100", None) == "2024-01-15"


def test_projects_in_the_recycle_bin_are_deleted_ones(harness):
    connector = harness.connector()
    live, archived, gone = harness.seed("projects", 3)
    harness.control.update("projects", archived, {"state": "archived"})
    harness.control.delete("projects", gone)

    records, checkpoint = read_all(connector, "projects")

    states = {
        record.external_id: (record.deleted, mapped(connector, "projects", record)["status"]) for record in records
    }
    assert states == {live: (False, "open"), archived: (False, "closed"), gone: (True, "open")}
    assert checkpoint == {}


def test_apps_are_no_people_and_short_pages_not_the_last(harness):
    people = set(harness.seed("users", 3))
    harness.control.create("users", {"displayName": "Trello", "accountType": "app"})
    for number in range(3):
        harness.control.create("users", {"displayName": f"Not to be seen {number}", "hidden": True})
    people |= set(harness.seed("users", 1))

    records, _ = read_all(harness.connector(), "users", size=2)

    assert {record.external_id for record in records} - {"712020:owner"} == people


def test_milestones_of_every_project(harness):
    connector = harness.connector()
    first, second, _empty = harness.seed("projects", 3)
    milestone = {"name": "Go-live", "status": "open", "due_date": "2026-12-18"}
    written(write(connector, "versions", "v-1", milestone, project=first))
    made = written(write(connector, "versions", "v-2", milestone, project=second))
    done = written(
        write(connector, "versions", "v-3", {**milestone, "status": "done"}, made.external_id, project=second)
    )

    found = [mapped(connector, "versions", record) for record in read_all(connector, "versions", size=1)[0]]

    assert found == [
        {**milestone, "refs": {"project": first}},
        {**milestone, "status": "done", "completed_date": "2026-12-18", "refs": {"project": second}},
    ]
    assert connector.sink("versions").resolve("v-2").external_id == done.external_id
    assert connector.sink("versions").resolve("v") is None


def test_a_project_key_is_readable_and_its_own(harness):
    connector = harness.connector()

    made = written(write(connector, "projects", "p-1", {"name": "Acme rollout 2026", "status": "open"}))
    again = written(write(connector, "projects", "p-1", {"name": "Acme rollout 2026", "status": "open"}))

    assert made.data["key"] == project_key("Acme rollout 2026", "p-1")
    assert (made.data["key"][:2], len(made.data["key"])) == ("AR", 9)
    assert again.external_id == made.external_id
    assert project_key("2026", "p-1")[0] == "P"


def test_the_limit_that_was_hit_says_how_long_to_wait(harness):
    connector = harness.connector()
    harness.fault("429", retry_after=3)

    with pytest.raises(RateLimited) as caught:
        connector.check()

    assert caught.value.retry_after == 3


@pytest.mark.parametrize(
    ("event", "payload", "stream", "external_id"),
    [
        ("jira:issue_deleted", {"issue": {"id": "10001"}}, "issues", "10001"),
        ("worklog_deleted", {"worklog": {"id": "10", "issueId": "1"}}, "worklogs", "10"),
        ("jira:version_released", {"version": {"id": "7"}}, "versions", "7"),
        ("user_updated", {"user": {"accountId": "5b:1"}}, "users", "5b:1"),
    ],
)
def test_each_event_names_its_object(harness, event, payload, stream, external_id):
    body = orjson.dumps({"timestamp": 1767225600000, "webhookEvent": event, **payload})
    sent = VENDOR.webhook_headers(secret="s3cret-1", url="", body=body, now=harness.now())
    headers = {name.lower(): value for name, value in sent.items()}
    verify = {"secret": "s3cret-1", "url": "", "now": harness.now()}

    (found,) = harness.connector_type.verify_webhook(headers=headers, body=body, **verify)

    assert (found.stream, found.external_id) == (stream, external_id)
    assert found.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)
    # Retries repeat the body, so they are known for what they are, whatever an unsigned header says.
    renamed = {**headers, "x-atlassian-webhook-identifier": "another"}
    (again,) = harness.connector_type.verify_webhook(headers=renamed, body=body, **verify)
    assert again == found
    with pytest.raises(ForgedWebhook):
        harness.connector_type.verify_webhook(headers={"x-hub-signature": "sha1=abc"}, body=body, **verify)


def test_an_event_of_another_kind_is_nothing():
    body = b'{"timestamp":1767225600000,"webhookEvent":"board_created"}'
    sent = VENDOR.webhook_headers(secret="s3cret-1", url="", body=body, now=datetime.now(UTC))
    headers = {name.lower(): value for name, value in sent.items()}

    found = JiraHarness.connector_type.verify_webhook(
        secret="s3cret-1", headers=headers, body=body, url="", now=datetime.now(UTC)
    )

    assert found == []


def test_documents_read_as_text():
    listed = {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [
        {"type": "text", "text": "one "}, {"type": "mention", "attrs": {"text": "@Dana"}}]}]}]}  # fmt: skip
    heading = {"type": "heading", "content": [{"type": "text", "text": "Notes"}, {"type": "hardBreak"}]}

    assert as_text({"type": "doc", "content": [heading, listed]}) == "Notes\none @Dana"
    assert as_text(document("a\n\nb")) == "a\nb"
    assert (as_text(None), as_text(" plain ")) == ("", "plain")
