"""The harness of the conformance suite, and a connector over the simulator for the rest."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import partial
from typing import Any

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.vendors.business_central import CONNECTOR
from apps.connectors.vendors.business_central.manifest import MANIFEST
from tests.connectors import erp
from tests.connectors.erp import euros, made, write
from tests.connectors.harness import SandboxHarness

TOKEN = "bc-token-1234567890"  # noqa: S105 - of a simulated vendor
__all__ = ["euros", "made", "mapped", "payload", "write"]
_numbers = itertools.count(1)
PATHS = {"time_entries": "timeRegistrationEntries", "invoices": "salesInvoices", "quotes": "salesQuotes"}
EDITS = {
    "customers": "displayName", "contacts": "displayName", "projects": "displayName", "employees": "givenName",
    "time_entries": "quantity", "invoices": "customerPurchaseOrderReference", "quotes": "validUntilDate",
    "payments": "description",
}  # fmt: skip


class BusinessCentralHarness(SandboxHarness):
    vendor = "business_central"
    connector_type = CONNECTOR
    abilities = frozenset({"faults"})
    unknown_id = "7d7b5a5e-0000-4000-8000-00000000dead"

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox)
        self._known: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.base_url, "environment": "Production", "revenue_account": "6110"}

    def credentials(self, *, valid: bool) -> dict[str, str]:
        return {"access_token": TOKEN if valid else "wrong-token-0987654321"}

    def seed(self, stream: str, count: int) -> list[str]:
        made = self.control.create(stream, [self.values(stream) for _ in range(count)])
        return [row["id"] for row in made]

    def one(self, kind: str) -> str:
        if kind not in self._known:
            self._known[kind] = self.seed(kind, 1)[0]
        return self._known[kind]

    def values(self, stream: str) -> dict[str, Any]:
        name = f"{stream} {next(_numbers)}"
        line = {"lineType": "Account", "lineObjectNumber": "6110", "quantity": 3.25, "unitPrice": 150}
        makers: dict[str, Any] = {
            "customers": lambda: {"displayName": name, "email": "Info@Example.org"},
            "contacts": lambda: {"displayName": name, "type": "Person", "customer": self.one("customers")},
            "projects": lambda: {"displayName": name},
            "employees": lambda: {"givenName": name, "surname": "Reyes", "email": "dana@example.org"},
            "time_entries": lambda: {
                "employeeId": self.one("employees"), "jobId": self.one("projects"), "date": "2026-11-20",
                "quantity": 3.25,
            },
            "invoices": lambda: {
                "customerId": self.one("customers"), "post": True, "salesInvoiceLines": [{**line, "description": name}],
            },
            "quotes": lambda: {
                "customerId": self.one("customers"), "documentDate": "2026-11-20",
                "salesQuoteLines": [{**line, "description": name}],
            },
            "payments": lambda: {
                "amount": -1.25, "postingDate": "2026-11-20", "appliesToInvoiceId": self.one("invoices"),
            },
        }  # fmt: skip
        found: dict[str, Any] = makers[stream]()
        return found

    def edit(self, stream: str, external_id: str) -> None:
        number = next(_numbers)
        value: Any = {"time_entries": number, "quotes": f"2027-01-{number % 28 + 1:02}"}.get(stream, f"Edited {number}")
        self.control.update(stream, external_id, {EDITS[stream]: value})

    def payload(self, sink: str) -> dict[str, Any]:
        name = f"Written {next(_numbers)}"
        document: Any = lambda: {  # noqa: E731 - only documents need a customer to exist
            "customerId": self.one("customers"), "status": "open", "currencyCode": "EUR", "total": "487.50",
            "lines": [{"description": name, "quantity": "3.25", "unit_price": "150.00"}],
        }  # fmt: skip
        makers: dict[str, Any] = {
            "customers": lambda: {"displayName": name, "email": None, "phoneNumber": "+49 1"},
            "contacts": lambda: {"displayName": name, "email": "w@example.org"},
            "projects": lambda: {"displayName": name},
            "employees": lambda: {"givenName": name, "status": "Active"},
            "time_entries": lambda: {
                "employeeId": self.one("employees"), "jobId": self.one("projects"), "date": "2026-11-20",
                "quantity": 0.75,
            },
            "invoices": lambda: {**document(), "invoiceDate": "2026-11-20", "tax": "0.00"},
            "quotes": lambda: {**document(), "documentDate": "2026-11-20"},
            "payments": lambda: {
                "appliesToInvoiceId": self.one("invoices"), "amount": "1.50", "postingDate": "2026-11-20",
                "externalDocumentNumber": name,
            },
        }  # fmt: skip
        found: dict[str, Any] = makers[sink]()
        return found

    def bad_payload(self, sink: str) -> dict[str, Any] | None:
        payload = self.payload(sink)
        references = [name for name in payload if name.endswith("Id")]
        if references:
            return {**payload, references[0]: self.unknown_id}
        return {**payload, next(iter(payload)): ""}

    def lose_answer(self, sink: str) -> None:
        batched = sink not in ("invoices", "quotes")
        body = '"method":"POST"' if batched else '"lineObjectNumber"'
        self.control.faults([{"kind": "timeout_after_commit", "match": {"method": "POST", "body": body}}])

    def connect(self, **settings: Any) -> CONNECTOR:
        return CONNECTOR(
            ConnectionContext(
                settings={**self.settings(), **settings},
                credentials=self.credentials(valid=True),
                now=lambda: datetime.now(UTC),
                allow_private=True,
            )
        )


mapped = partial(erp.mapped, MANIFEST)
payload = partial(erp.payload, MANIFEST)
