"""A simulated Zendesk, as the conformance suite works with it."""

from __future__ import annotations

import itertools
from typing import Any

from apps.connectors.vendors.zendesk import CONNECTOR
from tests.connectors.harness import TimedHarness

_numbers = itertools.count(1)


class ZendeskHarness(TimedHarness):
    vendor = "zendesk"
    connector_type = CONNECTOR
    # Exports leave out the last minute, and stamps have whole seconds.
    unseen_seconds = 62
    kinds = {"contacts": "users", "agents": "users"}
    create_calls = {
        "organizations": ("POST", "/api/v2/organizations/create_or_update"),
        "contacts": ("POST", "/api/v2/users"),
        "tickets": ("POST", "/api/v2/tickets"),
    }

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "email": "owner@example.org"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        token = "good-token-1234567890" if valid else "wrong-token-0987654321"
        return {"api_token": token, "email": "owner@example.org"}

    def seed_one(self, stream: str) -> str:
        return str(self.made(stream)["id"])

    def made(self, stream: str, **more: Any) -> dict[str, Any]:
        """One more object."""
        found: dict[str, Any] = self.control.create(self.kind(stream), {**self.values(stream), **more})
        return found

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "organizations":
            return {"name": f"Organization {number}", "domain_names": [f"o{number}.example"]}
        if stream == "tickets":
            return {"subject": f"Ticket {number}", "description": "It does not work", "priority": "high"}
        role = "agent" if stream == "agents" else "end-user"
        return {"name": f"Person {number}", "email": f"p{number}@example.org", "role": role}

    def edited(self, stream: str) -> dict[str, Any]:
        return {"subject" if stream == "tickets" else "name": f"Edited {next(_numbers)}"}

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "tickets":
            return {"subject": f"Written {number}", "description": "Help", "priority": "low", "status": "open"}
        return {"name": f"Written {number}", "email": f"w{number}@example.org"} if sink == "contacts" else {
            "name": f"Written {number}", "domain_names": [f"w{number}.example"],
        }  # fmt: skip

    def change(self, sink: str) -> dict[str, Any]:
        return {"subject": "Changed", "status": "solved"} if sink == "tickets" else {"name": f"C {next(_numbers)}"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        return {**self.payload(sink), "priority": "whenever"} if sink == "tickets" else {"name": ""}
