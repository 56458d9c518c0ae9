"""Invoices and quotes: positions with exact amounts, checked before they count; and payments of invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.connectors.sdk.errors import FatalError, RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest, WriteResult
from apps.connectors.vendors.odoo.sinks import OdooSink, cell

DRAFT = "draft"


class InvoiceSink(OdooSink):
    """Created as draft, compared with what was asked for, then posted.

    The external id ends in what is to become of the draft: "-draft", or the total in cents to post it with. Whoever
    finds one after a crash knows what was wanted, and posts nothing that Odoo counts differently.
    """

    def mark(self, request: WriteRequest) -> str:
        is_draft = request.payload.get("status") == "draft"
        return f"{request.key}-{DRAFT if is_draft else digits(request.payload['total'])}"

    def columns(self, request: WriteRequest) -> JsonDict:
        if request.external_id is not None:
            raise RecordRejected("an invoice is not changed once it is in Odoo", code="immutable")
        lines = request.payload.get("lines") or []
        if not lines:
            raise RecordRejected("an invoice needs at least one line", code="required")
        tax = self._tax(request.payload)
        return {
            **super().columns(request),
            "currency_id/.id": cell(self._currency(str(request.payload["currency"]))),
            "lines": [self._line(line, tax) for line in lines],
        }

    def resolve(self, key: str) -> SourceRecord | None:
        for name, record_id in self.api.ids_from(self.model, f"{key}-").items():
            wanted = name.removeprefix(f"{key}-")
            record = self.stream.get(str(record_id)) if wanted == DRAFT or wanted.isdecimal() else None
            if record is None:
                continue
            if record.data["state"] != "draft" or wanted == DRAFT:
                return record
            if digits(str(record.data["amount_total"])) != wanted:
                self.api.call(self.model, "unlink", ids=[record_id])
                return None
            self.api.call(self.model, "action_post", ids=[record_id])
            return self.stream.get(str(record_id))
        return None

    def complete(self, request: WriteRequest, record_id: int) -> None:
        """Takes the draft back when Odoo counts differently or will not post it."""
        record = self.stream.get(str(record_id))
        if record is None or record.data["state"] != "draft":
            return
        try:
            require_amounts(record.data, request.payload)
            if request.payload.get("status") != "draft":
                self.api.call(self.model, "action_post", ids=[record_id])
        except RecordRejected:
            self.api.call(self.model, "unlink", ids=[record_id])
            raise

    def _line(self, line: JsonDict, tax: str) -> JsonDict:
        values = {
            "invoice_line_ids/name": cell(line["description"]),
            "invoice_line_ids/quantity": cell(line["quantity"]),
            "invoice_line_ids/price_unit": cell(line["unit_price"]),
            # Given even when empty: left out, Odoo adds the company's standard tax.
            "invoice_line_ids/tax_ids/.id": tax,
        }
        product = self.connector.product
        return {**values, **({"invoice_line_ids/product_id/.id": product} if product else {})}

    def _tax(self, payload: JsonDict) -> str:
        """The tax to put on every line: the one sales tax that makes this total. Raises RecordRejected."""
        tax, total = Decimal(payload.get("tax") or "0"), Decimal(payload["total"])
        if not tax:
            return ""
        rate = (tax * 100 / (total - tax)).quantize(Decimal("0.01"))
        domain = [
            ["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"], ["price_include", "=", False],
            ["amount", ">=", float(rate) - 0.1], ["amount", "<=", float(rate) + 0.1], ["active", "=", True],
        ]  # fmt: skip
        return cell(self.api.lookup("account.tax", domain, what=f"sales tax of about {rate} %"))

    def _currency(self, code: str) -> int:
        found: int = self.api.lookup(
            "res.currency", [["name", "=", code], ["active", "=", True]], what=f"currency {code}"
        )
        return found


def digits(amount: str) -> str:
    """An amount as a whole number of its hundredths."""
    return str(int(Decimal(amount) * 100))


def require_amounts(data: JsonDict, payload: JsonDict) -> None:
    """Raises RecordRejected unless the draft comes to what was asked for."""
    for there, here in (("amount_total", "total"), ("amount_tax", "tax")):
        wanted = Decimal(payload.get(here) or "0")
        if Decimal(str(data[there])) != wanted:
            message = f"Odoo makes the {here} {data[there]} where {wanted} was asked for"
            raise RecordRejected(message, code="amounts_differ")


class QuoteSink(OdooSink):
    """Draft, sent or confirmed. Positions need a product: Odoo sells nothing that is not one."""

    def columns(self, request: WriteRequest) -> JsonDict:
        values = super().columns(request)
        if request.external_id is not None:
            return values
        product = self.connector.product
        if not product:
            raise RecordRejected("name the product for positions in the connection's settings", code="product")
        lines = [
            {
                "order_line/product_id/.id": product,
                "order_line/name": cell(line["description"]),
                "order_line/product_uom_qty": cell(line["quantity"]),
                "order_line/price_unit": cell(line["unit_price"]),
                "order_line/tax_id/.id" if self.connector.has_tax_id else "order_line/tax_ids/.id": "",
            }
            for line in request.payload.get("lines") or []
        ]
        return {**values, "lines": lines}

    def complete(self, request: WriteRequest, record_id: int) -> None:
        """A state is reached by its button, so that the order's consequences follow."""
        action = {"accepted": "action_confirm", "declined": "action_cancel"}.get(str(request.payload.get("status")))
        record = self.stream.get(str(record_id)) if action else None
        if action and record is not None and record.data["state"] in ("draft", "sent"):
            self.api.call(self.model, action, ids=[record_id])

    def is_gone(self, record: SourceRecord) -> bool:
        return bool(record.data["state"] == "cancel")

    def remove(self, external_id: str) -> None:
        """Canceled, so that its number stays. What was sold is taken back by a person."""
        held = self.stream.get(external_id)
        if held is not None and held.data["state"] == "sale":
            raise RecordRejected("the quote is a sales order already", code="sold")
        self.api.call(self.model, "action_cancel", ids=[int(external_id)])


class PaymentSink(OdooSink):
    """Registered with Odoo's own wizard, which reconciles it with its invoice. The mark ends the memo."""

    def write(self, requests: list[WriteRequest]) -> list[WriteResult]:
        return [self._write_one(request) for request in requests]

    def resolve(self, key: str) -> SourceRecord | None:
        # `_` and `%` are wildcards to Odoo's `like`; the exact ending decides.
        domain = [*self.stream.object.domain, [self.memo, "like", key]]
        rows = self.api.search(self.model, domain, fields=(self.memo,))
        found = next((row["id"] for row in rows if str(row[self.memo]).endswith(mark_of(key))), None)
        return self.stream.get(str(found)) if found else None

    @property
    def memo(self) -> str:
        return "memo" if "memo" in self.api.types(self.model) else "ref"

    def _write_one(self, request: WriteRequest) -> WriteResult:
        try:
            if request.external_id is not None:
                raise RecordRejected("a payment is not changed once it is in Odoo", code="immutable")
            self._register(request)
        except RecordRejected as error:
            return WriteResult(key=request.key, error=error)
        record = self.resolve(request.key)
        if record is None:
            raise FatalError("Odoo does not show the payment that it just registered", code="read_back")
        return WriteResult(key=request.key, record=record)

    def _register(self, request: WriteRequest) -> None:
        payload = request.payload
        here = {"active_model": "account.move", "active_ids": [int(payload["invoice"])]}
        values: dict[str, Any] = {
            "amount": float(payload["amount"]),
            "payment_date": payload["date"],
            "communication": f"{payload.get('reference') or ''} {mark_of(request.key)}".strip(),
        }
        journal = str(self.api.settings.get("payment_journal") or "")
        if journal:
            values["journal_id"] = self.api.lookup(
                "account.journal", [["code", "=", journal]], what=f"journal {journal}"
            )
        found = self.api.call("account.payment.register", "create", vals_list=[values], context=here)
        wizard = found[0] if isinstance(found, list) else found
        self.api.call("account.payment.register", "action_create_payments", ids=[wizard], context=here)


def mark_of(key: str) -> str:
    return f"[sync_ref: {key}]"
