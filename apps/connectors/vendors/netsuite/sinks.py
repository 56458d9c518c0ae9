"""Writing NetSuite: entities by external id, transactions through jobs that run once per key; each read back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.removing import Removing
from apps.connectors.sdk.single_sink import SingleSink
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.netsuite.streams import NetSuiteStream

if TYPE_CHECKING:
    from apps.connectors.vendors.netsuite.connector import NetSuiteConnector

# Numbers in a payload that are ids of other records.
REFERENCES = ("parent", "company", "project", "employee", "customer", "caseTaskEvent", "entity", "status")
IN_SUBSIDIARY = ("customers", "contacts", "projects", "employees", "invoices", "quotes", "expenses")


class NetSuiteSink(SingleSink, Removing):
    """Payload keys are fields of the record service; null leaves a field as it is."""

    stream: NetSuiteStream

    def __init__(self, connector: NetSuiteConnector, *, name: str) -> None:
        super().__init__(connector, NetSuiteStream(connector, name=name))
        self.api = connector.api
        self.name = name
        self.record = self.stream.table.record

    def create(self, request: WriteRequest) -> str:
        """What exists under the key is left as people have changed it since."""
        return self.api.id_of(self.record, request.key) or self.api.upsert(
            self.record, request.key, self.body(request.payload)
        )

    def update(self, external_id: str, request: WriteRequest) -> None:
        self.api.change(self.record, external_id, self.changes(request.payload))

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.api.id_of(self.record, key)
        return self.get(found) if found else None

    def remove(self, external_id: str) -> None:
        """NetSuite keeps what other records refer to."""
        self.api.delete(self.record, external_id)

    def body(self, payload: JsonDict) -> JsonDict:
        values = fields(payload)
        subsidiary = str(self.connector.context.settings.get("subsidiary") or "")
        if subsidiary and self.name in IN_SUBSIDIARY:
            values["subsidiary"] = {"id": subsidiary}
        return values

    def changes(self, payload: JsonDict) -> JsonDict:
        return fields(payload)


class CompanySink(NetSuiteSink):
    def body(self, payload: JsonDict) -> JsonDict:
        return {**super().body(payload), "isPerson": False}


class JobSink(NetSuiteSink):
    """For what must never exist twice: two workers with one key get one job, even before either sees the record."""

    def create(self, request: WriteRequest) -> str:
        mark = self.mark(request)
        return self.api.id_of(self.record, mark) or self.api.submit(self.record, mark, self.body(request.payload))

    def mark(self, request: WriteRequest) -> str:
        """The external id of what this request creates."""
        return request.key


class InvoiceSink(JobSink):
    """Compared with what was asked for once NetSuite has counted it; a difference takes it back.

    An invoice counts from the moment it exists. Its external id ends in the total in cents, so that whoever finds one
    after a crash can make the comparison that was missed.
    """

    def mark(self, request: WriteRequest) -> str:
        return f"{request.key}-{digits(request.payload['total'])}"

    def create(self, request: WriteRequest) -> str:
        external_id = super().create(request)
        record = self.stream.get(external_id)
        if record is not None and digits(record.data["foreigntotal"]) != digits(request.payload["total"]):
            self.api.delete(self.record, external_id)
            wanted = request.payload["total"]
            message = f"NetSuite makes the total {record.data['foreigntotal']} where {wanted} was asked for"
            raise RecordRejected(message, code="amounts_differ")
        return external_id

    def resolve(self, key: str) -> SourceRecord | None:
        for record in self.stream.marked_from(f"{key}-"):
            wanted = str(record.data["externalid"]).removeprefix(f"{key}-")
            if not wanted.isdecimal():
                continue
            if digits(record.data["foreigntotal"]) == wanted:
                return record
            self.api.delete(self.record, record.external_id)
        return None

    def update(self, external_id: str, request: WriteRequest) -> None:
        raise RecordRejected("an invoice is not changed once it is in NetSuite", code="immutable")

    def body(self, payload: JsonDict) -> JsonDict:
        item = str(self.connector.context.settings.get("item") or "")
        if not item:
            raise RecordRejected("name the item for invoice lines in the connection's settings", code="item")
        lines = payload.get("lines") or []
        if not lines:
            raise RecordRejected("an invoice needs at least one line", code="required")
        head = {name: value for name, value in payload.items() if name not in ("lines", "total", "status", "currency")}
        items = [
            {
                "item": {"id": item},
                "description": line["description"],
                "quantity": float(line["quantity"]),
                "rate": float(line["unit_price"]),
            }
            for line in lines
        ]
        approval = {"approvalStatus": {"id": "1"}} if payload.get("status") == "draft" else {}
        currency = {"currency": {"id": self.connector.currency_id(str(payload["currency"]))}}
        return {**super().body(head), **currency, **approval, "item": {"items": items}}


class EstimateSink(InvoiceSink):
    """Counted like an invoice; its title and the day it expires change later, its positions do not."""

    changeable = ("title", "dueDate")

    def update(self, external_id: str, request: WriteRequest) -> None:
        payload = {name: value for name, value in request.payload.items() if name in self.changeable}
        self.api.change(self.record, external_id, self.changes(payload))


class PaymentSink(JobSink):
    """A customer's payment, applied to its invoice."""

    def update(self, external_id: str, request: WriteRequest) -> None:
        raise RecordRejected("a payment is not changed once it is in NetSuite", code="immutable")

    def body(self, payload: JsonDict) -> JsonDict:
        invoice = NetSuiteStream(self.connector, name="invoices").get(str(payload["invoice"]))
        if invoice is None:
            raise RecordRejected("the invoice is not in NetSuite", code="not_found")
        amount = float(payload["amount"])
        applied = {"doc": {"id": str(payload["invoice"])}, "apply": True, "amount": amount}
        rest = {name: value for name, value in payload.items() if name not in ("invoice", "amount")}
        return {
            **super().body(rest), "customer": {"id": invoice.data["entity"]}, "payment": amount,
            "apply": {"items": [applied]},
        }  # fmt: skip


class ExpenseSink(JobSink):
    """One report for each expense; the expense itself is its line."""

    def create(self, request: WriteRequest) -> str:
        return self._line_of(super().create(request))

    def resolve(self, key: str) -> SourceRecord | None:
        found = self.api.id_of(self.record, key)
        return self.get(self._line_of(found)) if found else None

    def update(self, external_id: str, request: WriteRequest) -> None:
        raise RecordRejected("an expense is not changed once it is in NetSuite", code="immutable")

    def _line_of(self, report: str) -> str:
        line = self.stream.of_transaction(report)
        if line is None:
            raise ConfigurationError("the role may not see the lines of expense reports", code="permission")
        return line.external_id

    def body(self, payload: JsonDict) -> JsonDict:
        category = str(self.connector.context.settings.get("expense_category") or "")
        if not category:
            raise RecordRejected("name the expense category in the connection's settings", code="expense_category")
        line: dict[str, Any] = {
            "category": {"id": category},
            "amount": float(payload["amount"]),
            "expenseDate": payload["date"],
            "memo": payload.get("memo"),
            "isBillable": bool(payload.get("billable")),
        }
        if payload.get("project"):
            line["customer"] = {"id": str(payload["project"])}
        head = super().body({"entity": payload["employee"], "tranDate": payload["date"]})
        return {**head, "expense": {"items": [line]}}


def digits(amount: str) -> str:
    """An amount as a whole number of its hundredths."""
    return str(int(Decimal(amount) * 100))


def fields(payload: JsonDict) -> JsonDict:
    """Without nulls; references as objects with an id."""
    return {
        name: {"id": str(value)} if name in REFERENCES else value
        for name, value in payload.items()
        if value is not None
    }
