"""A simulated Jira site whose search lags half a minute behind, as the conformance suite works with it."""

from __future__ import annotations

import itertools
from typing import Any

from apps.connectors.vendors.jira import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import TimedHarness

TASK = {"name": "Task"}
_numbers = itertools.count(1)


class JiraHarness(TimedHarness):
    vendor = "jira"
    connector_type = CONNECTOR
    unseen_seconds = 61
    kept = frozenset({"users"})
    create_calls = {
        "projects": ("POST", "/rest/api/3/project"),
        "issues": ("POST", "/rest/api/3/issue/bulk"),
        "versions": ("POST", "/rest/api/3/version"),
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self.control.settings(search_lag_seconds=30)
        self._known: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "email": "sync@example.org"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        token = "good-token-1234567890" if valid else "wrong-token-0987654321"
        return {"api_token": token, "email": "sync@example.org"}

    def known(self, stream: str) -> str:
        """One object to refer to."""
        if stream not in self._known:
            self._known[stream] = self.seed_one(stream)
        return self._known[stream]

    def seed_one(self, stream: str) -> str:
        number = next(_numbers)
        data: dict[str, dict[str, Any]] = {
            "projects": {"name": f"Project {number}"},
            "users": {"displayName": f"Person {number}"},
        }
        if stream == "issues":
            data["issues"] = {
                "project": {"id": self.known("projects")},
                "issuetype": TASK,
                "summary": f"Issue {number}",
            }
        if stream == "versions":
            data["versions"] = {"projectId": self.known("projects"), "name": f"Release {number}"}
        if stream == "worklogs":
            data["worklogs"] = {
                "issueId": self.known("issues"), "timeSpentSeconds": 900, "started": "2026-11-20T09:00:00+00:00",
            }  # fmt: skip
        made = self.control.create(stream, data[stream])
        return str(made["accountId" if stream == "users" else "id"])

    def edited(self, stream: str) -> dict[str, Any]:
        return {"worklogs": {"timeSpentSeconds": 1800}}.get(stream, {"summary": f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "projects":
            return {"name": f"Written {number}"}
        if sink == "versions":
            return {"project": self.known("projects"), "name": f"Written {number}", "released": False}
        return {
            "project": self.known("projects"), "summary": f"Written {number}", "done": False, "estimate_minutes": 750,
            "description": "First line\nsecond line", "assignee": self.known("users"),
        }  # fmt: skip

    def change(self, sink: str) -> dict[str, Any]:
        more = {"issues": {"done": True}, "versions": {"released": True, "releaseDate": "2026-12-01"}}
        return {**self.payload(sink), **more.get(sink, {})}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        return {**self.payload(sink), "summary" if sink == "issues" else "name": ""}
