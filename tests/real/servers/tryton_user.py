"""A person at Tryton's own client: what a bookkeeper does in wizards, which the REST API has no word for."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.real.servers.base import RealServer

MONTHLY = {"name": "Monthly", "rules": [["create", [{"freq": "monthly", "interval": 1}]]]}


class TrytonUser:
    """Speaks JSON-RPC in a session, as Tryton's client does."""

    def __init__(self, server: RealServer) -> None:
        self._url = f"{server.base_url}/rpc/"
        self._headers = {"Content-Type": "application/json"}
        login, password = server.facts["login"], server.facts["password"]
        # A session, since checking a password anew costs Tryton a good part of a second per call.
        user_id, token, *_ = self._post("common.db.login", [login, {"password": password}, "en"])
        session = base64.b64encode(f"{login}:{user_id}:{token}".encode()).decode()
        self._headers["Authorization"] = f"Session {session}"
        self._context = {"company": server.facts["company"]}
        self._accounts = {kind: account["id"] for kind, account in server.facts["accounts"].items()}

    def rpc(self, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """The result of one call. Raises RuntimeError with what the server said."""
        return self._post(method, [*params, {**self._context, **(context or {})}])

    def _post(self, method: str, params: list[Any]) -> Any:
        body = {"id": 1, "method": method, "params": params}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), self._headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
                answer = json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method}: {error.code} {error.read().decode()}") from error
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def create(self, model: str, values: dict[str, Any]) -> int:
        return int(self.rpc(f"model.{model}.create", [values])[0])

    def write(self, model: str, record_id: int, values: dict[str, Any]) -> None:
        self.rpc(f"model.{model}.write", [record_id], values)

    def make_parties(self, *, name: str, email: str = "") -> int:
        contacts = [["create", [{"type": "email", "value": email}]]] if email else []
        return self.create(
            "party.party", {"name": name, "addresses": [["create", [{}]]], "contact_mechanisms": contacts}
        )

    def make_employees(self, *, name: str, email: str) -> int:
        party = self.make_parties(name=name, email=email)
        return self.create("company.employee", {"party": party, "company": self._context["company"]})

    def make_projects(self, *, name: str, party: int) -> int:
        values = {"name": name, "type": "project", "party": party, "timesheet_available": True}
        return self.create("project.work", {**values, **self._context})

    def make_tasks(self, *, name: str, project: int, effort_seconds: int) -> int:
        effort = {"__class__": "timedelta", "seconds": effort_seconds}
        values = {
            "name": name,
            "type": "task",
            "parent": project,
            "effort_duration": effort,
            "timesheet_available": True,
        }
        return self.create("project.work", {**values, **self._context})

    def make_timesheet_lines(
        self, *, employee: int, work: int, date: str, duration_seconds: int, description: str
    ) -> int:
        """`work` is the project or task."""
        found = self.rpc("model.timesheet.work.search", [["origin", "=", f"project.work,{work}"]], 0, 1, None)
        values = {"employee": employee, "work": found[0], "date": tagged_date(date), "description": description}
        duration = {"__class__": "timedelta", "seconds": duration_seconds}
        return self.create("timesheet.line", {**values, "duration": duration, **self._context})

    def make_invoices(self, *, party: int, lines: list[dict[str, str]], reference: str, post: bool = True) -> int:
        """In the company's currency, without tax, dated the day it is posted."""
        address = self.rpc("model.party.address.search", [["party", "=", party]], 0, 1, None)[0]
        company = self.rpc("model.company.company.read", [self._context["company"]], ["currency"])[0]
        journal = self.rpc("model.account.journal.search", [["type", "=", "revenue"]], 0, 1, None)[0]
        shared = {"currency": company["currency"], **self._context}
        rows = [
            {
                "type": "line", "account": self._accounts["revenue"], "description": line["description"], **shared,
                "quantity": float(line["quantity"]),
                "unit_price": {"__class__": "Decimal", "decimal": line["unit_price"]},
            }
            for line in lines
        ]  # fmt: skip
        values = {
            "type": "out", "party": party, "invoice_address": address, "journal": journal, "reference": reference,
            "account": self._accounts["receivable"], "lines": [["create", rows]], **shared,
        }  # fmt: skip
        invoice = self.create("account.invoice", values)
        if post:
            self.rpc("model.account.invoice.post", [invoice])
        return invoice

    def make_quotes(self, *, party: int, description: str, lines: list[dict[str, str]]) -> int:
        """A draft, of positions without a product."""
        rows = [
            {
                "type": "line", "description": line["description"], "quantity": float(line["quantity"]),
                "unit_price": {"__class__": "Decimal", "decimal": line["unit_price"]},
            }
            for line in lines
        ]  # fmt: skip
        values = {"party": party, "currency": self._currency(), "description": description, **self._context}
        return self.create("sale.sale", {**values, "lines": [["create", rows]]})

    def make_contracts(self, *, party: int, description: str, start_date: str, end_date: str) -> int:
        """A draft, billed monthly."""
        rules = "model.sale.subscription.recurrence.rule.set"
        found = self.rpc(f"{rules}.search", [], 0, 1, None) or self.rpc(f"{rules}.create", [MONTHLY])
        values = {
            "party": party, "currency": self._currency(), "description": description, "invoice_recurrence": found[0],
            "start_date": tagged_date(start_date), "end_date": tagged_date(end_date),
        }  # fmt: skip
        return self.create("sale.subscription", {**values, **self._context})

    def _currency(self) -> int:
        company = self.rpc("model.company.company.read", [self._context["company"]], ["currency"])[0]
        return int(company["currency"])

    def make_payments(self, *, invoice: int, amount: str) -> int:
        self.pay_invoice(invoice, Decimal(amount))
        lines = self.rpc("model.account.invoice.read", [invoice], ["payment_lines"])[0]["payment_lines"]
        return int(max(lines))

    def pay_invoice(self, invoice_id: int, amount: Decimal) -> None:
        """Register a customer's payment of today with the "Pay" wizard; less than what is due stays a partial payment."""
        here = {"active_model": "account.invoice", "active_id": invoice_id, "active_ids": [invoice_id]}
        session, state, _end = self.rpc("wizard.account.invoice.pay.create", context=here)
        shown = self.rpc("wizard.account.invoice.pay.execute", session, {}, state, context=here)["view"]
        method = self.rpc("model.account.invoice.payment.method.search", [], 0, 1, None)[0]
        start = {
            **{name: shown["defaults"][name] for name in ("payee", "company", "currency", "invoice_account")},
            "amount": {"__class__": "Decimal", "decimal": str(amount)},
            "date": tagged_date(datetime.now(UTC).date().isoformat()),
            "payment_method": method,
        }
        answer = self.rpc("wizard.account.invoice.pay.execute", session, {"start": start}, "choice", context=here)
        if "view" in answer:
            ask = {"type": "partial", "amount": start["amount"], "invoice": invoice_id, "company": start["company"]}
            ask["currency"] = start["currency"]
            self.rpc("wizard.account.invoice.pay.execute", session, {"start": start, "ask": ask}, "pay", context=here)
        self.rpc("wizard.account.invoice.pay.delete", session, context=here)


def tagged_date(text: str) -> dict[str, Any]:
    year, month, day = (int(part) for part in text.split("-"))
    return {"__class__": "date", "year": year, "month": month, "day": day}
