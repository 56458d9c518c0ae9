"""Writing Jira: issues fifty at a time, projects and versions one by one; states change through transitions."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from apps.connectors.sdk.errors import ConnectorError, FatalError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.jira.adf import document
from apps.connectors.vendors.jira.streams import API, IssueStream, ProjectStream, VersionStream

if TYPE_CHECKING:
    from apps.connectors.vendors.jira.connector import JiraConnector

Action = Callable[[str, WriteRequest], None]
BULK = 50
DONE = "done"
DEFAULT_ISSUE_TYPE = "Task"
# A company-managed Kanban board: the template every site with Jira Software has.
DEFAULT_TEMPLATE = "com.pyxis.greenhopper.jira:gh-simplified-kanban-classic"
NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9._-]")
NOT_IN_KEY = re.compile(r"[^A-Z]")


class IssueSink(Removing):
    """The mark of a create is a label: the one text of an issue that a query finds exactly and without an index of ours."""

    def __init__(self, connector: JiraConnector) -> None:
        self.connector = connector
        self.client = connector.client
        self.stream = IssueStream(connector)

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        creates = [request for request in requests if request.external_id is None]
        outcomes: dict[str, str | ConnectorError] = {}
        for start in range(0, len(creates), BULK):
            outcomes |= self._create(creates[start : start + BULK])
        for request in requests:
            if request.external_id is not None:
                outcomes[request.key] = self._attempt(request, request.external_id, self._update)
        return self._settled(requests, outcomes)

    def get(self, external_id: str) -> SourceRecord | None:
        return self.stream.get(external_id)

    def resolve(self, key: str) -> SourceRecord | None:
        """By the label. The search may not know an issue of the last seconds, so the engine lets some time pass first."""
        return self.stream.find_labelled(label(key))

    def remove(self, external_id: str) -> None:
        """Jira refuses while there are subtasks: they would go with it."""
        self.client.delete(f"{API}/issue/{external_id}", expects_json=False)

    def _create(self, requests: list[WriteRequest]) -> dict[str, str | ConnectorError]:
        updates = [{"fields": self._new_fields(request)} for request in requests]
        try:
            answer = self.client.post(f"{API}/issue/bulk", json={"issueUpdates": updates})
        except RecordRejected as error:
            # 400 means that none was made; alone it is this record's fault, together each is asked by itself.
            if len(requests) == 1:
                return {requests[0].key: error}
            return {key: found for request in requests for key, found in self._create([request]).items()}
        refused = {entry["failedElementNumber"]: _refusal(entry) for entry in answer["errors"]}
        made = iter(answer["issues"])
        return {
            request.key: refused[number] if number in refused else next(made)["id"]
            for number, request in enumerate(requests)
        }

    def _new_fields(self, request: WriteRequest) -> JsonDict:
        payload = request.payload
        return {
            "project": {"id": str(payload["project"])},
            "issuetype": {"name": str(self.connector.context.settings.get("issue_type") or DEFAULT_ISSUE_TYPE)},
            "labels": [label(request.key)],
            **fields(payload),
        }

    def _update(self, external_id: str, request: WriteRequest) -> None:
        self.client.put(f"{API}/issue/{external_id}", json={"fields": fields(request.payload)})

    def _attempt(self, request: WriteRequest, external_id: str, action: Action) -> str | ConnectorError:
        try:
            action(external_id, request)
        except RecordRejected as error:
            return error
        return external_id

    def _settled(self, requests: list[WriteRequest], outcomes: dict[str, str | ConnectorError]) -> list[WriteResult]:
        """Read back, bring to the wanted state, read back what that changed."""
        held = self._read(outcomes)
        moved: dict[str, str | ConnectorError] = {}
        for request in requests:
            record = held.get(str(outcomes[request.key]))
            if record and _differs(record, request.payload):
                moved[request.key] = self._attempt(request, record.external_id, self._move)
        held |= self._read(moved)
        outcomes = outcomes | moved
        return [self._result(request, outcomes[request.key], held) for request in requests]

    def _read(self, outcomes: dict[str, str | ConnectorError]) -> dict[str, SourceRecord]:
        return self.stream.get_many([found for found in outcomes.values() if isinstance(found, str)])

    def _move(self, external_id: str, request: WriteRequest) -> None:
        """Through the first transition that ends in the wanted kind of status."""
        offered = self.client.get(f"{API}/issue/{external_id}/transitions")["transitions"]
        wanted = bool(request.payload["done"])
        fitting = [entry for entry in offered if (entry["to"]["statusCategory"]["key"] == DONE) == wanted]
        if not fitting:
            raise RecordRejected(
                f"the workflow has no way from here to {'a done' if wanted else 'an open'} status", code="transition"
            )
        body = {"transition": {"id": fitting[0]["id"]}}
        self.client.post(f"{API}/issue/{external_id}/transitions", json=body)

    def _result(
        self, request: WriteRequest, outcome: str | ConnectorError, held: dict[str, SourceRecord]
    ) -> WriteResult:
        if isinstance(outcome, ConnectorError):
            return WriteResult(key=request.key, error=outcome)
        record = held.get(outcome)
        if record is None:
            lost = FatalError("Jira confirmed the write but does not show the issue", code="read_back")
            return WriteResult(key=request.key, error=lost)
        if record.data["summary"] != request.payload["summary"] or _differs(record, request.payload):
            return WriteResult(key=request.key, error=RecordRejected("Jira did not take the values", code="ignored"))
        return WriteResult(key=request.key, record=record)


def label(key: str) -> str:
    return f"sync-{NOT_IN_LABEL.sub('-', key)}"


def fields(payload: JsonDict) -> JsonDict:
    """What a create and an update have in common; null leaves a field as it is."""
    found: JsonDict = {"summary": payload["summary"]}
    if payload.get("estimate_minutes") is not None:
        found["timetracking"] = {"originalEstimate": f"{payload['estimate_minutes']}m"}
    if payload.get("assignee"):
        found["assignee"] = {"id": payload["assignee"]}
    if payload.get("description"):
        found["description"] = document(payload["description"])
    return found


def _differs(record: SourceRecord, payload: JsonDict) -> bool:
    return payload.get("done") is not None and (record.data["status_category"] == DONE) != payload["done"]


def _refusal(entry: JsonDict) -> RecordRejected:
    details = entry["elementErrors"]
    texts = [*details.get("errorMessages", []), *(f"{k}: {v}" for k, v in details.get("errors", {}).items())]
    return RecordRejected("; ".join(texts) or "Jira refused this issue", code="refused", status=entry["status"])


class ProjectSink(SingleSink, Removing):
    """The project's key carries the mark: it is unique, found exactly, and Jira asks for one anyway."""

    checks: ClassVar = {"name": lambda data: data["name"]}

    def __init__(self, connector: JiraConnector) -> None:
        super().__init__(connector, ProjectStream(connector))

    def create(self, request: WriteRequest) -> str:
        key = project_key(request.payload["name"], request.key)
        settings = self.connector.context.settings
        body = {
            "key": key,
            "name": request.payload["name"],
            "projectTypeKey": settings.get("project_type") or "software",
            "projectTemplateKey": settings.get("project_template") or DEFAULT_TEMPLATE,
            "leadAccountId": self.connector.myself["accountId"],
            "assigneeType": "UNASSIGNED",
        }
        try:
            return str(self.connector.client.post(f"{API}/project", json=body)["id"])
        except RecordRejected:
            # Perhaps refused because an attempt whose answer was lost has taken the key.
            found = self.stream.get(key)
            if found is None:
                raise
            return found.external_id

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.connector.client.put(f"{API}/project/{external_id}", json={"name": request.payload["name"]})

    def remove(self, external_id: str) -> None:
        """Into the recycle bin, from which a site's administrator takes it out again for sixty days."""
        place = f"{API}/project/{external_id}"
        self.connector.client.delete(place, params={"enableUndo": "true"}, expects_json=False)

    def resolve(self, key: str) -> SourceRecord | None:
        tail = key_tail(key)
        params = {"query": tail, "maxResults": 50}
        found = self.connector.client.get(f"{API}/project/search", params=params)["values"]
        matching = [project for project in found if project["key"].endswith(tail)]
        return self.stream.get(matching[0]["id"]) if matching else None


def project_key(name: str, key: str) -> str:
    """Ten letters and digits, as Jira allows: initials people recognize, and a tail that only this intent has."""
    words = [word for word in re.split(r"\W+", name.upper()) if NOT_IN_KEY.sub("", word)]
    initials = "".join(NOT_IN_KEY.sub("", word)[0] for word in words)[:3]
    return f"{initials or 'P'}{key_tail(key)}"


def key_tail(key: str) -> str:
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:7]


class VersionSink(SingleSink, Removing):
    """Milestones as versions; the mark is in the description, which Jira searches and we do not map."""

    checks: ClassVar = {
        "name": lambda data: data["name"],
        "released": lambda data: bool(data["released"]),
        "releaseDate": lambda data: data["releaseDate"],
    }
    stream: VersionStream

    def __init__(self, connector: JiraConnector) -> None:
        super().__init__(connector, VersionStream(connector))

    def create(self, request: WriteRequest) -> str:
        payload = request.payload
        body = {**values(payload), "projectId": int(payload["project"]), "description": mark(request.key)}
        return str(self.connector.client.post(f"{API}/version", json=body)["id"])

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.connector.client.put(f"{API}/version/{external_id}", json=values(request.payload))

    def resolve(self, key: str) -> SourceRecord | None:
        return self.stream.find_described(mark(key))

    def remove(self, external_id: str) -> None:
        self.connector.client.delete(f"{API}/version/{external_id}", expects_json=False)


def values(payload: JsonDict) -> JsonDict:
    names = ("name", "released", "releaseDate")
    return {name: payload[name] for name in names if payload.get(name) is not None}


def mark(key: str) -> str:
    return f"[sync_ref: {key}]"
