"""People at Redmine's screens, played through its API with their own keys."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.real.servers.base import RealServer


class RedmineUsers:
    """The administrator sets up; the others log time under their own names."""

    def __init__(self, server: RealServer) -> None:
        self.server = server
        self.facts = server.facts

    def call(self, method: str, path: str, body: Any = None, *, person: str = "") -> Any:
        """The parsed answer. Raises RuntimeError with what the server said."""
        key = self.facts["user_keys"][person] if person else self.facts["api_key"]
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.server.base_url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"X-Redmine-API-Key": key, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def add_project(self, name: str, identifier: str) -> int:
        modules = ["issue_tracking", "time_tracking"]
        project = {"name": name, "identifier": identifier, "enabled_module_names": modules, "is_public": False}
        return int(self.call("POST", "/projects.json", {"project": project})["project"]["id"])

    def join(self, person: str, project: str | int) -> None:
        """Nobody logs time on a project they are not a member of."""
        membership = {"user_id": self.facts["users"][person], "role_ids": [self.facts["roles"]["Developer"]]}
        self.call("POST", f"/projects/{project}/memberships.json", {"membership": membership})

    def add_issue(self, project: str | int, subject: str) -> int:
        return int(
            self.call("POST", "/issues.json", {"issue": {"project_id": project, "subject": subject}})["issue"]["id"]
        )

    def rename_issue(self, issue: str | int, subject: str) -> None:
        self.call("PUT", f"/issues/{issue}.json", {"issue": {"subject": subject}})

    def log_time(
        self, person: str, *, day: str, hours: float, comments: str, project: str = "", issue: str = ""
    ) -> int:
        """On the issue, or else on the project; the person must have joined it."""
        place = {"issue_id": issue} if issue else {"project_id": project}
        entry = {**place, "hours": hours, "spent_on": day, "comments": comments}
        return int(self.call("POST", "/time_entries.json", {"time_entry": entry}, person=person)["time_entry"]["id"])

    def approve(self, entry: str | int) -> None:
        field = {"id": self.facts["approval_field_id"], "value": "1"}
        self.call("PUT", f"/time_entries/{entry}.json", {"time_entry": {"custom_fields": [field]}})

    def lock(self, person: str) -> None:
        self.call("PUT", f"/users/{self.facts['users'][person]}.json", {"user": {"status": 3}})
