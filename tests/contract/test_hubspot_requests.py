"""Everything the HubSpot connector sends, judged by HubSpot's own descriptions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from apps.connectors.sdk.types import WriteRequest
from apps.connectors.vendors.hubspot import CONNECTOR
from tests.contract.gate import hubspot_gates
from tests.contract.hubspot_support import connect, map_sink
from tests.contract.recorder import Exchange

pytestmark = pytest.mark.contract

# Account information and owners have descriptions of their own, which the evidence does not hold.
UNDESCRIBED = {("GET", "/account-info/v3/details"), ("GET", "/crm/v3/owners")}
OBJECTS = ("companies", "contacts", "deals")
OPERATIONS = {
    *(("POST", f"/crm/v3/objects/{name}/search") for name in OBJECTS),
    *(("GET", f"/crm/v3/objects/{name}/id") for name in OBJECTS),
    *(
        ("POST", f"/crm/v3/objects/{name}/batch/{action}")
        for name in OBJECTS
        for action in ("upsert", "update", "read")
    ),
    *((method, f"/crm/v3/properties/{name}") for method in ("GET", "POST") for name in OBJECTS),
    ("POST", "/crm/v4/associations/contacts/companies/batch/read"),
    ("POST", "/crm/v4/associations/contacts/companies/batch/associate/default"),
    *(("POST", f"/crm/v4/associations/deals/{name}/batch/read") for name in ("companies", "contacts")),
    *(("POST", f"/crm/v4/associations/deals/{name}/batch/associate/default") for name in ("companies", "contacts")),
    *(("GET", f"/crm/v3/objects/{name}") for name in (*OBJECTS, "quotes")),
    ("POST", "/crm/v3/objects/quotes/search"),
    ("GET", "/crm/v3/objects/quotes/id"),
    ("POST", "/crm/v3/objects/line_items/batch/read"),
    *(
        ("POST", f"/crm/v4/associations/quotes/{name}/batch/read")
        for name in ("companies", "contacts", "deals", "line_items")
    ),
}
EUROS = {"amount": 1250000, "currency": "EUR"}
RECORDS = {
    "companies": {"name": "Initech", "domain": "initech.test", "phone": "+49 1", "website": "https://initech.test"},
    "contacts": {"name": "Ada L", "first_name": "Ada", "last_name": "L", "email": "ada@initech.test", "phone": "+49 2"},
    "deals": {
        "name": "Rollout",
        "stage": "won",
        "amount": EUROS,
        "close_date": "2026-11-20",
        "payment_status": "invoiced",
        "invoice_number": "INV-1",
        "invoiced_amount": EUROS,
        "paid_amount": {"amount": 0, "currency": "EUR"},
    },
}


def drive(server) -> None:
    """Every stream and every sink, in every way the engine uses them."""
    hubspot = connect(server, "contract")
    control = server.control("hubspot", "contract")
    owner = control.create("owners", {"email": "olive@acme.test", "firstName": "Olive", "lastName": "O"})
    control.create("deals", {"dealname": "Owned", "hubspot_owner_id": owner["id"]})
    hubspot.check()
    refs: dict[str, str] = {}
    for name, ref in zip(OBJECTS, ("account", "contact", "opportunity"), strict=True):
        refs[ref] = write_in_every_way(hubspot.sink(name), map_sink(name, RECORDS[name], dict(refs)))
    line = control.create("line_items", {"name": "Work", "quantity": "2", "price": "10"})
    control.create("quotes", {"hs_title": "Offer", "associations": {"line_items": [line["id"]]}})
    later = msgspec.structs.replace(hubspot.context, now=lambda: datetime.now(UTC) + timedelta(hours=2))
    for name in (*OBJECTS, "quotes"):
        pages = list(hubspot.stream(name).read(checkpoint=None, page_size=2))
        list(hubspot.stream(name).read(checkpoint=pages[-1].checkpoint))
        # Two hours on, the archived are looked for as well.
        list(CONNECTOR(later).stream(name).read(checkpoint=pages[-1].checkpoint))
        assert hubspot.stream(name).get(pages[0].records[0].external_id) is not None


def write_in_every_way(sink, payload) -> str:
    created = sink.write([WriteRequest(key="itl-contract-1", payload=payload)])[0]
    assert created.error is None
    external_id = created.record.external_id
    assert sink.write([WriteRequest(key="itl-contract-2", payload=payload, external_id=external_id)])[0].error is None
    unlike = {key: value for key, value in payload.items() if key not in ("email", "domain")}
    batch = [WriteRequest(key=f"itl-batch-{index}", payload=unlike) for index in range(3)]
    assert [result.error for result in sink.write(batch)] == [None, None, None]
    assert sink.resolve("itl-contract-1").external_id == external_id
    assert sink.get(external_id) is not None
    return external_id


def test_every_request_is_described(evidence, server, figures):
    drive(server)
    gates = hubspot_gates(evidence)

    verdicts = [(exchange, gates.errors(exchange)) for exchange in server.exchanges("hubspot")]

    wrong = [f"{e.method} {e.url}: {line}" for e, errors in verdicts for line in errors or []]
    judged = sum(errors is not None for _, errors in verdicts)
    figures.append(f"hubspot: {judged} requests judged by the official descriptions, {len(wrong)} violations")
    assert wrong == []
    assert {operation(exchange) for exchange, errors in verdicts if errors is None} == UNDESCRIBED
    assert {operation(exchange) for exchange, errors in verdicts if errors is not None} == OPERATIONS


def operation(exchange: Exchange) -> tuple[str, str]:
    """The method and the path with the record's id (or the value of a unique property) blanked."""
    return exchange.method, re.sub(r"^(/crm/v3/objects/\w+)/(?!search|batch)[\w-]+$", r"\1/id", exchange.path)


@pytest.mark.parametrize(
    ("case", "path", "body"),
    [
        ("number for a text", "companies/search", b'{"limit":"ten","filterGroups":[]}'),
        (
            "unknown operator",
            "deals/search",
            b'{"filterGroups":[{"filters":[{"propertyName":"a","operator":"LIKE"}]}]}',
        ),
        ("no inputs", "contacts/batch/upsert", b"{}"),
        ("properties as text", "deals/batch/update", b'{"inputs":[{"id":"1","properties":"x"}]}'),
    ],
)
def test_the_gate_notices(evidence, case, path, body):
    bad = Exchange(
        vendor="hubspot",
        method="POST",
        path=f"/crm/v3/objects/{path}",
        query="",
        headers={"content-type": "application/json"},
        body=body,
        status=200,
        answer=b"",
    )

    assert hubspot_gates(evidence).errors(bad)
    elsewhere = msgspec.structs.replace(bad, path="/marketing/v3/emails")
    assert hubspot_gates(evidence).errors(elsewhere) is None
