"""The Redmine suite on the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.connectors.redmine.suite import RedmineSuite, Team

API_KEY = "key-of-the-administrator"
MEMBER_KEY = "key-of-dana"


class SimulatedTeam:
    def __init__(self, sandbox: RunningSandbox) -> None:
        self.base_url = sandbox.base_url("redmine", "suite")
        self.api_key, self.member_key = API_KEY, MEMBER_KEY
        self.approval_field = "Approved"
        self._control = sandbox.control("redmine", "suite")
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


def _person(first: str, last: str) -> dict[str, str]:
    return {"firstname": first, "lastname": last, "mail": f"{first.lower()}@northwind.example"}


@pytest.fixture(scope="module")
def team(sandbox: RunningSandbox) -> Team:
    return SimulatedTeam(sandbox)


class TestSimulatedRedmine(RedmineSuite):
    """Nothing here differs from the real server."""
