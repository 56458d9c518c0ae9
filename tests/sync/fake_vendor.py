"""Four vendors in memory: a CRM, an ERP that bills too, a delivery system and a billing system.

What a vendor holds survives a "crash" of the engine (an exception thrown at a crash point), as it would in reality.
`Vendor.fail_next` makes the next calls fail before or after they took effect.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from apps.connectors.sdk.connector import Connector, HttpExchange
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
)
from apps.connectors.sdk.types import CheckResult, JsonDict, Page, SourceRecord, WriteRequest, WriteResult

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Vendor:
    """One vendor account's data and its misbehavior."""

    objects: dict[str, dict[str, JsonDict]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    sequence: int = 0
    fail_before: list[Exception] = field(default_factory=list)
    fail_after: list[Exception] = field(default_factory=list)
    refusals: dict[str, Exception] = field(default_factory=dict)
    read_failures: list[Exception] = field(default_factory=list)
    write_count: int = 0
    created: list[tuple[str, str]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def put(self, kind: str, object_id: str | None = None, **fields: Any) -> str:
        """Create or change an object as a user of the vendor would."""
        with self.lock:
            self.sequence += 1
            object_id = object_id or f"{kind[:3]}{self.sequence}"
            held = self.objects.setdefault(kind, {}).setdefault(object_id, {"id": object_id})
            held.update(fields)
            held["modified"] = self.sequence
            return object_id

    def all(self, kind: str) -> list[JsonDict]:
        return list(self.objects.get(kind, {}).values())


VENDORS: dict[str, Vendor] = {}


def vendor(account: str) -> Vendor:
    return VENDORS.setdefault(account, Vendor())


class FakeStream:
    def __init__(self, connector: FakeConnector, kind: str) -> None:
        self.vendor, self.kind, self.connector = vendor(connector.context.settings["account"]), kind, connector

    def read(self, *, checkpoint: JsonDict | None, page_size: int = 100) -> Iterator[Page]:
        after = (checkpoint or {}).get("after", 0)
        while True:
            if self.vendor.read_failures:
                raise self.vendor.read_failures.pop(0)
            self.connector.called("GET", self.kind)
            with self.vendor.lock:
                held = sorted(self.vendor.all(self.kind), key=lambda item: item["modified"])
                found = [item for item in held if item["modified"] > after][:page_size]
                records = [record(item) for item in found]
            after = found[-1]["modified"] if found else after
            yield Page(records=records, checkpoint={"after": after})
            if len(found) < page_size:
                return

    def get(self, external_id: str) -> SourceRecord | None:
        held = self.vendor.objects.get(self.kind, {}).get(external_id)
        return record(held) if held else None


class FakeSink:
    def __init__(self, connector: FakeConnector, kind: str) -> None:
        self.vendor, self.kind, self.connector = vendor(connector.context.settings["account"]), kind, connector

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        self.connector.called("POST", self.kind)
        with self.vendor.lock:
            if self.vendor.fail_before:
                raise self.vendor.fail_before.pop(0)
            results = [self._write(request) for request in requests]
            if self.vendor.fail_after:
                raise self.vendor.fail_after.pop(0)
            return results

    def _write(self, request: WriteRequest) -> WriteResult:
        refusal = self.vendor.refusals.get(str(request.payload.get("name")))
        if refusal:
            return WriteResult(key=request.key, error=refusal)
        self.vendor.write_count += 1
        object_id = self.vendor.put(self.kind, request.external_id, **request.payload)
        if request.external_id is None:
            self.vendor.keys[request.key] = object_id
            self.vendor.created.append((self.kind, request.key))
            if self.kind in ("invoices", "bills"):
                total = request.payload["total"]
                paid = {"amount": 0, "currency": total["currency"]}
                self.vendor.put(self.kind, object_id, number=f"INV-{object_id}", amount_paid=paid, amount_due=total)
        return WriteResult(key=request.key, record=record(self.vendor.objects[self.kind][object_id]))

    def delete(self, external_id: str) -> None:
        self.connector.called("DELETE", self.kind)
        refusal = self.vendor.refusals.get(external_id)
        if refusal:
            raise refusal
        self.vendor.write_count += 1
        self.vendor.objects[self.kind].pop(external_id, None)

    def resolve(self, key: str) -> SourceRecord | None:
        object_id = self.vendor.keys.get(key)
        return record(self.vendor.objects[self.kind][object_id]) if object_id else None

    def get(self, external_id: str) -> SourceRecord | None:
        held = self.vendor.objects.get(self.kind, {}).get(external_id)
        return record(held) if held else None


def copied(data: JsonDict) -> JsonDict:
    """As if it had come as JSON, which may be nested deeper than Python copies."""
    try:
        return copy.deepcopy(data)
    except RecursionError:
        return {**data}


def record(item: JsonDict) -> SourceRecord:
    data = copied({key: value for key, value in item.items() if value is not None})
    return SourceRecord(
        external_id=item["id"], data=data, modified_at=EPOCH + timedelta(seconds=item["modified"]),
        deleted=bool(item.get("deleted")),
    )  # fmt: skip


class FakeConnector(Connector):
    stream_types: ClassVar = {}
    sink_types: ClassVar = {}

    def check(self) -> CheckResult:
        return CheckResult(account_id=self.context.settings["account"], account_name="Fake")

    def stream(self, name: str) -> FakeStream:  # type: ignore[override]
        return FakeStream(self, name)

    def sink(self, name: str) -> FakeSink:  # type: ignore[override]
        return FakeSink(self, name)

    def called(self, method: str, kind: str) -> None:
        self.context.observe(HttpExchange(method=method, url=f"http://fake.test/{kind}", status=200, duration_ms=1))


def plain(*names: str) -> dict[str, str]:
    return {name: f'get(record, "{name}")' for name in names}


def ref(stream: str, path: str) -> dict[str, str]:
    return {"stream": stream, "id": f'get(record, "{path}")'}


ACCOUNT = plain("name", "number", "domain", "email", "phone", "website", "tax_id")
PROJECT = {**plain("name", "code", "start_date"), "status": 'coalesce(get(record, "status"), "open")'}
INVOICE = plain(
    "number", "reference", "status", "issue_date", "due_date", "currency", "subtotal", "total", "amount_paid",
    "amount_due", "lines",
)  # fmt: skip
INVOICE_SINK = {
    "account": "refs.account",
    **{
        name: f"record.{name}"
        for name in ("status", "issue_date", "due_date", "currency", "subtotal", "total", "lines")
    },
}
PAYMENT = plain("amount", "paid_date", "method", "reference")

CRM_STREAMS = (
    StreamSpec(name="companies", label="Companies", entity="account", fields=ACCOUNT),
    StreamSpec(
        name="people", label="People", entity="contact", fields=plain("name", "email"),
        refs={"account": ref("companies", "company")},
    ),
    StreamSpec(
        name="deals", label="Deals", entity="opportunity",
        fields=plain(
            "name", "stage", "amount", "close_date", "payment_status", "invoice_number", "invoiced_amount", "paid_amount"
        ),
        refs={"account": ref("companies", "company")},
    ),
)  # fmt: skip
CRM_SINKS = (
    SinkSpec(
        name="companies", label="Companies", entity="account", stream="companies",
        fields={name: f'get(record, "{name}")' for name in ("name", "email", "domain", "phone", "tax_id")}, batch_size=10,
        deletes=True,
    ),
    SinkSpec(
        name="people", label="People", entity="contact", stream="people",
        fields={"name": "record.name", "email": 'get(record, "email")', "company": "refs.account"},
        refs={"account": "companies"}, batch_size=10,
    ),
    SinkSpec(
        name="deals", label="Deals", entity="opportunity", stream="deals",
        fields={
            n: f"record.{n}"
            for n in ("name", "stage", "payment_status", "invoice_number", "invoiced_amount", "paid_amount")
        },
        batch_size=10,
    ),
)  # fmt: skip
ERP_STREAMS = (
    StreamSpec(name="parties", label="Parties", entity="account", fields=ACCOUNT),
    StreamSpec(
        name="projects", label="Projects", entity="project", fields=PROJECT, refs={"account": ref("parties", "party")}
    ),
    StreamSpec(
        name="tasks", label="Tasks", entity="task", fields=plain("name", "status"),
        refs={"project": ref("projects", "project")},
    ),
    StreamSpec(name="employees", label="Employees", entity="resource", fields=plain("name", "email", "status")),
    StreamSpec(
        name="timesheets", label="Timesheets", entity="time_entry",
        fields={
            **plain("work_date", "duration_seconds", "description"), "status": '"approved"', "billable": "true",
        },
        refs={
            "project": ref("projects", "project"), "task": ref("tasks", "task"), "resource": ref("employees", "employee")
        },
    ),
    StreamSpec(
        name="invoices", label="Invoices", entity="invoice", fields=INVOICE, refs={"account": ref("parties", "account")}
    ),
    StreamSpec(
        name="payments", label="Payments", entity="payment", fields=PAYMENT, refs={"invoice": ref("invoices", "invoice")}
    ),
)  # fmt: skip
ERP_SINKS = (
    SinkSpec(
        name="parties", label="Parties", entity="account", stream="parties",
        fields={name: f"record.{name}" for name in ("name", "email", "domain", "tax_id", "phone")}, batch_size=10,
        deletes=True,
    ),
    SinkSpec(
        name="projects", label="Projects", entity="project", stream="projects",
        fields={"name": "record.name", "status": "record.status", "party": "refs.account"},
        refs={"account": "parties"}, required_refs=("account",), batch_size=10,
    ),
    SinkSpec(
        name="tasks", label="Tasks", entity="task", stream="tasks",
        fields={"name": "record.name", "status": "record.status", "project": "refs.project"},
        refs={"project": "projects"}, required_refs=("project",), batch_size=10,
    ),
    SinkSpec(
        name="timesheets", label="Timesheets", entity="time_entry", stream="timesheets",
        fields={
            "work_date": "record.work_date", "duration_seconds": "record.duration_seconds",
            "description": "record.description", "project": "refs.project", "task": "refs.task",
            "employee": "refs.resource",
        },
        refs={"project": "projects", "task": "tasks", "resource": "employees"},
        required_refs=("project", "resource"), batch_size=10,
    ),
    SinkSpec(
        name="invoices", label="Invoices", entity="invoice", stream="invoices", fields=INVOICE_SINK,
        refs={"account": "parties"}, required_refs=("account",), batch_size=5,
    ),
)  # fmt: skip
DELIVERY_STREAMS = (
    StreamSpec(name="users", label="Users", entity="resource", fields=plain("name", "email", "status")),
    StreamSpec(name="boards", label="Boards", entity="project", fields=PROJECT),
    StreamSpec(
        name="issues", label="Issues", entity="task", fields=plain("name", "status"),
        refs={"project": ref("boards", "board")},
    ),
    StreamSpec(
        name="hours", label="Hours", entity="time_entry",
        fields=plain("work_date", "duration_seconds", "description", "status", "billable"),
        refs={"project": ref("boards", "board"), "task": ref("issues", "issue"), "resource": ref("users", "user")},
    ),
)  # fmt: skip
DELIVERY_SINKS = (
    SinkSpec(
        name="boards", label="Boards", entity="project", stream="boards",
        fields={"name": "record.name", "status": "record.status"}, batch_size=10,
    ),
    SinkSpec(
        name="issues", label="Issues", entity="task", stream="issues",
        fields={"name": "record.name", "status": "record.status", "board": "refs.project"},
        refs={"project": "boards"}, required_refs=("project",), batch_size=10,
    ),
)  # fmt: skip
BILLING_STREAMS = (
    StreamSpec(name="clients", label="Clients", entity="account", fields=ACCOUNT),
    StreamSpec(
        name="bills", label="Bills", entity="invoice", fields=INVOICE, refs={"account": ref("clients", "account")}
    ),
    StreamSpec(
        name="receipts", label="Receipts", entity="payment", fields=PAYMENT, refs={"invoice": ref("bills", "bill")}
    ),
)
BILLING_SINKS = (
    SinkSpec(
        name="clients", label="Clients", entity="account", stream="clients",
        fields={name: f"record.{name}" for name in ("name", "email")}, batch_size=10,
    ),
    SinkSpec(
        name="bills", label="Bills", entity="invoice", stream="bills", fields=INVOICE_SINK,
        refs={"account": "clients"}, required_refs=("account",), batch_size=5,
    ),
)  # fmt: skip


def manifest(key: str, domain: Domain, streams: Any, sinks: Any, also: tuple[Domain, ...] = ()) -> ConnectorManifest:
    return ConnectorManifest(
        key=key, name=key.replace("_", " ").title(), domain=domain, also_domains=also, description="A fake",
        evidence=Evidence.SIMULATED, evidence_note="", auth=AuthKind.API_KEY, base_url="http://fake.test", config=(ConfigField(key="account", label="Account"),),
        streams=streams, sinks=sinks, rate_limit=RateLimit(calls=1000, seconds=1), extra={"page_size": 10},
    )  # fmt: skip


def connector_type(given: ConnectorManifest) -> type[FakeConnector]:
    return type(f"Fake{given.key}", (FakeConnector,), {"manifest": given})


CRM = manifest("fake_crm", Domain.CRM, CRM_STREAMS, CRM_SINKS)
ERP = manifest("fake_erp", Domain.ERP, ERP_STREAMS, ERP_SINKS, also=(Domain.BILLING,))
DELIVERY = manifest("fake_delivery", Domain.DELIVERY, DELIVERY_STREAMS, DELIVERY_SINKS)
BILLING = manifest("fake_billing", Domain.BILLING, BILLING_STREAMS, BILLING_SINKS)
CONNECTORS = {m.key: connector_type(m) for m in (CRM, ERP, DELIVERY, BILLING)}
__all__ = ["CONNECTORS", "VENDORS", "Resolve", "Vendor", "vendor"]

EUR = {"amount": 500000, "currency": "EUR"}


def deal(stage: str = "won", **fields: Any) -> None:
    vendor("crm").put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    vendor("crm").put("deals", "d1", name="Forge rollout", stage=stage, amount=EUR, company="c1", **fields)


READS = [{"role": "crm", "entity": "account"}, {"role": "crm", "entity": "opportunity"}]
