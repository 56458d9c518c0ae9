"""Customer invoices: exact to the cent, or refused before anything is posted."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from apps.connectors.sdk.errors import ConfigurationError, RecordRejected
from apps.connectors.sdk.types import JsonDict, SourceRecord, WriteRequest
from apps.connectors.vendors.tryton.api import Domain
from apps.connectors.vendors.tryton.sinks import TrytonSink
from apps.connectors.vendors.tryton.streams import InvoiceStream
from apps.connectors.vendors.tryton.wire import wire_date, wire_decimal

PRICE_STEP = Decimal("0.0001")
OPEN, DRAFT = "open", "draft"


class InvoiceSink(TrytonSink):
    """Created as draft, compared with what was asked for, then posted.

    The mark is in the first line's internal note, which is not printed. It ends with the state that was wanted: a crash
    between creating and posting leaves a draft, and whoever resolves the key must know to finish the work.
    """

    stream_type = InvoiceStream

    def marked(self, key: str) -> Domain:
        return [["lines.note", "in", [note(key, OPEN), note(key, DRAFT)]]]

    def resolve(self, key: str) -> SourceRecord | None:
        domain: Domain = [*self.stream.domain, ["lines.note", "=", note(key, OPEN)], ["state", "=", "draft"]]
        for row in self.api.search("account.invoice", domain, fields=["id"]):
            self.api.press("account.invoice", str(row["id"]), "post")
        return super().resolve(key)

    def creation(self, request: WriteRequest) -> JsonDict:
        payload = request.payload
        party = self._party(str(payload["party"]))
        currency = self._currency(payload["currency"])
        step = Decimal(1).scaleb(-currency["digits"])
        lines = [self._line(line, currency["id"], step) for line in payload["lines"] or []]
        if not lines:
            raise RecordRejected("an invoice needs at least one line", code="required")
        lines[0]["note"] = note(request.key, wanted_state(payload))
        tax = Decimal(payload.get("tax") or "0")
        values: JsonDict = {
            "type": "out",
            "company": self.api.company["id"],
            "party": party["id"],
            "invoice_address": party["addresses"][0],
            "account": party["account_receivable"] or self._default_receivable(),
            "journal": self._journal(),
            "currency": currency["id"],
            "reference": payload.get("reference"),
            "invoice_date": wire_date(payload["issue_date"]) if payload.get("issue_date") else None,
            "payment_term_date": wire_date(payload["due_date"]) if payload.get("due_date") else None,
            "lines": [["create", lines]],
        }
        if tax:
            base = Decimal(payload["total"]) - tax
            values["taxes"] = [["create", [self._tax(base, tax)]]]
        return values

    def after_creation(self, request: WriteRequest, external_id: str) -> None:
        """Raises RecordRejected, and takes the draft back, when Tryton counts or judges differently."""
        record = self._read_back(external_id)
        problem = difference(record.data, request.payload)
        if problem is not None:
            self.api.delete("account.invoice", external_id)
            raise RecordRejected(problem, code="amounts_differ")
        if wanted_state(request.payload) == DRAFT:
            return
        try:
            self.api.press("account.invoice", external_id, "post")
        except RecordRejected:
            self.api.delete("account.invoice", external_id)
            raise

    def change(self, request: WriteRequest, current: SourceRecord) -> JsonDict:
        raise RecordRejected("an invoice is not changed once it is in Tryton", code="immutable")

    def _line(self, line: JsonDict, currency: int, step: Decimal) -> JsonDict:
        quantity, amount = Decimal(line["quantity"]), Decimal(line["amount"])
        return {
            "type": "line",
            "company": self.api.company["id"],
            "currency": currency,
            "account": self._revenue_account(),
            "description": line["description"],
            "quantity": float(quantity),
            "unit_price": wire_decimal(exact_price(quantity, Decimal(line["unit_price"]), amount, step)),
        }

    def _tax(self, base: Decimal, tax: Decimal) -> JsonDict:
        code = str(self.api.settings.get("tax_account") or "")
        if not code:
            raise RecordRejected("name the account for taxes in the connection's settings", code="tax_account")
        account = self._account([["code", "=", code]])
        amounts = {"base": wire_decimal(base), "amount": wire_decimal(tax)}
        return {"description": "Tax", "account": account, "manual": True, **amounts}

    def _party(self, party_id: str) -> JsonDict:
        found = self.api.search("party.party", [["id", "=", int(party_id)]], fields=["addresses", "account_receivable"])
        if not found:
            raise RecordRejected("the customer is not in Tryton", code="party")
        if not found[0]["addresses"]:
            raise RecordRejected("the customer has no address in Tryton", code="address")
        return found[0]

    def _currency(self, code: str) -> JsonDict:
        return self._once(f"currency {code}", "currency.currency", [["code", "=", code]], ["digits"])

    def _journal(self) -> int:
        return int(self._once("revenue journal", "account.journal", [["type", "=", "revenue"]], ["id"])["id"])

    def _default_receivable(self) -> int:
        found = self._once("account configuration", "account.configuration", [], ["default_account_receivable"])
        if not found["default_account_receivable"]:
            raise RecordRejected(
                "the customer has no receivable account in Tryton, and there is no default", code="account"
            )
        return int(found["default_account_receivable"])

    def _revenue_account(self) -> int:
        code = str(self.api.settings.get("revenue_account") or "")
        return self._account([["code", "=", code]] if code else [["type.revenue", "=", True]])

    def _account(self, domain: Domain) -> int:
        domain = [*domain, ["company", "=", self.api.company["id"]], ["closed", "!=", True]]
        return int(self._once(f"account {domain[0][2]}", "account.account", domain, ["id"])["id"])

    def _once(self, what: str, model: str, domain: Domain, fields: list[str]) -> JsonDict:
        """The first match, looked up once per connection. Raises ConfigurationError when there is none."""
        known: dict[str, Any] = self.connector.lookups
        if what not in known:
            found = self.api.search(model, domain, fields=fields, order=[["id", "ASC"]], limit=1)
            if not found:
                raise ConfigurationError(f"Tryton has no {what}", code="missing")
            known[what] = found[0]
        row: JsonDict = known[what]
        return row


def note(key: str, state: str) -> str:
    return f"sync_ref: {key} {state}"


def wanted_state(payload: JsonDict) -> str:
    return DRAFT if payload.get("status") == DRAFT else OPEN


def exact_price(quantity: Decimal, price: Decimal, amount: Decimal, step: Decimal) -> Decimal:
    """A unit price with which Tryton, who rounds halves to even, arrives at `amount`. Raises RecordRejected."""
    spread = (amount / quantity).quantize(PRICE_STEP) if quantity else price
    for candidate in (price, spread):
        if (quantity * candidate).quantize(step, rounding=ROUND_HALF_EVEN) == amount:
            return candidate
    raise RecordRejected(f"no unit price makes {quantity} come to exactly {amount}", code="amounts_differ")


def difference(data: JsonDict, payload: JsonDict) -> str | None:
    """What does not agree between the draft and the invoice asked for."""
    pairs = (("total_amount", "total"), ("tax_amount", "tax"))
    for there, here in pairs:
        wanted = Decimal(payload.get(here) or "0")
        if Decimal(data[there]) != wanted:
            return f"Tryton makes the {here} {data[there]} where {wanted} was asked for"
    return None
