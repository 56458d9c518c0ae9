"""A person at Tryton's own client: what a bookkeeper does in wizards, which the REST API has no word for."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any

from tests.real.servers.base import RealServer


class TrytonUser:
    """Speaks JSON-RPC with the person's own password, as Tryton's client does."""

    def __init__(self, server: RealServer) -> None:
        pair = f"{server.facts['login']}:{server.facts['password']}"
        self._url = f"{server.base_url}/rpc/"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/json",
        }
        self._context = {"company": server.facts["company"]}

    def rpc(self, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """The result of one call. Raises RuntimeError with what the server said."""
        body = {"id": 1, "method": method, "params": [*params, {**self._context, **(context or {})}]}
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

    def pay_invoice(self, invoice_id: int, amount: Decimal, *, year: int, month: int, day: int) -> None:
        """Register a customer's payment with the "Pay" wizard; less than what is due stays a partial payment."""
        here = {"active_model": "account.invoice", "active_id": invoice_id, "active_ids": [invoice_id]}
        session, state, _end = self.rpc("wizard.account.invoice.pay.create", context=here)
        shown = self.rpc("wizard.account.invoice.pay.execute", session, {}, state, context=here)["view"]
        method = self.rpc("model.account.invoice.payment.method.search", [], 0, 1, None)[0]
        start = {
            **{name: shown["defaults"][name] for name in ("payee", "company", "currency", "invoice_account")},
            "amount": {"__class__": "Decimal", "decimal": str(amount)},
            "date": {"__class__": "date", "year": year, "month": month, "day": day},
            "payment_method": method,
        }
        answer = self.rpc("wizard.account.invoice.pay.execute", session, {"start": start}, "choice", context=here)
        if "view" in answer:
            ask = {"type": "partial", "amount": start["amount"], "invoice": invoice_id, "company": start["company"]}
            ask["currency"] = start["currency"]
            self.rpc("wizard.account.invoice.pay.execute", session, {"start": start, "ask": ask}, "pay", context=here)
        self.rpc("wizard.account.invoice.pay.delete", session, context=here)
