"""Reading Redmine: issues by their change, everything else in full, since Redmine cannot filter it by change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.errors import ConfigurationError, FatalError
from apps.connectors.sdk.types import JsonDict, Page, SourceRecord

# Asking for more is not refused: Redmine answers with a hundred and says so.
MAX_PAGE = 100
# `updated_on` has whole seconds, is set before the commit, and offsets shift when records change under the reader.
OVERLAP = timedelta(seconds=60)
# "At or after this second" lets in the second before, as the database keeps fractions that are not shown.
FILTER_SLACK = timedelta(seconds=1)
APPROVED_VALUES = frozenset({"1", "true", "yes", "approved"})


class RedmineStream:
    """Every record, oldest first. Records added meanwhile come last; each run starts anew, so a shifted one is met then."""

    collection: ClassVar[str] = ""
    singular: ClassVar[str] = ""
    passes: ClassVar[tuple[JsonDict, ...]] = ({},)

    def __init__(self, connector: Any) -> None:
        self.connector = connector
        self.client: VendorClient = connector.client

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        limit = min(page_size, MAX_PAGE)
        state = {"pass": 0, "offset": 0, **(checkpoint or {})}
        while state["pass"] < len(self.passes):
            which = self.passes[state["pass"]]
            params = {"sort": "created_on:asc", **which, **self.params()}
            rows = self.page({**params, "limit": limit, "offset": state["offset"]})
            if len(rows) < limit:
                state = {"pass": state["pass"] + 1, "offset": 0}
            else:
                state = {**state, "offset": state["offset"] + len(rows)}
            done = state["pass"] == len(self.passes)
            yield Page(records=[self.record({**row, **which}) for row in rows], checkpoint={} if done else state)

    def params(self) -> JsonDict:
        return {}

    def page(self, params: JsonDict) -> list[JsonDict]:
        data = self.client.get(f"/{self.collection}.json", params=params)
        rows: list[JsonDict] = data[self.collection]
        return rows

    def get(self, external_id: str) -> SourceRecord | None:
        try:
            data = self.client.find(f"/{self.collection}/{external_id}.json")
        except ConfigurationError as error:
            # What an administrator may not see is in an archived project: gone, as far as Redmine tells.
            if error.status != 403:
                raise
            return None
        return self.record(data[self.singular]) if data else None

    def record(self, row: JsonDict) -> SourceRecord:
        return SourceRecord(
            external_id=str(row["id"]),
            data=row,
            modified_at=moment(row["updated_on"]),
            url=f"{self.client.base_url}/{self.collection}/{row['id']}",
        )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class ProjectStream(RedmineStream):
    collection = "projects"
    singular = "project"

    def params(self) -> JsonDict:
        # Without a status only active projects are listed; 5 is closed.
        return {"status": "1|5"}


class UserStream(RedmineStream):
    """The list tells neither who is locked nor lists them unless asked; a single user also shows the person's own key."""

    collection = "users"
    singular = "user"
    passes = ({"status": 1}, {"status": 3})

    def record(self, row: JsonDict) -> SourceRecord:
        shown = ("id", "login", "firstname", "lastname", "mail", "status", "created_on", "updated_on")
        return super().record({name: row.get(name) for name in shown})


class TimeEntryStream(RedmineStream):
    collection = "time_entries"
    singular = "time_entry"

    def params(self) -> JsonDict:
        since = self.connector.context.settings.get("time_since")
        return {"spent_on": f">={since}"} if since else {}

    def record(self, row: JsonDict) -> SourceRecord:
        field = str(self.connector.context.settings.get("approval_field") or "")
        return super().record({**row, "approved": not field or is_approved(row, field)})


def is_approved(row: JsonDict, field: str) -> bool:
    """Whether the custom field that the customer uses for approval says so."""
    values = {custom["name"]: custom.get("value") for custom in row.get("custom_fields", [])}
    return str(values.get(field) or "").strip().lower() in APPROVED_VALUES


class IssueStream(RedmineStream):
    """By change, oldest first; an issue changed during the read moves to the end of the line."""

    collection = "issues"
    singular = "issue"

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        limit = min(page_size, MAX_PAGE)
        state = opening(checkpoint or {})
        while True:
            rows = self._since(state, limit)
            done = len(rows) < limit
            records = [self.record(row) for row in unread(state, rows)]
            state = advanced(state, rows)
            yield Page(records=records, checkpoint={"since": state["since"]} if done else state)
            if done:
                return

    def _since(self, state: JsonDict, limit: int) -> list[JsonDict]:
        params = {"status_id": "*", "sort": "updated_on:asc,id:asc", "limit": limit, "offset": state["offset"]}
        if state["since"]:
            params["updated_on"] = f">={state['since']}"
        rows = self.page(params)
        if state["since"] and any(moment(row["updated_on"]) < moment(state["since"]) - FILTER_SLACK for row in rows):
            # Redmine ignores filters it does not know, which would make us read everything and believe it was new.
            raise FatalError("Redmine did not apply the filter on updated_on")
        return rows


def opening(checkpoint: JsonDict) -> JsonDict:
    if "offset" in checkpoint or not checkpoint.get("since"):
        return {"since": None, "offset": 0, "seen": [], **checkpoint}
    return {"since": in_seconds(moment(checkpoint["since"]) - OVERLAP), "offset": 0, "seen": []}


def in_seconds(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def unread(state: JsonDict, rows: list[JsonDict]) -> list[JsonDict]:
    """The rows that the page before did not end with."""
    seen = set(state["seen"])
    return [row for row in rows if row["updated_on"] >= (state["since"] or "") and row["id"] not in seen]


def advanced(state: JsonDict, rows: list[JsonDict]) -> JsonDict:
    """Where the next page starts: at the second of the last row, or further into it when the page did not get past it."""
    if not rows:
        return state
    last = rows[-1]["updated_on"]
    ends = [row["id"] for row in rows if row["updated_on"] == last]
    if state["since"] and last <= state["since"]:
        return {"since": state["since"], "offset": state["offset"] + len(rows), "seen": [*state["seen"], *ends]}
    return {"since": last, "offset": 0, "seen": ends}
