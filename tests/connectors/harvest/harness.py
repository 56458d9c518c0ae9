"""A simulated Harvest account, as the conformance suite works with it."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any

from apps.connectors.vendors.harvest import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import TimedHarness

KINDS = {"tasks": "task_assignments", "assignments": "user_assignments"}
_numbers = itertools.count(1)


class HarvestHarness(TimedHarness):
    vendor = "harvest"
    connector_type = CONNECTOR
    abilities = frozenset({"faults"})
    # Stamps have whole seconds.
    unseen_seconds = 1
    kinds = KINDS
    create_calls = {
        "clients": ("POST", "/v2/clients"),
        "contacts": ("POST", "/v2/contacts"),
        "projects": ("POST", "/v2/projects"),
        "tasks": ("POST", "/v2/projects"),
        "assignments": ("POST", "/v2/projects"),
        "time_entries": ("POST", "/v2/time_entries"),
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self._known: dict[str, int] = {}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "account_id": "12345"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "good-token-1234567890" if valid else "wrong-token-0987654321"}

    def known(self, kind: str) -> int:
        """One object to refer to."""
        if kind not in self._known:
            self._known[kind] = self.made(kind)["id"]
        return self._known[kind]

    def made(self, kind: str, **more: Any) -> dict[str, Any]:
        """One more object, and whatever it belongs to."""
        found: dict[str, Any] = self.control.create(kind, {**self.values(kind), **more})
        return found

    def values(self, kind: str) -> dict[str, Any]:
        number = next(_numbers)
        name = {"name": f"{kind} {number}"}
        if kind in ("clients", "tasks"):
            return name
        if kind == "users":
            return {"first_name": "Person", "last_name": f"N{number}", "email": f"p{number}@example.org"}
        if kind == "contacts":
            email = f"c{number}@example.org"
            return {"client_id": self.known("clients"), "first_name": "Ada", "last_name": f"N{number}", "email": email}
        if kind == "projects":
            plan = {"is_billable": True, "bill_by": "Tasks", "budget_by": "none"}
            return {**name, **plan, "client_id": self.known("clients")}
        if kind == "invoices":
            return {"client_id": self.known("clients"), "number": f"{number}", "amount": 12.5, "due_amount": 12.5}
        return {"project_id": self.known("projects"), **self.parts(kind)}

    def parts(self, kind: str) -> dict[str, Any]:
        if kind == "task_assignments":
            return {"task_id": self.made("tasks")["id"]}
        if kind == "user_assignments":
            return {"user_id": self.made("users")["id"]}
        work = {"user_id": self.known("users"), "spent_date": "2026-11-20"}
        if kind == "expenses":
            return {**work, "total_cost": 33.35}
        return {**work, "task_id": self.known("tasks"), "hours": 1.25}

    def seed_one(self, stream: str) -> str:
        made = self.made(self.kind(stream))
        if stream in KINDS:
            return f"{made['project']['id']}-{made['id']}"
        return str(made["id"])

    def edit(self, stream: str, external_id: str) -> None:
        super().edit(stream, external_id.rpartition("-")[2])

    def remove(self, stream: str, external_id: str) -> bool:
        return super().remove(stream, external_id.rpartition("-")[2])

    def edited(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        names = {"clients": "name", "projects": "name", "contacts": "last_name", "users": "last_name"}
        if stream in KINDS:
            return {"is_active": False}
        return {names.get(stream, "notes"): f"Edited {number}"}

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "clients":
            return {"name": f"Written {number}", "currency": "USD", "is_active": None}
        if sink == "contacts":
            return {"client_id": self.known("clients"), "first_name": "Ada", "email": f"w{number}@example.org"}
        if sink == "projects":
            named = {"client_id": self.known("clients"), "name": f"Written {number}", "code": f"W{number}"}
            return {**named, "is_active": True, "budget": "1500.50", "starts_on": "2026-11-01"}
        if sink == "tasks":
            return {"project_id": self.known("projects"), "name": f"Written {number}", "is_active": True}
        if sink == "assignments":
            user = self.made("users")["id"]
            return {"project_id": self.known("projects"), "user_id": user, "is_active": True, "hourly_rate": "120.50"}
        return {**self.booked, "spent_date": "2026-11-20", "hours": "1.25", "notes": f"Work {number}"}

    @cached_property
    def booked(self) -> dict[str, Any]:
        """A project with a task and a person on it."""
        project, person = self.known("projects"), self.known("users")
        task = self.made("task_assignments", task_id=self.known("tasks"))
        self.made("user_assignments", user_id=person)
        return {"project_id": project, "task": f"{project}-{task['id']}", "user_id": person}

    def change(self, sink: str) -> dict[str, Any]:
        if sink in KINDS:
            return {"project_id": self.known("projects"), "is_active": False}
        return self.payload(sink)

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        bad: dict[str, dict[str, Any]] = {
            "contacts": {"first_name": ""},
            "assignments": {"user_id": 999999},
            "time_entries": {"spent_date": ""},
        }
        return {**self.payload(sink), **bad.get(sink, {"name": ""})}
