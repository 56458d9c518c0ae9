"""The Redmine suite on the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.connectors.delivery import read_all
from tests.connectors.redmine.suite import RedmineSuite, Team, connect

API_KEY = "key-of-the-administrator"
MEMBER_KEY = "key-of-dana"


class SimulatedTeam:
    def __init__(self, sandbox: RunningSandbox, account: str = "suite") -> None:
        self.base_url = sandbox.base_url("redmine", account)
        self.api_key, self.member_key = API_KEY, MEMBER_KEY
        self.approval_field = "Approved"
        self._control = sandbox.control("redmine", account)
        self._control.credentials(api_key=API_KEY)
        self.users = {
            "dana": self._add("users", **_person("Dana", "Reyes"), api_key=MEMBER_KEY),
            "omar": self._add("users", **_person("Omar", "Haddad")),
        }

    def _add(self, kind: str, **data: Any) -> str:
        return str(self._control.create(kind, data)["id"])

    def add_project(self, name: str) -> str:
        return self._add("projects", name=name)

    def add_issue(self, project: str, subject: str) -> str:
        return self._add("issues", project_id=project, subject=subject)

    def rename_issue(self, issue: str, subject: str) -> None:
        self._control.update("issues", issue, {"subject": subject})

    def log_time(self, person: str, *, project: str, issue: str | None, hours: float, comments: str) -> str:
        place = {"issue_id": issue} if issue else {"project_id": project}
        user = self.users[person]
        return self._add("time_entries", user=user, hours=hours, comments=comments, spent_on="2026-11-20", **place)

    def approve(self, entry: str) -> None:
        self._control.update("time_entries", entry, {"approved": True})

    def lock(self, person: str) -> None:
        self._control.update("users", self.users[person], {"status": 3})

    def archive(self, project: str) -> None:
        self._control.update("projects", project, {"status": 9})

    def share_version(self, project: str, name: str) -> str:
        return self._add("versions", project_id=project, name=name, sharing="system")


def _person(first: str, last: str) -> dict[str, str]:
    return {"firstname": first, "lastname": last, "mail": f"{first.lower()}@northwind.example"}


@pytest.fixture(scope="module")
def team(sandbox: RunningSandbox) -> Team:
    return SimulatedTeam(sandbox)


class TestSimulatedRedmine(RedmineSuite):
    """Nothing here differs from the real server."""


def test_groups_are_no_people_and_a_module_switched_off_no_error(sandbox: RunningSandbox) -> None:
    team = SimulatedTeam(sandbox, "parts")
    first, second = team.add_project("One"), team.add_project("Two")
    control = sandbox.control("redmine", "parts")
    control.create("memberships", {"project_id": first, "group": "Consultants"})
    member = str(control.create("memberships", {"project_id": second, "user_id": team.users["dana"]})["id"])
    control.create("versions", {"project_id": first, "name": "Hidden"})
    version = str(control.create("versions", {"project_id": second, "name": "Shown"})["id"])
    control.settings(without_issues=[int(first)])
    connector = connect(team)

    assert [record.external_id for record in read_all(connector, "memberships")[0]] == [member]
    assert [record.external_id for record in read_all(connector, "versions")[0]] == [version]
