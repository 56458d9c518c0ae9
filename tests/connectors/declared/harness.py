"""The shipped example of a connector written down, against a simulated Kimai server."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from apps.connectors.sdk.declared import connector_type, parse_definition
from sandbox.testing import RunningSandbox
from tests.connectors.harness import SandboxHarness

SOURCE = Path("docs/examples/connectors/kimai.yaml").read_text(encoding="utf-8")
KIMAI = connector_type("custom-kimai", parse_definition(SOURCE))
_numbers = itertools.count(1)


class KimaiHarness(SandboxHarness):
    vendor = "kimai"
    connector_type = KIMAI
    abilities = frozenset({"faults"})
    kinds = {"people": "users"}
    create_calls = {"customers": ("POST", "/api/customers"), "projects": ("POST", "/api/projects")}

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self._customer = str(self._make("customers"))
        self._project = str(self._make("projects"))
        self._person = str(self._make("people"))

    def seed(self, stream: str, count: int) -> list[str]:
        return [str(self._make(stream)) for _ in range(count)]

    def edit(self, stream: str, external_id: str) -> None:
        change = {"description": "edited"} if stream == "timesheets" else {"visible": False}
        self.control.update(self.kind(stream), external_id, change)

    def payload(self, sink: str) -> dict[str, Any]:
        number = next(_numbers)
        if sink == "projects":
            return {"name": f"Written {number}", "customer": int(self._customer), "visible": True}
        home = {"currency": "EUR", "country": "DE", "timezone": "Europe/Berlin"}
        return {"name": f"Written {number}", **home, "visible": True}

    def bad_payload(self, sink: str) -> dict[str, Any]:
        return {**self.payload(sink), "name": ""}

    def _make(self, stream: str) -> int:
        number = next(_numbers)
        values: dict[str, dict[str, Any]] = {
            "customers": {"name": f"Customer {number}", "country": "DE", "currency": "EUR", "timezone": "Europe/Berlin"},
            "projects": {"name": f"Project {number}", "customer": int(getattr(self, "_customer", 1)), "start": "2026-11-01"},
            "people": {"username": f"person{number}"},
            "timesheets": {
                "begin": "2026-11-20T09:00:00+0100", "end": "2026-11-20T10:30:00+0100", "duration": 5400,
                "project": int(getattr(self, "_project", 1)), "user": int(getattr(self, "_person", 1)),
            },
        }  # fmt: skip
        return int(self.control.create(self.kind(stream), values[stream])["id"])
