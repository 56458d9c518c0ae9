"""Everything the Xero connector sends, judged by Xero's own description."""

from __future__ import annotations

import msgspec
import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.connectors.xero.support import add_contact, add_invoice, connect, map_sink
from tests.contract.gate import xero_gates
from tests.contract.recorder import Exchange

pytestmark = pytest.mark.contract

# The list of authorized organizations belongs to the identity service, which is not described.
UNDESCRIBED = {"/connections"}
OPERATIONS = {
    ("GET", "Organisation"),
    *(("GET", name) for name in ("Contacts", "Invoices", "Payments", "Quotes")),
    *(("GET", f"{name}/id") for name in ("Contacts", "Invoices", "Payments", "Quotes")),
    ("PUT", "Payments"),
    *((method, name) for method in ("PUT", "POST") for name in ("Contacts", "Invoices")),
    # Archived, voided, reversed.
    *(("POST", f"{name}/id") for name in ("Contacts", "Invoices", "Payments")),
    *((method, "Projects") for method in ("GET", "POST")),
    *((method, "Projects/id") for method in ("GET", "PUT", "PATCH")),
    ("GET", "ProjectsUsers"),
    *((method, f"Projects/id/{part}") for method in ("GET", "POST") for part in ("Tasks", "Time")),
    *((method, f"Projects/id/{part}/id") for method in ("GET", "PUT", "DELETE") for part in ("Tasks", "Time")),
}
ACCOUNT = {
    "name": "Initech GmbH",
    "number": "10042",
    "email": "billing@initech.test",
    "phone": "+49 30 1",
    "currency": "EUR",
    "tax_id": "DE1",
}
INVOICE = {
    "status": "open",
    "currency": "EUR",
    "issue_date": "2026-11-20",
    "due_date": "2026-12-20",
    "number": "2026-0001",
    "lines": [
        {
            "description": "Consulting",
            "quantity": "3.25",
            "unit_price": {"amount": 14999, "currency": "EUR"},
            "amount": {"amount": 48747, "currency": "EUR"},
        }
    ],
}


def drive(server) -> None:
    """Every stream and every sink, in every way the engine uses them."""
    control = server.control("xero", "contract")
    xero = connect(server, "contract")
    xero.check()
    invoice = add_invoice(control, add_contact(control))
    control.create("payments", {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 100})
    control.create("quotes", {"Contact": invoice["Contact"], "LineItems": [{"Description": "Work", "UnitAmount": 5}]})
    drive_projects(control, xero, invoice["Contact"]["ContactID"])
    for name in xero.manifest.streams:
        read_in_every_way(xero.stream(name.name))
    contact_id = write_in_every_way(xero.sink("contacts"), map_sink("contacts", ACCOUNT, {}, {}))
    settings = {"sales_account": "200", "tax_type": "OUTPUT"}
    payload = map_sink("invoices", INVOICE, {"account": contact_id}, settings)
    write_in_every_way(xero.sink("invoices"), payload)
    payment = {"amount": {"amount": 1000, "currency": "EUR"}, "paid_date": "2026-11-21"}
    paying = map_sink("payments", payment, {"invoice": invoice["InvoiceID"]}, {"payment_account": "090"})
    (paid,) = xero.sink("payments").write([WriteRequest(key="itl-paid", payload=paying)])
    assert paid.error is None
    assert xero.sink("payments").resolve("itl-paid").external_id == paid.record.external_id
    draft = xero.sink("invoices").write([WriteRequest(key="itl-gone", payload={**payload, "InvoiceNumber": "X-1"})])[0]
    for sink, external_id in (("payments", paid.record.external_id), ("invoices", draft.record.external_id)):
        xero.sink(sink).delete(external_id)
    gone = xero.sink("contacts").write([WriteRequest(key="itl-archived", payload={"Name": "Archived Ltd"})])[0]
    xero.sink("contacts").delete(gone.record.external_id)


def drive_projects(control, xero, contact_id) -> None:
    """A project, its task and the time on it: made, changed, and taken back but for the first."""
    person = control.create("project_users", {"name": "Dana", "email": "dana@initech.test"})["userId"]
    project = {
        "name": "Rollout",
        "budget": {"amount": 10050, "currency": "EUR"},
        "end_date": "2026-12-31",
        "status": "open",
    }
    made = [write_part(xero, "projects", number, project, account=contact_id) for number in (1, 2)]
    task = {"name": "Workshop", "estimate_seconds": 5400}
    tasks = [
        write_part(xero, "tasks", number, {**task, "name": f"Workshop {number}"}, project=made[0]) for number in (1, 2)
    ]
    time = {"work_date": "2026-11-20", "duration_seconds": 4500, "description": "Planning"}
    times = [write_part(xero, "time_entries", number, time, task=tasks[0], resource=person) for number in (1, 2)]
    for sink, external_id in (("time_entries", times[1]), ("tasks", tasks[1]), ("projects", made[1])):
        xero.sink(sink).delete(external_id)


def write_part(xero, sink, number, record, **refs) -> str:
    """Created, then changed."""
    payload = map_sink(sink, record | ({"name": f"Rollout {number}"} if sink == "projects" else {}), refs, {})
    external_id = None
    for step in ("made", "changed"):
        key = f"itl-{sink}-{number}-{step}"
        (result,) = xero.sink(sink).write([WriteRequest(key=key, payload=payload, external_id=external_id)])
        assert result.error is None, result.error
        external_id = result.record.external_id
    return external_id


def read_in_every_way(stream) -> None:
    pages = list(stream.read(checkpoint=None, page_size=1))
    # A project without time is a page without records, wherever it stands.
    records = [record for page in pages for record in page.records]
    assert records
    list(stream.read(checkpoint=pages[-1].checkpoint))
    assert stream.get(records[0].external_id) is not None


def write_in_every_way(sink, payload) -> str:
    created = sink.write([WriteRequest(key="itl-contract-1", payload=payload)])[0]
    assert created.error is None
    external_id = created.record.external_id
    changed = {key: value for key, value in payload.items() if key != "InvoiceNumber"}
    assert sink.write([WriteRequest(key="itl-contract-2", payload=changed, external_id=external_id)])[0].error is None
    sink.write([WriteRequest(key=f"itl-batch-{index}", payload=payload) for index in range(2)])
    assert sink.resolve("itl-contract-1").external_id == external_id
    assert sink.get(external_id) is not None
    return external_id


def test_every_request_is_described(evidence, server, figures):
    drive(server)
    gates = xero_gates(evidence)

    verdicts = [(exchange, gates.errors(exchange)) for exchange in server.exchanges("xero")]

    wrong = [f"{e.method} {e.url}: {line}" for e, errors in verdicts for line in errors or []]
    undescribed = {exchange.path for exchange, errors in verdicts if errors is None}
    judged = sum(errors is not None for _, errors in verdicts)
    figures.append(f"xero: {judged} requests judged by the official description, {len(wrong)} violations")
    assert wrong == []
    assert undescribed == UNDESCRIBED
    assert {operation(exchange) for exchange, errors in verdicts if errors is not None} == OPERATIONS


def operation(exchange: Exchange) -> tuple[str, str]:
    """The method and the path, with `id` for ids."""
    parts = exchange.path.removeprefix("/api.xro/2.0/").removeprefix("/projects.xro/2.0/").split("/")
    return exchange.method, "/".join("id" if index % 2 else part for index, part in enumerate(parts))


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("no tenant", {"headers": {"content-type": "application/json"}}),
        ("unknown type", {"body": b'{"Invoices":[{"Type":"SALE"}]}'}),
        ("text for a number", {"body": b'{"Invoices":[{"Type":"ACCREC","LineItems":[{"Quantity":"3"}]}]}'}),
        ("no id", {"path": "/api.xro/2.0/Invoices/7", "method": "GET", "body": b""}),
    ],
)
def test_the_gate_notices(evidence, case, change):
    good = Exchange(
        vendor="xero",
        method="PUT",
        path="/api.xro/2.0/Invoices",
        query="summarizeErrors=false",
        headers={"xero-tenant-id": "t", "content-type": "application/json"},
        body=b'{"Invoices":[{"Type":"ACCREC"}]}',
        status=200,
        answer=b"",
    )
    gates = xero_gates(evidence)

    assert gates.errors(good) == []
    assert gates.errors(msgspec.structs.replace(good, **change))
