"""What the conformance suite needs done at a Tryton; simulator and real server differ only in how a person works there."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import Any

from apps.connectors.sdk.conformance import Harness
from apps.connectors.vendors.tryton import CONNECTOR
from tests.connectors.harness import SandboxHarness
from tests.connectors.tryton.dates import invoice_day

_numbers = itertools.count(1)


class TrytonWork(Harness):
    """Payloads and seeds in terms of `make`, which acts as a person does."""

    connector_type = CONNECTOR

    @abstractmethod
    def make(self, kind: str, **data: Any) -> str:
        """Create a record as a person does; its id."""

    def seed(self, stream: str, count: int) -> list[str]:
        return [self._seed_one(stream) for _ in range(count)]

    def _seed_one(self, stream: str) -> str:
        number = next(_numbers)
        if stream == "parties":
            return self.make("parties", name=f"Party {number}", email=f"p{number}@example.org")
        if stream == "employees":
            return self.make("employees", name=f"Person {number}", email=f"e{number}@example.org")
        if stream == "projects":
            return self.make("projects", name=f"Project {number}", party=self.party)
        if stream == "tasks":
            return self.make("tasks", name=f"Task {number}", project=self.project, effort_seconds=3600)
        if stream == "timesheet_lines":
            return self.make(
                "timesheet_lines", employee=self.employee, work=self.project, date="2026-11-20", duration_seconds=900,
                description=f"Work {number}",
            )  # fmt: skip
        if stream == "invoices":
            return self._invoice(number, post=False)
        if stream == "quotes":
            line = {"description": f"Line {number}", "quantity": "2", "unit_price": "150.00"}
            return self.make("quotes", party=self.party, description=f"Quote {number}", lines=[line])
        if stream == "contracts":
            dates = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
            return self.make("contracts", party=self.party, description=f"Contract {number}", **dates)
        return self.make("payments", invoice=self.invoice, amount="1.00")

    def _invoice(self, number: int, *, post: bool) -> str:
        line = {"description": f"Line {number}", "quantity": "2", "unit_price": "150.00"}
        return self.make("invoices", party=self.party, lines=[line], reference=f"S-{number}", post=post)

    # One of each to hang the others on.

    @property
    def party(self) -> int:
        return self._once("parties")

    @property
    def employee(self) -> int:
        return self._once("employees")

    @property
    def project(self) -> int:
        return self._once("projects")

    @property
    def invoice(self) -> int:
        """A posted one; payments of it stay partial."""
        known: dict[str, int] = self.__dict__.setdefault("_known", {})
        if "posted" not in known:
            known["posted"] = int(self._invoice(next(_numbers), post=True))
        return known["posted"]

    def _once(self, stream: str) -> int:
        known: dict[str, int] = self.__dict__.setdefault("_known", {})
        if stream not in known:
            known[stream] = int(self._seed_one(stream))
        return known[stream]

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "parties":
            return {"name": f"Written {number}", "email": f"w{number}@example.org"}
        if sink == "projects":
            return {"name": f"Written {number}", "party": str(self.party), "done": False}
        if sink == "tasks":
            return {"name": f"Written {number}", "parent": str(self.project), "done": False, "effort_seconds": 7200}
        if sink == "timesheet_lines":
            return {
                "employee": str(self.employee), "project": str(self.project), "task": None, "date": "2026-11-20",
                "duration_seconds": 2700, "description": f"Written {number}",
            }  # fmt: skip
        line = {"description": "Work", "quantity": "3.25", "unit_price": "150.00", "amount": "487.50"}
        return {
            "party": str(self.party), "status": "open", "reference": f"W-{number}",
            "issue_date": invoice_day().isoformat(), "due_date": None, "currency": "EUR", "tax": "0.00", "total": "487.50", "lines": [line],
        }  # fmt: skip

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        payload = self.payload(sink)
        if sink == "parties":
            return {**payload, "name": ""}
        if sink in ("projects", "tasks"):
            return {**payload, "party" if sink == "projects" else "parent": "999999"}
        if sink == "timesheet_lines":
            return {**payload, "employee": "999999"}
        return {**payload, "total": "487.51"}


class SimulatedTryton(TrytonWork, SandboxHarness):
    vendor = "tryton"
    abilities = frozenset({"faults"})
    create_calls = {
        name: ("POST", f"/rest/model/{model}/create")
        for name, model in {
            "parties": "party.party", "projects": "project.work", "tasks": "project.work",
            "timesheet_lines": "timesheet.line", "invoices": "account.invoice",
        }.items()
    }  # fmt: skip

    def make(self, kind: str, **data: Any) -> str:
        return str(self.control.create(kind, data)["id"])

    def edit(self, stream: str, external_id: str) -> None:
        field = {
            "timesheet_lines": "description",
            "invoices": "comment",
            "payments": "description",
            "quotes": "description",
            "contracts": "description",
        }.get(stream, "name")
        self.control.update(stream, external_id, {field: f"Edited {next(_numbers)}"})
