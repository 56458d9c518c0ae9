"""The Redmine suite on a real server."""

from __future__ import annotations

import uuid

import pytest

from tests.connectors.redmine.suite import RedmineSuite, Team
from tests.real.servers import RealServer
from tests.real.servers.redmine_user import RedmineUsers

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]


class RealTeam:
    """Work done by people at Redmine's own screens."""

    def __init__(self, server: RealServer) -> None:
        self.base_url = server.base_url
        self.api_key = server.credentials["api_key"]
        self.member_key = server.facts["user_keys"]["dana"]
        self.users = {name: str(found) for name, found in server.facts["users"].items()}
        self.approval_field = server.facts["approval_field"]
        self._people = RedmineUsers(server)

    def add_project(self, name: str) -> str:
        return str(self._people.add_project(name, f"t-{uuid.uuid4().hex[:8]}"))

    def add_issue(self, project: str, subject: str) -> str:
        return str(self._people.add_issue(project, subject))

    def rename_issue(self, issue: str, subject: str) -> None:
        self._people.rename_issue(issue, subject)

    def log_time(self, person: str, *, project: str, issue: str | None, hours: float, comments: str) -> str:
        members = self._people.call("GET", f"/projects/{project}/memberships.json")["memberships"]
        if self.users[person] not in {str(member["user"]["id"]) for member in members}:
            self._people.join(person, project)
        day = "2026-11-20"
        entry = self._people.log_time(
            person, day=day, hours=hours, comments=comments, project=project, issue=issue or ""
        )
        return str(entry)

    def approve(self, entry: str) -> None:
        self._people.approve(entry)

    def lock(self, person: str) -> None:
        self._people.lock(person)

    def archive(self, project: str) -> None:
        self._people.call("PUT", f"/projects/{project}/archive.json")

    def share_version(self, project: str, name: str) -> str:
        body = {"version": {"name": name, "sharing": "system"}}
        return str(self._people.call("POST", f"/projects/{project}/versions.json", body)["version"]["id"])


@pytest.fixture(scope="module")
def team(redmine_server: RealServer) -> Team:
    return RealTeam(redmine_server)


class TestRealRedmine(RedmineSuite):
    """Nothing here differs from the simulator."""
