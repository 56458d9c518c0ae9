"""Reading Jira: issues by query, the rest in full, since Jira keeps no time of change for it.

The search index lags behind the issues by seconds, now and then by minutes; the overlap of each pass covers that. Pages
are ordered by creation, which no edit moves: an issue edited meanwhile is met again later, none slides past the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.passes import Batch, PassStream, moment
from apps.connectors.sdk.types import JsonDict, SourceRecord
from apps.connectors.vendors.jira.adf import as_text

API = "/rest/api/3"
ISSUE_FIELDS = (
    "summary", "description", "status", "issuetype", "project", "assignee", "labels", "timeoriginalestimate", "duedate",
    "created", "updated",
)  # fmt: skip
# A query has whole minutes, and an hour that happens twice in autumn is read as either of the two.
FILTER_SLACK = timedelta(minutes=2)
RECONCILED = 50
LARGEST_USER_PAGE = 1000
PROJECT_STATES = ("live", "archived", "deleted")


class IssueStream(PassStream):
    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        body = {"jql": self._query(since), "fields": list(ISSUE_FIELDS), "maxResults": size}
        token = place.get("token")
        try:
            answer = self._search({**body, "nextPageToken": token} if token else body)
        except RecordRejected:
            if not token:
                raise
            # A token lives for seven days; the pass that outlived it starts over.
            answer = self._search(body)
        records = [self.record(issue) for issue in answer["issues"]]
        self._require_filter(records, since)
        following = answer.get("nextPageToken")
        return Batch(records=records, place={"token": following} if following else None)

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(
            f"{API}/issue/{external_id}", params={"fields": ",".join(ISSUE_FIELDS), "updateHistory": "false"}
        )
        return self.record(found) if found else None

    def get_many(self, external_ids: Sequence[str]) -> dict[str, SourceRecord]:
        """Issues that exist, as they are now: `reconcileIssues` makes the search read them past its index."""
        found: dict[str, SourceRecord] = {}
        for start in range(0, len(external_ids), RECONCILED):
            ids = external_ids[start : start + RECONCILED]
            body = {
                "jql": f"id in ({', '.join(ids)}) ORDER BY created ASC",
                "fields": list(ISSUE_FIELDS),
                "maxResults": RECONCILED,
                "reconcileIssues": [int(issue_id) for issue_id in ids],
            }
            records = [self.record(issue) for issue in self._search(body)["issues"]]
            found |= {record.external_id: record for record in records}
        return found

    def find_labelled(self, label: str) -> SourceRecord | None:
        body = {"jql": f'labels = "{label}" ORDER BY created ASC', "fields": list(ISSUE_FIELDS), "maxResults": 1}
        found = [self.record(issue) for issue in self._search(body)["issues"]]
        return next((record for record in found if label in record.data["labels"]), None)

    def record(self, issue: JsonDict) -> SourceRecord:
        fields = issue["fields"]
        data = {
            "id": issue["id"],
            "key": issue["key"],
            **{name: fields.get(name) for name in ("summary", "duedate", "timeoriginalestimate", "created")},
            "labels": fields.get("labels") or [],
            "description": as_text(fields.get("description")),
            "status": fields["status"]["name"],
            "status_category": fields["status"]["statusCategory"]["key"],
            "issue_type": fields["issuetype"]["name"],
            "project_id": fields["project"]["id"],
            "assignee_id": (fields.get("assignee") or {}).get("accountId"),
        }
        return SourceRecord(
            external_id=issue["id"],
            data=data,
            modified_at=moment(fields.get("updated")),
            url=f"{self.connector.client.base_url}/browse/{issue['key']}",
        )

    def _query(self, since: datetime | None) -> str:
        # An unbounded query is refused, so everything is "since 1970".
        text = local_minute(since, self.connector.zone) if since else "1970-01-01 00:00"
        return f'updated >= "{text}" ORDER BY created ASC, key ASC'

    def _search(self, body: JsonDict) -> JsonDict:
        answer: JsonDict = self.connector.client.post(f"{API}/search/jql", json=body)
        return answer

    def _require_filter(self, records: list[SourceRecord], since: datetime | None) -> None:
        bound = since - FILTER_SLACK - timedelta(hours=1) if since else None
        if bound and any(record.modified_at and record.modified_at < bound for record in records):
            raise FatalError("Jira read the times of the query in another time zone than its user's", code="filter")


def local_minute(when: datetime, zone: Any) -> str:
    """The minute in the user's own time. In the hour that happens twice, the one before it: too early is harmless."""
    local = when.astimezone(zone)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        local -= timedelta(hours=1)
    return local.strftime("%Y-%m-%d %H:%M")


class ListStream(PassStream):
    """Lists with `startAt`, read in full each time: nothing in them tells when it was changed."""

    incremental: ClassVar[bool] = False
    max_page: ClassVar[int] = 50


class ProjectStream(ListStream):
    """Live, archived and, for administrators, the recycle bin: the one place where Jira shows what was deleted."""

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        state, start = place.get("state", 0), place.get("start", 0)
        params = {"status": PROJECT_STATES[state], "startAt": start, "maxResults": size, "orderBy": "key"}
        answer = self.connector.client.get(f"{API}/project/search", params=params)
        following: JsonDict | None = {"state": state, "start": start + len(answer["values"])}
        if answer["isLast"] or not answer["values"]:
            following = {"state": state + 1, "start": 0} if state + 1 < len(PROJECT_STATES) else None
        return Batch(records=[self.record(project) for project in answer["values"]], place=following)

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{API}/project/{external_id}")
        return self.record(found) if found else None

    def record(self, project: JsonDict) -> SourceRecord:
        shown = ("id", "key", "name", "projectTypeKey")
        data = {name: project.get(name) for name in shown} | {"archived": bool(project.get("archived"))}
        return SourceRecord(
            external_id=project["id"],
            data=data,
            url=f"{self.connector.client.base_url}/browse/{project['key']}",
            deleted=bool(project.get("deleted")),
        )


class UserStream(ListStream):
    """People; the apps that Jira lists among them are left out."""

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        start = place.get("start", 0)
        # Jira filters a page after cutting it: a short one is not the last, and an empty one only if a large one is too.
        for count in (size, LARGEST_USER_PAGE):
            users = self.connector.client.get(f"{API}/users/search", params={"startAt": start, "maxResults": count})
            if users:
                records = [self.record(user) for user in users if user.get("accountType") == "atlassian"]
                return Batch(records=records, place={"start": start + count})
        return Batch(records=[])

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{API}/user", params={"accountId": external_id})
        return self.record(found) if found else None

    def record(self, user: JsonDict) -> SourceRecord:
        shown = ("accountId", "displayName", "emailAddress", "active", "timeZone")
        return SourceRecord(external_id=user["accountId"], data={name: user.get(name) for name in shown})


class VersionStream(ListStream):
    """The versions of one project after the other."""

    def fetch(self, *, since: datetime | None, place: JsonDict, size: int) -> Batch:
        projects = self._projects()
        project = next((found for found in projects if found >= place.get("project", 0)), None)
        if project is None:
            return Batch(records=[])
        start = place.get("start", 0) if project == place.get("project") else 0
        params = {"startAt": start, "maxResults": size, "orderBy": "sequence"}
        answer = self.connector.client.get(f"{API}/project/{project}/version", params=params)
        records = [self.record(version) for version in answer["values"]]
        if not answer["isLast"] and answer["values"]:
            return Batch(records=records, place={"project": project, "start": start + len(records)})
        return Batch(records=records, place={"project": project + 1} if project != projects[-1] else None)

    def get(self, external_id: str) -> SourceRecord | None:
        found = self.connector.client.find(f"{API}/version/{external_id}")
        return self.record(found) if found else None

    def find_described(self, mark: str) -> SourceRecord | None:
        """The version whose description holds the mark, in whichever project."""
        for project in self._projects():
            answer = self.connector.client.get(f"{API}/project/{project}/version", params={"query": mark})
            for version in answer["values"]:
                if mark in (version.get("description") or ""):
                    return self.record(version)
        return None

    def record(self, version: JsonDict) -> SourceRecord:
        shown = ("id", "name", "description", "archived", "released", "startDate", "releaseDate", "projectId")
        data = {name: version.get(name) for name in shown}
        return SourceRecord(external_id=version["id"], data=data)

    def _projects(self) -> list[int]:
        """Ids of the live projects, ascending."""
        stream, place, found = ProjectStream(self.connector), {"state": 0, "start": 0}, []
        while place and place["state"] == 0:
            batch = stream.fetch(since=None, place=place, size=stream.max_page)
            found += [int(record.external_id) for record in batch.records]
            place = batch.place or {}
        return sorted(found)
