"""Everything the Stripe connector sends, judged by Stripe's own description, form by form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.evaluation import read_all
from tests.connectors.stripe_billing.support import (
    add_customer,
    add_subscription,
    connect,
    euros,
    line,
    map_sink,
)
from tests.contract.forms import stripe_judge
from tests.contract.recorder import Exchange

pytestmark = pytest.mark.contract

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
LINES = [line(48747, quantity="3.25", price=14999), line(2020, quantity="2", price=1010)]
RECORDS = {
    "customers": {"name": "Initech GmbH", "number": "10042", "email": "billing@initech.test", "phone": "+49 30 1", "website": "https://i.test"},
    "invoices": {"status": "open", "reference": "PO 7", "due_date": "2026-12-20", "lines": LINES},
    "usage": {"unit": "support_hours", "usage_date": YESTERDAY, "quantity": "2.5"},
    "subscriptions": {"name": "Retainer", "status": "active", "amount": euros(9900), "quantity": "1", "interval": "quarter"},
}  # fmt: skip
# Meters are newer than the description: Stripe's own library judges them (test_stripe_sdk).
NEWER = "/v1/billing/"
OPERATIONS = {
    *(
        ("GET", f"/v1/{name}")
        for name in ("account", "events", "customers", "invoices", "charges", "subscriptions", "quotes")
    ),
    *(("GET", f"/v1/{name}/id") for name in ("customers", "invoices", "charges", "subscriptions", "quotes")),
    *(("GET", f"/v1/{name}/search") for name in ("customers", "invoices", "subscriptions")),
    *(("POST", f"/v1/{name}") for name in ("customers", "invoices", "invoiceitems", "subscriptions")),
    *(("POST", f"/v1/{name}/id") for name in ("customers", "invoices", "subscriptions")),
    *(("POST", f"/v1/invoices/id/{step}") for step in ("finalize", "pay", "void")),
    ("GET", "/v1/invoices/id/lines"),
    ("DELETE", "/v1/customers/id"),
    ("DELETE", "/v1/invoices/id"),
    ("DELETE", "/v1/invoiceitems/id"),
    ("DELETE", "/v1/subscriptions/id"),
}


def drive(server):
    """Every stream and every sink, in every way the engine uses them."""
    control = server.control("stripe_billing", "contract")
    control.reset()
    stripe = connect(server, "contract")
    stripe.check()
    customer = add_customer(control)
    add_subscription(control, customer)
    control.create("quotes", {"customer": customer, "lines": [{"amount": 5, "description": "x"}]})
    long_one = control.create("invoices", {"customer": customer, "lines": [{"amount": n + 1} for n in range(12)]})["id"]
    control.create("payments", {"amount": 100, "currency": "eur"})
    noon = int((datetime.now(UTC).replace(hour=12) - timedelta(days=2)).timestamp())
    event = {"payload": {"stripe_customer_id": customer, "value": "1"}, "timestamp": noon}
    control.create("usage", {"event_name": "support_hours", **event})
    for spec in stripe.manifest.streams:
        records, _ = read_all(stripe.stream(spec.name), page_size=1)
        read_all(stripe.stream(spec.name), {"since": int(stripe.context.now().timestamp()) - 60}, page_size=1)
        stripe.stream(spec.name).get(records[0].external_id)
    for spec in stripe.manifest.sinks:
        payload = map_sink(spec.name, RECORDS[spec.name], {**dict.fromkeys(spec.refs), "account": customer})
        sink = stripe.sink(spec.name)
        made = write(sink, payload)
        assert sink.resolve(f"itl-{spec.name}") is None
        if not spec.updates:
            continue
        sink.write([WriteRequest(key="u", payload=payload, external_id=made)])
        sink.write([WriteRequest(key="u", payload={**payload, "status": "cancelled"}, external_id=made)])
    sink, payload = stripe.sink("invoices"), map_sink("invoices", RECORDS["invoices"], {"account": customer})
    sink.write([WriteRequest(key="u", payload={**payload, "lines": [line(1)]}, external_id=long_one)])
    drive_deletions(stripe, control, payload)
    for status in ("paid", "void"):
        write(sink, {**payload, "status": status})
    sink.write(
        [
            WriteRequest(
                key="b",
                payload={**payload, "lines": [line(1), {**line(1), "amount": {"amount": 1, "currency": "USD"}}]},
            )
        ]
    )


def drive_deletions(stripe, control, payload):
    invoices = stripe.sink("invoices")
    for status in ("draft", "open"):
        invoices.delete(write(invoices, {**payload, "status": status}))
    customer = add_customer(control)
    stripe.sink("subscriptions").delete(add_subscription(control, customer))
    stripe.sink("customers").delete(customer)


def write(sink, payload):
    (result,) = sink.write([WriteRequest(key=f"itl-{payload.get('status')}", payload=payload)])
    assert result.error is None, result.error
    return result.record.external_id


def test_every_request_is_described(evidence, server, figures):
    drive(server)
    judge = stripe_judge(evidence)

    verdicts = [(exchange, judge.errors(exchange)) for exchange in server.exchanges("stripe_billing")
                if not exchange.path.startswith(NEWER)]  # fmt: skip

    wrong = [f"{e.method} {e.path}: {text}" for e, errors in verdicts for text in errors or []]
    figures.append(
        f"stripe_billing: {len(verdicts)} requests judged by the official description, {len(wrong)} violations"
    )
    assert wrong == []
    assert [exchange.path for exchange, errors in verdicts if errors is None] == []
    assert {(e.method, re.sub(r"/[a-z]+_\d+", "/id", e.path)) for e, _ in verdicts} == OPERATIONS


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("POST", "/v1/invoices", "customer=cus_1&customer_name=x"),
        ("POST", "/v1/invoices", "customer=cus_1&due_date=tomorrow"),
        ("POST", "/v1/invoices", "customer=cus_1&collection_method=by_pigeon"),
        ("POST", "/v1/invoiceitems", "amount=5"),
        ("POST", "/v1/subscriptions", "customer=cus_1&items[0][price_data][currency]=eur"),
        ("POST", "/v1/subscriptions", "customer=cus_1&items=si_1"),
        ("GET", "/v1/invoices", "created[since]=5"),
        ("GET", "/v1/customers", "limit=many"),
    ],
)
def test_the_judge_notices(evidence, method, path, text):
    shape = {"headers": {}, "status": 200, "answer": b"", "vendor": "stripe_billing", "method": method, "path": path}
    exchange = Exchange(query=text if method == "GET" else "", body=text.encode() if method == "POST" else b"", **shape)

    assert stripe_judge(evidence).errors(exchange)
    assert stripe_judge(evidence).errors(msgspec.structs.replace(exchange, path="/v1/nothing")) is None
