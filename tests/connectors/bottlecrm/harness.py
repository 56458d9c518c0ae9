"""The work of BottleCRM's people, whether at the simulator or at a real server."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import Any

from apps.connectors.sdk.conformance import Harness
from apps.connectors.vendors.bottlecrm import CONNECTOR

_numbers = itertools.count(1)


class BottleWork(Harness):
    connector_type = CONNECTOR
    unknown_id = "00000000-0000-4000-8000-000000000000"

    @abstractmethod
    def make(self, kind: str, data: dict[str, Any]) -> str:
        """Create a record as a person does; its id."""

    @abstractmethod
    def change_record(self, kind: str, external_id: str, data: dict[str, Any]) -> None:
        """Change a record as a person does."""

    def seed(self, stream: str, count: int) -> list[str]:
        return [self.make(stream, self.values(stream)) for _ in range(count)]

    def values(self, stream: str) -> dict[str, Any]:
        number = next(_numbers)
        if stream == "accounts":
            return {"name": f"Account {number}", "website": f"https://www.c{number}.example", "phone": "+4930123456"}
        if stream == "contacts":
            return {"first_name": "Ada", "last_name": f"L{number}", "email": f"a{number}@example.org"}
        if stream == "quotes":
            line = {"name": "Consulting", "quantity": "2.5", "unit_price": "100.00"}
            (account,), dates = self.seed("accounts", 1), {"issue_date": "2026-11-20", "expiry_date": "2026-12-20"}
            return {"title": f"Quote {number}", "account_id": account, "currency": "EUR", **dates, "line_items": [line]}
        return {"name": f"Deal {number}", "amount": f"{number}.50", "currency": "EUR", "closed_on": "2026-12-31"}

    def edit(self, stream: str, external_id: str) -> None:
        name = {"contacts": "last_name", "quotes": "title"}.get(stream, "name")
        self.change_record(stream, external_id, {name: f"Edited {next(_numbers)}"})

    def payload(self, sink: str) -> dict[str, Any]:
        values = self.values(sink)
        if sink == "opportunities":
            values |= {"account": self.seed("accounts", 1)[0], "contact": self.seed("contacts", 1)[0]}
            values |= {"stage_kind": "won", "cf_payment_status": "invoiced", "cf_invoiced_amount": 12.5}
        return values

    def change(self, sink: str) -> dict[str, Any]:
        if sink == "opportunities":
            return {"cf_payment_status": "paid", "cf_paid_amount": 12.5, "cf_invoice_number": "INV-1"}
        return {"phone": "+4930654321"}

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        bad = {"accounts": {"name": ""}, "contacts": {"email": "nope"}, "opportunities": {"amount": "a lot"}}
        return {**self.values(sink), **bad[sink]}
