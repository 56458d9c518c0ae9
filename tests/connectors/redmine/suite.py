"""What the Redmine connector must do, on the simulator and on the real server alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.redmine import CONNECTOR
from tests.connectors.delivery import read_all
from tests.connectors.evaluation import Mappings


class Team(Protocol):
    """A Redmine in which people work besides us."""

    base_url: str
    api_key: str
    member_key: str
    users: dict[str, str]
    approval_field: str

    def add_project(self, name: str) -> str: ...

    def add_issue(self, project: str, subject: str) -> str: ...

    def rename_issue(self, issue: str, subject: str) -> None: ...

    def log_time(self, person: str, *, project: str, issue: str | None, hours: float, comments: str) -> str: ...

    def approve(self, entry: str) -> None: ...

    def lock(self, person: str) -> None: ...

    def archive(self, project: str) -> None: ...

    def share_version(self, project: str, name: str) -> str: ...


def connect(team: Team, *, api_key: str = "", **settings: str) -> Any:
    context = ConnectionContext(
        settings={"base_url": team.base_url, **settings},
        credentials={"api_key": api_key or team.api_key},
        now=lambda: datetime.now(UTC),
        allow_private=True,
    )
    return CONNECTOR(context)


mappings = Mappings(CONNECTOR.manifest)


def mapped(stream: str, record: SourceRecord) -> dict[str, Any]:
    """The canonical fields of a record, and its references under `refs`."""
    return {**mappings.source(stream, record.data), "refs": mappings.refs(stream, record.data)}


def payload(sink: str, record: dict[str, Any], **refs: str | None) -> dict[str, Any]:
    """What the engine would hand to a sink."""
    return mappings.sink(sink, record, {**dict.fromkeys(CONNECTOR.manifest.sink(sink).refs), **refs})


def ok(result: WriteResult) -> SourceRecord:
    assert result.error is None, result.error
    assert result.record is not None
    return result.record


def write(
    connector: Any, sink: str, key: str, record: dict[str, Any], into: str | None = None, **refs: str
) -> WriteResult:
    request = WriteRequest(key=key, external_id=into, payload=payload(sink, record, **refs))
    result: WriteResult = connector.sink(sink).write([request])[0]
    return result


TASK = {"name": "Data migration", "status": "open", "estimate_seconds": 45000}


class RedmineSuite:
    """Each test module provides the fixture `team`."""

    def test_a_good_key_says_who_we_are(self, team: Team) -> None:
        assert connect(team, approval_field=team.approval_field).check().account_name == "Redmine (admin)"

    def test_a_bad_key_is_found_out_although_lists_are_answered(self, team: Team) -> None:
        connector = connect(team, api_key="not-a-key")
        assert connector.client.get("/projects.json")["projects"] == []
        with pytest.raises(ConfigurationError) as caught:
            connector.check()
        assert caught.value.status == 401

    def test_a_key_that_sees_too_little_is_refused(self, team: Team) -> None:
        with pytest.raises(ConfigurationError, match="administrator"):
            connect(team, api_key=team.member_key).check()

    def test_an_approval_field_that_is_not_there_is_named(self, team: Team) -> None:
        with pytest.raises(ConfigurationError, match=team.approval_field):
            connect(team, approval_field="Signed off").check()

    def test_a_project_is_created_once_under_its_key_and_closed(self, team: Team) -> None:
        connector = connect(team)
        created = ok(write(connector, "projects", "Proj.K1", {"name": "Rollout", "status": "planned"}))

        assert mapped("projects", created) == {"name": "Rollout", "status": "open", "refs": {}}
        assert created.data["identifier"] == "p-proj-k1"
        assert connector.sink("projects").resolve("Proj.K1").external_id == created.external_id
        assert connector.sink("projects").resolve("Proj.K2") is None
        again = ok(write(connector, "projects", "Proj.K1", {"name": "Rollout", "status": "open"}))
        assert again.external_id == created.external_id

        closed = ok(write(connector, "projects", "c", {"name": "Rollout 2", "status": "closed"}, created.external_id))
        assert mapped("projects", closed) == {"name": "Rollout 2", "status": "closed", "refs": {}}
        listed = {record.external_id: mapped("projects", record) for record in read_all(connector, "projects")[0]}
        assert listed[created.external_id]["status"] == "closed"
        reopened = ok(write(connector, "projects", "r", {"name": "Rollout 3", "status": "open"}, created.external_id))
        assert mapped("projects", reopened) == {"name": "Rollout 3", "status": "open", "refs": {}}

    def test_an_issue_is_created_found_by_its_key_and_done(self, team: Team) -> None:
        connector = connect(team)
        project = ok(write(connector, "projects", "issue-proj", {"name": "Issues", "status": "open"})).external_id
        created = ok(write(connector, "issues", "issue_k1", TASK, project=project))

        assert mapped("issues", created) == {**TASK, "refs": {"project": project, "resource": None}}
        assert connector.sink("issues").resolve("issue_k1").external_id == created.external_id
        assert connector.sink("issues").resolve("issueXk1") is None
        done = {**TASK, "name": "Data migration, all", "status": "done"}
        changed = ok(write(connector, "issues", "k2", done, created.external_id, project=project))
        assert mapped("issues", changed) == {**done, "refs": {"project": project, "resource": None}}
        assert connector.sink("issues").resolve("issue_k1").external_id == created.external_id

    def test_refusals_are_results(self, team: Team) -> None:
        connector = connect(team)
        nowhere = write(connector, "issues", "refused-1", TASK, project="999999")
        assert isinstance(nowhere.error, RecordRejected)
        assert "Project cannot be blank" in nowhere.error.message
        gone = write(connector, "issues", "refused-2", TASK, "999999", project="1")
        assert isinstance(gone.error, RecordRejected)
        assert connector.sink("issues").resolve("refused-1") is None

    def test_issues_page_and_resume_without_a_gap(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Paged")
        wanted = {team.add_issue(project, f"Paged {number}") for number in range(5)}
        pages = []
        for page in connector.stream("issues").read(checkpoint=None, page_size=2):
            pages.append(page)
            if len(pages) == 2:
                break
        rest, _ = read_all(connector, "issues", pages[-1].checkpoint, size=2)
        seen = [record.external_id for page in pages for record in page.records] + [r.external_id for r in rest]
        assert wanted <= set(seen)
        assert len(seen) == len(set(seen))

    def test_no_issue_written_during_a_read_is_missed(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Moving")
        issues = [team.add_issue(project, f"Moving {number}") for number in range(3)]
        seen: dict[str, str] = {}
        checkpoint, added = None, ""
        for page in connector.stream("issues").read(checkpoint=None, page_size=2):
            if checkpoint is None:
                team.rename_issue(issues[0], "Moved 0")
                added = team.add_issue(project, "Added meanwhile")
            checkpoint = page.checkpoint
            seen.update({record.external_id: record.data["subject"] for record in page.records})
        later, _ = read_all(connector, "issues", checkpoint)
        seen.update({record.external_id: record.data["subject"] for record in later})
        assert (seen[issues[0]], seen[added]) == ("Moved 0", "Added meanwhile")

    def test_page_sizes_beyond_the_cap_lose_nothing(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Many")
        for number in range(101):
            team.add_issue(project, f"Many {number}")
        records, _ = read_all(connector, "issues", size=500)
        assert len([record for record in records if record.data["subject"].startswith("Many ")]) == 101

    def test_people_carry_the_address_they_are_matched_by_and_no_key(self, team: Team) -> None:
        connector = connect(team)
        team.lock("omar")
        records, checkpoint = read_all(connector, "users", size=1)

        people = {record.external_id: mapped("users", record) for record in records}
        assert people[team.users["dana"]] == {
            "name": "Dana Reyes", "email": "dana@northwind.example", "status": "active", "refs": {},
        }  # fmt: skip
        assert people[team.users["omar"]]["status"] == "inactive"
        assert checkpoint == {}
        assert mapped("users", connector.stream("users").get(team.users["omar"]))["status"] == "inactive"
        assert "api_key" not in connector.stream("users").get(team.users["dana"]).data

    def test_time_is_read_with_its_approval(self, team: Team) -> None:
        project = team.add_project("Time")
        issue = team.add_issue(project, "Booked")
        on_issue = team.log_time("dana", project=project, issue=issue, hours=3.25, comments="Mapping workshop")
        rounded = team.log_time("dana", project=project, issue=None, hours=1.333333, comments="")
        connector = connect(team, approval_field=team.approval_field)

        before = {
            record.external_id: mapped("time_entries", record) for record in read_all(connector, "time_entries")[0]
        }
        assert before[on_issue] == {
            "work_date": "2026-11-20", "duration_seconds": 11700, "description": "Mapping workshop",
            "status": "submitted", "billable": True,
            "refs": {"project": project, "task": issue, "resource": team.users["dana"]},
        }  # fmt: skip
        assert (before[rounded]["duration_seconds"], before[rounded]["description"]) == (4788, None)
        assert before[rounded]["refs"]["task"] is None
        team.approve(on_issue)
        after = {r.external_id: mapped("time_entries", r) for r in read_all(connector, "time_entries", size=1)[0]}
        assert (after[on_issue]["status"], after[rounded]["status"]) == ("approved", "submitted")
        assert mapped("time_entries", connector.stream("time_entries").get(on_issue))["status"] == "approved"
        unmarked = read_all(connect(team), "time_entries")[0]
        assert {mapped("time_entries", record)["status"] for record in unmarked} == {"approved"}
        assert read_all(connect(team, time_since="2026-11-21"), "time_entries")[0] == []

    def test_a_milestone_goes_there_and_back(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Milestones")
        milestone = {"name": "Go-live", "status": "open", "due_date": "2026-12-18"}

        made = ok(write(connector, "versions", "version_k1", milestone, project=project))
        done = ok(
            write(connector, "versions", "v2", {**milestone, "status": "done"}, made.external_id, project=project)
        )

        assert mapped("versions", made) == {**milestone, "refs": {"project": project}}
        assert mapped("versions", done) == {**milestone, "status": "done", "refs": {"project": project}}
        assert connector.sink("versions").resolve("version_k1").external_id == made.external_id
        assert connector.sink("versions").resolve("versionXk1") is None
        twice = write(connector, "versions", "version_k2", milestone, project=project)
        assert isinstance(twice.error, RecordRejected)
        assert "Name has already been taken" in twice.error.message

    def test_a_version_shared_with_all_projects_is_read_once(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Sharing")
        shared = team.share_version(project, "For everybody")
        team.add_project("Sees it too")

        records = [record for record in read_all(connector, "versions", size=1)[0] if record.external_id == shared]

        assert [mapped("versions", record)["refs"] for record in records] == [{"project": project}]

    def test_a_person_is_in_a_project_once(self, team: Team) -> None:
        connector = connect(team)
        project, person = team.add_project("Staffed"), team.users["dana"]
        record = {"name": "n", "status": "active"}

        made = ok(write(connector, "memberships", "m1", record, project=project, resource=person))
        again = ok(write(connector, "memberships", "m2", record, project=project, resource=person))

        assert again.external_id == made.external_id
        assert mapped("memberships", made) == {
            "name": "Dana Reyes · Staffed", "status": "active", "refs": {"project": project, "resource": person},
        }  # fmt: skip
        listed = {record.external_id: record for record in read_all(connector, "memberships", size=1)[0]}
        assert listed[made.external_id].data["roles"][0]["name"] == "Developer"

    def test_a_role_that_is_not_there_is_named(self, team: Team) -> None:
        project = team.add_project("Unstaffed")
        with pytest.raises(ConfigurationError, match="no role 'Architect'; it has Manager"):
            write(
                connect(team, role="Architect"), "memberships", "m1", {"name": "n", "status": "active"},
                project=project, resource=team.users["dana"],
            )  # fmt: skip

    def test_an_archived_project_is_gone_and_stops_nothing(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Archived")
        issue = team.add_issue(project, "Out of sight")
        team.archive(project)

        assert connector.stream("projects").get(project) is None
        assert connector.stream("issues").get(issue) is None
        assert project not in {record.external_id for record in read_all(connector, "projects")[0]}
        assert read_all(connector, "versions")[1] == {}
        change = write(connector, "projects", "a1", {"name": "Back", "status": "open"}, project)
        assert isinstance(change.error, RecordRejected)
        assert change.error.status == 404

    def test_a_deleted_issue_leaves_its_time_with_the_project(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Shrinking")
        issue = team.add_issue(project, "Given up")
        entry = team.log_time("dana", project=project, issue=issue, hours=2, comments="Worked all the same")

        for _ in range(2):
            connector.sink("issues").delete(issue)

        kept = connector.stream("time_entries").get(entry)
        assert connector.stream("issues").get(issue) is None
        assert mapped("time_entries", kept)["refs"] == {
            "project": project, "task": None, "resource": team.users["dana"],
        }  # fmt: skip

    def test_a_deleted_project_is_only_archived(self, team: Team) -> None:
        connector = connect(team)
        project = team.add_project("Over")

        for _ in range(2):
            connector.sink("projects").delete(project)

        assert connector.stream("projects").get(project) is None
        connector.client.put(f"/projects/{project}/unarchive.json", expects_json=False)
        assert connector.stream("projects").get(project) is not None
