"""The connectors' conformance suite on a real Redmine."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from apps.connectors.sdk.conformance import ConnectorConformance
from tests.connectors.redmine.harness import RedmineWork
from tests.real.servers import RealServer
from tests.real.servers.redmine_user import RedmineUsers

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]

SINGULAR = {"projects": "project", "issues": "issue", "users": "user", "time_entries": "time_entry"}
PARTS = {"versions": "version", "memberships": "membership"}
_numbers = itertools.count(1)


class RealRedmine(RedmineWork):
    def __init__(self, server: RealServer) -> None:
        super().__init__()
        self.server = server
        self.people = RedmineUsers(server)

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.server.base_url}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return self.server.credentials if valid else {"api_key": "wrong-key-0987654321"}

    def make(self, kind: str, **data: Any) -> str:
        if kind in PARTS:
            return self.make_part(kind, **data)
        if kind == "users":
            data["password"] = "personal-1"
        if kind == "projects":
            data |= {"enabled_module_names": ["issue_tracking", "time_tracking"], "is_public": False}
        made = self.people.call("POST", f"/{kind}.json", {SINGULAR[kind]: data})
        return str(made[SINGULAR[kind]]["id"])

    def make_part(self, kind: str, *, project_id: str, **data: Any) -> str:
        """What is made below a project."""
        if kind == "memberships":
            data["role_ids"] = [self.server.facts["roles"]["Developer"]]
        made = self.people.call("POST", f"/projects/{project_id}/{kind}.json", {PARTS[kind]: data})
        return str(made[PARTS[kind]]["id"])

    def edit(self, stream: str, external_id: str) -> None:
        self.people.rename_issue(external_id, f"Edited {next(_numbers)}")

    def count(self, sink: str) -> int:
        if sink in PARTS:
            return int(self.people.call("GET", f"/projects/{self.project}/{sink}.json?limit=1")["total_count"])
        filters = "status=1|5" if sink == "projects" else "status_id=*"
        return int(self.people.call("GET", f"/{sink}.json?{filters}&limit=1")["total_count"])


class TestRealRedmineConformance(ConnectorConformance):
    @pytest.fixture
    def harness(self, redmine_server: RealServer) -> RealRedmine:
        return RealRedmine(redmine_server)
