"""Reading worklogs by Jira's own list of changes and deletions, a page of ids at a time.

Both lists leave out the last minute, so that nothing slips in behind the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apps.connectors.sdk.passes import moment
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord
from apps.connectors.vendors.jira.adf import as_text
from apps.connectors.vendors.jira.streams import API

if TYPE_CHECKING:
    from apps.connectors.vendors.jira.connector import JiraConnector

LISTED = 1000
BULK_ISSUES = 100
PHASES = ("updated", "deleted")


class WorklogStream:
    """A checkpoint is `{"updated": ms, "deleted": ms, "phase": 0 | 1, "seen": [ids at that millisecond]}`."""

    def __init__(self, connector: JiraConnector) -> None:
        self.connector = connector
        self.client = connector.client

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        state = {"updated": 0, "deleted": 0, "phase": 0, "seen": [], **(checkpoint or {})}
        size = min(page_size, LISTED)
        while state["phase"] < len(PHASES):
            phase = PHASES[state["phase"]]
            changes, last = self._changes(phase, state)
            chunks = [changes[start : start + size] for start in range(0, len(changes), size)] or [[]]
            for chunk in chunks:
                ended = last and chunk is chunks[-1]
                state = _advanced(state, phase, chunk, ended=ended)
                checkpoint = {**state, "phase": state["phase"] % len(PHASES)}
                yield Page(records=self._records(phase, chunk), checkpoint=checkpoint)

    def get(self, external_id: str) -> SourceRecord | None:
        found = self._listed([int(external_id)]) if external_id.isdecimal() else []
        return next(iter(found), None)

    def _changes(self, phase: str, state: JsonDict) -> tuple[list[JsonDict], bool]:
        """What changed at or after the last one read, without what was read of that millisecond."""
        # The vendor says "after": one less lets in the others of the same millisecond.
        changes, last = self._after(phase, state[phase] - 1, set(state["seen"]))
        if changes or last:
            return changes, last
        # A whole page of one millisecond, all of it read: on from there, as the vendor's own link to the next page does.
        return self._after(phase, state[phase], set())

    def _after(self, phase: str, since: int, seen: set[int]) -> tuple[list[JsonDict], bool]:
        answer = self.client.get(f"{API}/worklog/{phase}", params={"since": max(0, since)})
        return [change for change in answer["values"] if change["worklogId"] not in seen], bool(answer["lastPage"])

    def _records(self, phase: str, chunk: list[JsonDict]) -> list[SourceRecord]:
        if phase == "updated":
            return self._listed([change["worklogId"] for change in chunk])
        return [
            SourceRecord(
                external_id=str(change["worklogId"]),
                data={"id": str(change["worklogId"])},
                modified_at=datetime.fromtimestamp(change["updatedTime"] / 1000, tz=UTC),
                deleted=True,
            )
            for change in chunk
        ]

    def _listed(self, ids: list[int]) -> list[SourceRecord]:
        if not ids:
            return []
        worklogs = self.client.post(f"{API}/worklog/list", json={"ids": ids})
        projects = self._projects(sorted({worklog["issueId"] for worklog in worklogs}))
        return [record(worklog, projects.get(worklog["issueId"])) for worklog in worklogs]

    def _projects(self, issue_ids: list[str]) -> dict[str, str]:
        """Issue id → id of its project."""
        found: dict[str, str] = {}
        for start in range(0, len(issue_ids), BULK_ISSUES):
            body = {"issueIdsOrKeys": issue_ids[start : start + BULK_ISSUES], "fields": ["project"]}
            answer = self.client.post(f"{API}/issue/bulkfetch", json=body)
            found |= {issue["id"]: issue["fields"]["project"]["id"] for issue in answer["issues"]}
        return found


def _advanced(state: JsonDict, phase: str, chunk: list[JsonDict], *, ended: bool) -> JsonDict:
    if chunk:
        newest = max(change["updatedTime"] for change in chunk)
        edge = [change["worklogId"] for change in chunk if change["updatedTime"] == newest]
        kept = state["seen"] if newest == state[phase] else []
        state = {**state, phase: newest, "seen": [*kept, *edge]}
    return {**state, "phase": state["phase"] + 1, "seen": []} if ended else state


def record(worklog: JsonDict, project_id: str | None) -> SourceRecord:
    author = worklog.get("author") or {}
    data = {
        **{name: worklog.get(name) for name in ("id", "issueId", "started", "timeSpentSeconds", "created")},
        "author_id": author.get("accountId"),
        "comment": as_text(worklog.get("comment")),
        "work_date": work_date(worklog["started"], author.get("timeZone")),
        "project_id": project_id,
    }
    return SourceRecord(external_id=str(worklog["id"]), data=data, modified_at=moment(worklog["updated"]))


def work_date(started: str, zone: str | None) -> str:
    """The day in the zone of whoever worked: Jira shows the moment in the zone of whoever asks."""
    when = datetime.fromisoformat(started)
    return (when.astimezone(ZoneInfo(zone)) if zone else when).date().isoformat()
