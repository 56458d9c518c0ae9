"""What the conformance suite needs done at a simulated Odoo of either version."""

from __future__ import annotations

import itertools
from typing import Any

from apps.connectors.vendors.odoo import CONNECTOR
from tests.connectors.harness import SandboxHarness

_numbers = itertools.count(1)
LOGIN = "integration@example.com"


class OdooHarness(SandboxHarness):
    """Odoo 19 over JSON-2; version 17 is reached over JSON-RPC."""

    vendor = "odoo"
    version = 19
    connector_type = CONNECTOR
    abilities = frozenset({"faults"})
    undone = {"payments": {"state": "canceled"}}

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        self.control.settings(version=self.version, database="northwind")
        self._known: dict[str, int] = {}

    def settings(self) -> dict[str, Any]:
        rpc = {"database": "northwind", "login": LOGIN} if self.version == 17 else {}
        return {"base_url": self.base_url, "product": "CONSULT", "expense_product": "TRAVEL", **rpc}

    def make(self, kind: str, **data: Any) -> int:
        return int(self.control.create(kind, data)["id"])

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(stream, [self.values(stream) for _ in range(count)])
        return [str(row["id"]) for row in made]

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        name = f"{stream} {number}"
        simple: dict[str, dict[str, Any]] = {
            "companies": {"name": name, "email": f"Info{number}@Example.org", "vat": f"DE{number}"},
            "employees": {"name": name, "work_email": f"e{number}@example.org"},
        }
        return simple[stream] if stream in simple else {"name": name, **self._related(stream)}

    def _related(self, stream: str) -> dict[str, Any]:
        """Values of objects that hang on others; one of each of those is made when it is first needed."""
        line = {"name": "Work", "quantity": 3.25, "price_unit": 150, "tax_ids": [1]}
        makers: dict[str, Any] = {
            "people": lambda: {"parent_id": self.one("companies"), "email": "dana@example.org"},
            "opportunities": lambda: {"partner_id": self.one("people"), "expected_revenue": 1200.5},
            "projects": lambda: {"partner_id": self.one("companies"), "date_start": "2026-11-01"},
            "tasks": lambda: {"project_id": self.one("projects"), "allocated_hours": 7.5},
            "milestones": lambda: {"project_id": self.one("projects"), "deadline": "2026-12-01"},
            "timesheets": lambda: {
                "project_id": self.one("projects"), "task_id": self.one("tasks"), "date": "2026-11-20",
                "employee_id": self.one("employees"), "unit_amount": 3.25,
            },
            "expenses": lambda: {
                "employee_id": self.one("employees"), "date": "2026-11-20", "total_amount_currency": 99.9,
                "product_id": 2,
            },
            "invoices": lambda: {
                "name": False, "partner_id": self.one("companies"), "post": True, "invoice_line_ids": [line],
            },
            "quotes": lambda: {
                "name": False, "partner_id": self.one("people"),
                "order_line": [{"name": "Work", "product_id": 1, "product_uom_qty": 2, "price_unit": 150}],
            },
            "payments": lambda: {"invoice": self.one("invoices"), "amount": 1.25},
        }  # fmt: skip
        found: dict[str, Any] = makers[stream]()
        return found

    def one(self, kind: str) -> int:
        if kind not in self._known:
            self._known[kind] = int(self.seed(kind, 1)[0])
        return self._known[kind]

    def edit(self, stream: str, external_id: str) -> None:
        field = {"employees": "work_email", "invoices": "ref", "quotes": "client_order_ref", "payments": "date"}
        value = "2026-11-21" if stream == "payments" else f"edited{next(_numbers)}@example.org"
        self.control.update(stream, external_id, {field.get(stream, "name"): value})

    def payload(self, sink: str) -> dict[str, Any]:
        name = f"Written {next(_numbers)}"
        line = {"description": name, "quantity": "3.25", "unit_price": "150.00"}
        document = {"lines": [line], "currency": "EUR", "status": "open", "tax": "0.00", "total": "487.50"}
        makers: dict[str, Any] = {
            "companies": lambda: {"name": name, "email": "w@example.org", "phone": None, "website": "example.org"},
            "people": lambda: {"name": name, "parent_id/.id": self.ref("companies")},
            "opportunities": lambda: {
                "name": name, "expected_revenue": "1200.50", "partner_id/.id": self.ref("people"), "stage": "won",
            },
            "projects": lambda: {"name": name, "partner_id/.id": self.ref("companies"), "open": True},
            "tasks": lambda: {"name": name, "project_id/.id": self.ref("projects"), "state": "1_done", "open": False},
            "employees": lambda: {"name": name, "work_email": "w@example.org", "active": True},
            "timesheets": lambda: {
                "name": name, "employee_id/.id": self.ref("employees"), "project_id/.id": self.ref("projects"),
                "task_id/.id": None, "date": "2026-11-20", "unit_amount": "0.75",
            },
            "milestones": lambda: {
                "name": name, "project_id/.id": self.ref("projects"), "deadline": "2026-12-01", "is_reached": False,
            },
            "invoices": lambda: {"partner_id/.id": self.ref("companies"), "ref": name, **document},
            "payments": lambda: {
                "invoice": self.ref("invoices"), "amount": "1.50", "date": "2026-11-20", "reference": name,
            },
            "expenses": lambda: {
                "name": name, "employee_id/.id": self.ref("employees"), "date": "2026-11-20",
                "total_amount_currency": "99.90", "currency_id": "EUR", "project": self.ref("projects"),
            },
            "quotes": lambda: {
                "partner_id/.id": self.ref("people"), "client_order_ref": name, "status": "draft", "state": None,
                "lines": [line],
            },
        }  # fmt: skip
        found: dict[str, Any] = makers[sink]()
        return found

    def ref(self, kind: str) -> str:
        return str(self.one(kind))

    def change(self, sink: str) -> dict[str, Any]:
        payload = self.payload(sink)
        return {name: value for name, value in payload.items() if name != "lines"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        payload = self.payload(sink)
        references = [name for name in payload if name.endswith("/.id")]
        if sink == "payments":
            return {**payload, "invoice": "999999"}
        if references:
            return {**payload, references[0]: "999999"}
        return {**payload, "name": ""}

    def lose_answer(self, sink: str) -> None:
        method = "action_create_payments" if sink == "payments" else "load"
        self.control.faults([{"kind": "timeout_after_commit", "match": self.call_of(sink, method)}])

    def call_of(self, sink: str, method: str) -> dict[str, str]:
        model = "account.payment.register" if sink == "payments" else MODELS[sink]
        return {"method": "POST", "path_prefix": f"/json/2/{model}/{method}"}


class Odoo17Harness(OdooHarness):
    version = 17

    def call_of(self, sink: str, method: str) -> dict[str, str]:
        return {"method": "POST", "body": f'"{method}"'}


MODELS = {
    "companies": "res.partner", "people": "res.partner", "opportunities": "crm.lead", "projects": "project.project",
    "tasks": "project.task", "employees": "hr.employee", "timesheets": "account.analytic.line",
    "milestones": "project.milestone", "invoices": "account.move", "expenses": "hr.expense", "quotes": "sale.order",
}  # fmt: skip
