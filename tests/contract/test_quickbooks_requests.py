"""Every body the QuickBooks connector sends, judged by Intuit's own schema of its documents."""

from __future__ import annotations

import copy

import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.evaluation import read_all
from tests.connectors.quickbooks.support import add_customer, add_invoice, connect, map_sink, pay
from tests.contract.recorder import Exchange
from tests.contract.recordings import load
from tests.contract.xsd import finance_schema

pytestmark = pytest.mark.contract

DOCUMENTS = ("Invoice", "Estimate", "Payment", "TimeActivity")
ENTITIES = {name.lower(): name for name in (*DOCUMENTS, "Customer")}
EUR = {"currency": "USD"}
LINE = {
    "description": "Consulting",
    "quantity": "3.25",
    "unit_price": {"amount": 14999, **EUR},
    "amount": {"amount": 48747, **EUR},
}
RECORDS = {
    "customers": {"name": "Initech GmbH", "email": "billing@initech.test", "phone": "+49 30 1", "website": "https://i.test", "currency": "USD"},
    "invoices": {"status": "open", "currency": "USD", "issue_date": "2026-11-20", "due_date": "2026-12-20", "lines": [LINE]},
    "estimates": {"name": "Rollout", "status": "sent", "currency": "USD", "expiry_date": "2026-12-20", "lines": [LINE]},
    "projects": {"name": "Rollout", "status": "open"},
    "time_entries": {"work_date": "2026-11-20", "duration_seconds": 4500, "description": "Planning", "billable": True},
    "payments": {"amount": {"amount": 1000, **EUR}, "paid_date": "2026-11-21", "reference": "Wire 7"},
}  # fmt: skip


def drive(server):
    """Every stream and every sink, in every way the engine uses them."""
    control = server.control("quickbooks", "contract")
    control.reset()
    quickbooks = connect(server, "contract")
    quickbooks.check()
    customer = add_customer(control, "Contract")
    invoice = add_invoice(control, customer)["Id"]
    pay(control, customer, (invoice, 10))
    project = add_customer(control, "Contract project", Job=True, ParentRef={"value": customer})
    person = control.create("employees", {"DisplayName": "Dana", "FamilyName": "Reyes"})["Id"]
    made = {}
    refs = {"account": customer, "invoice": invoice, "project": project, "resource": person}
    for spec in quickbooks.manifest.sinks:
        payload = map_sink(spec.name, RECORDS[spec.name], refs, {"sales_item": "1", "tax_code": "TAX"})
        sink = quickbooks.sink(spec.name)
        (created,) = sink.write([WriteRequest(key=f"itl-{spec.name}", payload=payload)])
        assert created.error is None, created.error
        made[spec.name] = created.record.external_id
        (changed,) = sink.write([WriteRequest(key="itl-2", payload=payload, external_id=created.record.external_id)])
        assert changed.error is None, changed.error
        _, checkpoint = read_all(quickbooks.stream(spec.stream), page_size=2)
        read_all(quickbooks.stream(spec.stream), checkpoint)
    (voided,) = quickbooks.sink("invoices").write(
        [WriteRequest(key="v", payload={"Status": "void"}, external_id=invoice)]
    )
    assert voided.error is None
    for name in ("payments", "time_entries", "estimates", "projects"):
        quickbooks.sink(name).delete(made[name])


def bodies(exchange: Exchange):
    """The entities in a request: (name, fields)."""
    if exchange.method != "POST":
        return []
    body = exchange.json()
    if exchange.path.endswith("/batch"):
        return [(name, item[name]) for item in body["BatchItemRequest"] for name in item if name[0].isupper()]
    return [(ENTITIES[exchange.path.rsplit("/", 1)[1]], body)]


def test_every_body_is_valid(evidence, server, figures):
    drive(server)
    schema = finance_schema(evidence)
    sent = [entry for exchange in server.exchanges("quickbooks") for entry in bodies(exchange)]

    judged = [(name, fields) for name, fields in sent if name in DOCUMENTS]
    wrong = [line for name, fields in judged for line in schema.errors(name, fields, name)]

    figures.append(f"quickbooks: {len(judged)} bodies judged by Intuit's schema, {len(wrong)} violations")
    assert wrong == []
    assert {name for name, _ in judged} == set(DOCUMENTS)
    assert len(judged) == 12


def test_customers_are_written_with_fields_a_real_company_has(evidence, server):
    """Customers are declared in a schema that was not published beside the other."""
    real = {
        key
        for recording in load(evidence, "quickbooks")
        for item in ((recording.response or {}).get("QueryResponse") or {}).get("Customer") or []
        for key in item
    }
    drive(server)

    sent = {
        key
        for exchange in server.exchanges("quickbooks")
        for name, body in bodies(exchange)
        if name == "Customer"
        for key in body
    }

    assert sent - real == set()
    assert {"DisplayName", "PrimaryEmailAddr", "PrimaryPhone", "WebAddr", "CurrencyRef", "SyncToken"} <= sent


GOOD = {
    "CustomerRef": {"value": "1"},
    "TxnDate": "2026-11-20",
    "Line": [
        {
            "DetailType": "SalesItemLineDetail",
            "Amount": 20.2,
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "Qty": 2},
        }
    ],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("CustomerRef",), "1"),
        (("Customer",), {"value": "1"}),
        (("TxnDate",), "20.11.2026"),
        (("Line",), {}),
        (("Line", 0, "Amount"), "20.20"),
        (("Line", 0, "DetailType"), "Sales"),
        (("Line", 0, "SalesItemLineDetail", "Quantity"), 2),
    ],
)
def test_the_schema_notices(evidence, path, value):
    schema = finance_schema(evidence)
    bad = copy.deepcopy(GOOD)
    place = bad
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value

    assert schema.errors("Invoice", GOOD) == []
    assert len(schema.errors("Invoice", bad)) == 1
