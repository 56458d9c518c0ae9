"""What the conformance suite needs done at a Redmine; simulator and real server differ only in how people work there."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import Any

from apps.connectors.sdk.conformance import Harness
from apps.connectors.vendors.redmine import CONNECTOR
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)


class RedmineWork(Harness):
    """Payloads and seeds in terms of `make`, which acts as a person does."""

    connector_type = CONNECTOR

    @abstractmethod
    def make(self, kind: str, **data: Any) -> str:
        """Create an object as a person does; its id."""

    def seed(self, stream: str, count: int) -> list[str]:
        return [self._seed_one(stream) for _ in range(count)]

    def _seed_one(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "projects":
            return self.make("projects", name=f"Project {number}", identifier=f"seeded-{number}")
        if stream == "issues":
            return self.make("issues", project_id=self.project, subject=f"Issue {number}")
        if stream == "users":
            return self.make(
                "users",
                login=f"person{number}",
                firstname="Person",
                lastname=f"N{number}",
                mail=f"p{number}@example.org",
            )
        if stream == "versions":
            return self.make("versions", project_id=self.project, name=f"Version {number}", due_date="2026-12-18")
        if stream == "memberships":
            return self.make("memberships", project_id=self.project, user_id=self._seed_one("users"))
        entry = {"project_id": self.project, "hours": 0.25, "spent_on": "2026-11-20", "comments": f"Work {number}"}
        return self.make("time_entries", **entry)

    @property
    def project(self) -> str:
        known: dict[str, str] = self.__dict__.setdefault("_known", {})
        if "project" not in known:
            known["project"] = self._seed_one("projects")
        return known["project"]

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "projects":
            return {"name": f"Written {number}", "closed": False}
        if sink == "versions":
            return {"project": self.project, "name": f"Written {number}", "status": "open", "due_date": "2026-12-18"}
        if sink == "memberships":
            return {"project": self.project, "user": self._seed_one("users")}
        return {"project": self.project, "subject": f"Written {number}", "done": False, "estimated_hours": "12.5"}

    def change(self, sink: str) -> dict[str, Any]:
        if sink == "versions":
            return {**self.payload(sink), "status": "closed"}
        state = "closed" if sink == "projects" else "done"
        return {**self.payload(sink), state: True}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        if sink == "memberships":
            return {**self.payload(sink), "user": "999999"}
        return {**self.payload(sink), "subject" if sink == "issues" else "name": ""}


class SimulatedRedmine(RedmineWork, SandboxHarness):
    vendor = "redmine"
    abilities = frozenset({"faults"})
    create_calls = {
        "projects": ("POST", "/projects.json"),
        "issues": ("POST", "/issues.json"),
        "versions": ("POST", "/projects/"),
        "memberships": ("POST", "/projects/"),
    }

    def make(self, kind: str, **data: Any) -> str:
        if kind == "time_entries":
            data["user"] = 1
        return str(self.control.create(kind, data)["id"])

    def edit(self, stream: str, external_id: str) -> None:
        self.control.update(stream, external_id, {"subject": f"Edited {next(_numbers)}"})
