"""A simulated ConnectWise PSA, as the conformance suite works with it."""

from __future__ import annotations

import itertools
from typing import Any

from apps.connectors.vendors.connectwise import CONNECTOR
from sandbox.testing import RunningSandbox
from tests.connectors.harness import TimedHarness

API = "/v4_6_release/apis/3.0"
_numbers = itertools.count(1)


class ConnectWiseHarness(TimedHarness):
    vendor = "connectwise"
    connector_type = CONNECTOR
    # Stamps have whole seconds.
    unseen_seconds = 1
    kinds = {"tasks": "project_tickets", "tickets": "service_tickets"}
    create_calls = {
        "companies": ("POST", f"{API}/company/companies"),
        "contacts": ("POST", f"{API}/company/contacts"),
        "projects": ("POST", f"{API}/project/projects"),
        "tasks": ("POST", f"{API}/project/tickets"),
        "tickets": ("POST", f"{API}/service/tickets"),
        "time_entries": ("POST", f"{API}/time/entries"),
    }

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self._known: dict[str, int] = {}
        self.more: dict[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        site = {"base_url": self.base_url, "company_id": "acme", "public_key": "pub-1", "client_id": "client-1"}
        return {**site, "currency": "EUR", "time_zone": "Europe/Berlin", **self.__dict__.get("more", {})}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"private_key": "good-key-1234567890" if valid else "wrong-key-0987654321"}

    def known(self, stream: str) -> int:
        """One object to refer to."""
        if stream not in self._known:
            self._known[stream] = self.made(stream)["id"]
        return self._known[stream]

    def made(self, stream: str, **more: Any) -> dict[str, Any]:
        """One more object, and whatever it belongs to."""
        found: dict[str, Any] = self.control.create(self.kind(stream), {**self.values(stream), **more})
        return found

    def seed_one(self, stream: str) -> str:
        return str(self.made(stream)["id"])

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        company = {"company": {"id": self.known("companies")}} if stream not in ("companies", "members") else {}
        if stream == "companies":
            return {"name": f"Company {number}", "identifier": f"company{number}", "site": {"name": "Main"}}
        if stream == "contacts":
            items = [{"value": f"p{number}@example.org", "communicationType": "Email", "defaultFlag": True}]
            return {**company, "firstName": "Ada", "lastName": f"N{number}", "communicationItems": items}
        if stream == "members":
            return {"identifier": f"member{number}", "firstName": "Omar", "lastName": f"N{number}"}
        if stream == "projects":
            plan = {"estimatedStart": "2026-11-01T00:00:00Z", "estimatedEnd": "2027-01-31T00:00:00Z"}
            board = {"board": {"name": "Projects"}, "billingMethod": "ActualRates"}
            return {**company, "name": f"Project {number}", **board, **plan}
        if stream == "tasks":
            return {"summary": f"Task {number}", "project": {"id": self.known("projects")}, "budgetHours": 12.5}
        if stream == "tickets":
            return {**company, "summary": f"Ticket {number}", "board": {"name": "Service"}}
        work = {
            "member": {"id": self.known("members")},
            "chargeToId": self.known("tasks"),
            "chargeToType": "ProjectTicket",
        }
        if stream == "expenses":
            return {**work, "date": "2026-11-20T00:00:00Z", "amount": 33.5}
        return {**work, "timeStart": "2026-11-20T09:00:00Z", "actualHours": 1.25}

    def edited(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        names = {"contacts": "lastName", "members": "lastName", "tasks": "summary", "tickets": "summary"}
        return {names.get(stream, "name" if stream in ("companies", "projects") else "notes"): f"Edited {number}"}

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        company = {"company": str(self.known("companies"))} if sink != "companies" else {}
        payloads: dict[str, dict[str, Any]] = {
            "companies": {"name": f"Written {number}", "phoneNumber": "+49 1"},
            "contacts": {**company, "firstName": "Ada", "email": f"w{number}@example.org", "phone": "+49 2"},
            "projects": {**company, "name": f"Written {number}", "closed": False, "estimatedStart": "2026-11-01"},
            "tickets": {**company, "summary": f"Written {number}", "description": "Help", "closedFlag": False},
        }
        if sink in payloads:
            return payloads[sink]
        if sink == "tasks":
            project = {"project": str(self.known("projects"))}
            return {**project, "summary": f"Written {number}", "budgetHours": "12.5", "closedFlag": False}
        return {
            "task": str(self.known("tasks")), "hours": "1.25",
            "member": str(self.known("members")), "work_date": "2026-11-20", "billable": True, "notes": f"Work {number}",
        }  # fmt: skip

    def change(self, sink: str) -> dict[str, Any]:
        closing = {"projects": {"closed": True}, "tasks": {"closedFlag": True}, "tickets": {"closedFlag": True}}
        return {**self.payload(sink), **closing.get(sink, {"billable": False} if sink == "time_entries" else {})}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        bad: dict[str, dict[str, Any]] = {
            "contacts": {"firstName": ""}, "tasks": {"summary": ""}, "tickets": {"summary": ""},
            "time_entries": {"member": "999999"},
        }  # fmt: skip
        return {**self.payload(sink), **bad.get(sink, {"name": ""})}
