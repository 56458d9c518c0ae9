"""A simulated Asana workspace, as the conformance suite works with it."""

from __future__ import annotations

import itertools
from typing import Any

from apps.connectors.vendors.asana import CONNECTOR
from sandbox.asana.vendor import WORKSPACE
from sandbox.testing import RunningSandbox
from tests.connectors.harness import TimedHarness

_numbers = itertools.count(1)


class AsanaHarness(TimedHarness):
    vendor = "asana"
    connector_type = CONNECTOR
    kinds = {"milestones": "tasks", "time_entries": "time_tracking_entries"}
    create_calls = {
        "projects": ("POST", "/projects"),
        "tasks": ("POST", "/tasks"),
        "milestones": ("POST", "/tasks"),
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self._known: dict[str, str] = {}
        self.more: dict[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "workspace": WORKSPACE, **self.__dict__.get("more", {})}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def known(self, stream: str) -> str:
        """One object to refer to."""
        if stream not in self._known:
            self._known[stream] = self.seed_one(stream)
        return self._known[stream]

    def made(self, stream: str, **more: Any) -> str:
        """The id of one more object."""
        made = self.control.create(self.kind(stream), {**self.values(stream), **more})
        return str(made["gid"])

    def seed_one(self, stream: str) -> str:
        return self.made(stream)

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "time_entries":
            refs = {"task": self.known("tasks"), "attributable_to": self.known("projects")}
            return {**refs, "created_by": self.known("users"), "duration_minutes": 75, "entered_on": "2026-11-20"}
        if stream == "users":
            return {"name": f"Person {number}", "email": f"p{number}@example.org"}
        if stream == "projects":
            return {"name": f"Project {number}"}
        subtype = {"resource_subtype": "milestone"} if stream == "milestones" else {}
        return {"name": f"Task {number}", "projects": [self.known("projects")], **subtype}

    def edited(self, stream: str) -> dict[str, Any]:
        return {"name": f"Edited {next(_numbers)}"}

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "projects":
            return {"name": f"Written {number}", "archived": False, "due_on": "2027-01-31"}
        work = {"project": self.known("projects"), "name": f"Written {number}", "completed": False}
        return {**work, **({"assignee": self.known("users")} if sink == "tasks" else {"due_on": "2026-12-18"})}

    def change(self, sink: str) -> dict[str, Any]:
        return {**self.payload(sink), **({"archived": True} if sink == "projects" else {"completed": True})}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "projects":
            return {**self.payload(sink), "name": ""}
        return {**self.payload(sink), "project": "99"}
