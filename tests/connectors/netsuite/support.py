"""The harness of the conformance suite, and a connector over the simulator for the rest."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import partial
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.netsuite import CONNECTOR
from apps.connectors.vendors.netsuite.manifest import MANIFEST
from tests.connectors import erp
from tests.connectors.erp import euros, made, write
from tests.connectors.harness import SandboxHarness

__all__ = ["euros", "made", "mapped", "payload", "write"]
_numbers = itertools.count(1)
RECORDS = {
    "customers": "customer", "contacts": "contact", "projects": "job", "tasks": "projectTask",
    "employees": "employee", "time_bills": "timeBill", "invoices": "invoice", "payments": "customerPayment",
    "expenses": "expenseReport", "quotes": "estimate",
}  # fmt: skip
JOBS = ("time_bills", "invoices", "quotes", "payments", "expenses")
EDITS = {
    "customers": "phone", "contacts": "phone", "projects": "companyName", "tasks": "title", "employees": "email",
}  # fmt: skip


class NetSuiteHarness(SandboxHarness):
    vendor = "netsuite"
    connector_type = CONNECTOR
    abilities = frozenset({"faults"})
    undone = {"payments": {"voided": "T"}}

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        self._known: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "account": "1234567", "item": "8", "expense_category": "4"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": "ns-token-1234567890" if valid else "wrong-token-0987654321"}

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(stream, [self.values(stream) for _ in range(count)])
        return [str(row["id"]) for row in made]

    def one(self, kind: str) -> str:
        if kind not in self._known:
            self._known[kind] = self.seed(kind, 1)[0]
        return self._known[kind]

    def ref(self, kind: str) -> dict[str, str]:
        return {"id": self.one(kind)}

    def values(self, stream: str) -> dict[str, Any]:
        name = f"{stream} {next(_numbers)}"
        makers: dict[str, Any] = {
            "customers": lambda: {"companyName": name, "email": "Info@Example.org"},
            "contacts": lambda: {"entityId": name, "firstName": "Dana", "company": self.ref("customers")},
            "projects": lambda: {"companyName": name, "parent": self.ref("customers"), "startDate": "2026-11-01"},
            "tasks": lambda: {"title": name, "project": self.ref("projects"), "estimatedWork": 7.5},
            "employees": lambda: {"entityId": name, "firstName": "Dana", "lastName": "Reyes", "email": "d@example.org"},
            "time_bills": lambda: {
                "employee": self.ref("employees"), "customer": self.ref("projects"), "hours": "3:15",
                "tranDate": "2026-11-20", "memo": name, "isBillable": True,
            },
            "invoices": lambda: {
                "entity": self.ref("customers"), "dueDate": "2026-12-20",
                "item": {"items": [{"item": {"id": "8"}, "description": name, "quantity": 3.25, "rate": 150.0}]},
            },
            "quotes": lambda: {
                "entity": self.ref("customers"), "title": name, "dueDate": "2026-12-20",
                "item": {"items": [{"item": {"id": "8"}, "description": name, "quantity": 2, "rate": 150.0}]},
            },
            "payments": lambda: {
                "customer": self.ref("customers"), "payment": 1.25, "memo": name,
                "apply": {"items": [{"doc": self.ref("invoices"), "apply": True, "amount": 1.25}]},
            },
            "expenses": lambda: {
                "entity": self.ref("employees"),
                "expense": {"items": [{
                    "category": {"id": "4"}, "amount": 59.9, "expenseDate": "2026-11-20", "memo": name,
                    "customer": self.ref("projects"),
                }]},
            },
        }  # fmt: skip
        found: dict[str, Any] = makers[stream]()
        return found

    def edit(self, stream: str, external_id: str) -> None:
        self.control.update(stream, external_id, {EDITS.get(stream, "memo"): f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        name = f"Written {next(_numbers)}"
        makers: dict[str, Any] = {
            "customers": lambda: {"companyName": name, "email": None, "phone": "+49 1", "isInactive": False},
            "contacts": lambda: {"entityId": name, "firstName": "Dana", "company": self.one("customers")},
            "projects": lambda: {"companyName": name, "parent": self.one("customers"), "isInactive": False},
            "tasks": lambda: {"title": name, "project": self.one("projects"), "status": "PROGRESS"},
            "employees": lambda: {"entityId": name, "email": "w@example.org", "isInactive": False},
            "time_bills": lambda: {
                "employee": self.one("employees"), "customer": self.one("projects"), "tranDate": "2026-11-20",
                "hours": "0:45", "memo": name, "isBillable": False,
            },
            "invoices": lambda: {
                "entity": self.one("customers"), "status": "open", "currency": "EUR", "total": "487.50",
                "lines": [{"description": name, "quantity": "3.25", "unit_price": "150.00"}],
            },
            "quotes": lambda: {
                "entity": self.one("customers"), "title": name, "dueDate": "2026-12-20", "currency": "EUR",
                "total": "300.00", "lines": [{"description": name, "quantity": "2", "unit_price": "150.00"}],
            },
            "payments": lambda: {"invoice": self.one("invoices"), "amount": "1.50", "tranDate": "2026-11-20"},
            "expenses": lambda: {
                "employee": self.one("employees"), "project": self.one("projects"), "amount": "59.90",
                "date": "2026-11-20", "memo": name, "billable": True,
            },
        }  # fmt: skip
        found: dict[str, Any] = makers[sink]()
        return found

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        payload = self.payload(sink)
        bad = {
            "customers": {"companyName": ""}, "employees": {"entityId": ""}, "contacts": {"company": "999999"},
            "projects": {"parent": "999999"}, "tasks": {"project": "999999"}, "time_bills": {"employee": "999999"},
            "invoices": {"entity": "999999"}, "quotes": {"total": "1.00"}, "payments": {"invoice": "999999"}, "expenses": {"employee": "999999"},
        }  # fmt: skip
        return {**payload, **bad[sink]}

    def lose_answer(self, sink: str) -> None:
        method = "POST" if sink in JOBS else "PUT"
        path = f"/services/rest/record/v1/{RECORDS[sink]}"
        self.control.fault("timeout_after_commit", method=method, path_prefix=path)

    def connect(self, **settings: Any) -> CONNECTOR:
        connector = CONNECTOR(
            ConnectionContext(
                settings={**self.settings(), **settings},
                credentials=self.credentials(valid=True),
                now=lambda: datetime.now(UTC),
                allow_private=True,
            )
        )
        connector.wait = lambda seconds: None
        return connector


mapped = partial(erp.mapped, MANIFEST)
payload = partial(erp.payload, MANIFEST)
