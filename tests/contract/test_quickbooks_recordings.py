"""Real answers of QuickBooks: the connector reads and maps them all, and the simulator says nothing QuickBooks would not."""

from __future__ import annotations

import pytest

from apps.connectors.vendors.quickbooks.streams import CustomerStream, EstimateStream, InvoiceStream, PaymentStream
from tests.connectors.quickbooks.support import add_customer, add_invoice, connect, map_refs, map_source, pay, sold
from tests.contract.recordings import load

pytestmark = pytest.mark.contract

STREAMS = {"Customer": CustomerStream, "Invoice": InvoiceStream, "Payment": PaymentStream, "Estimate": EstimateStream}


@pytest.fixture
def quickbooks(server):
    return connect(server, "recorded")


@pytest.fixture
def recorded(evidence):
    """(recording, entity, object) of every object a stream could meet."""
    found = []
    for recording in load(evidence, "quickbooks"):
        answer = recording.response if isinstance(recording.response, dict) else {}
        for entity in STREAMS:
            listed = (answer.get("QueryResponse") or {}).get(entity) or []
            alone = [answer[entity]] if isinstance(answer.get(entity), dict) else []
            found += [(recording, entity, item) for item in (*listed, *alone)]
    return found


def test_every_recorded_object_is_parsed_and_mapped(recorded, quickbooks, figures):
    counts = dict.fromkeys(STREAMS, 0)
    for recording, entity, item in recorded:
        stream = STREAMS[entity](quickbooks)
        record = stream.record(item)
        fields = map_source(f"{entity.lower()}s", record.data)
        assert record.external_id == item["Id"], recording.name
        assert record.modified_at.isoformat() == item["MetaData"]["LastUpdatedTime"], recording.name
        if entity == "Customer":
            assert fields["name"] == item["DisplayName"]
            assert fields["email"] == (item.get("PrimaryEmailAddr") or {}).get("Address")
            assert stream.belongs(item) == (not item["Job"])
        else:
            name = "amount" if entity == "Payment" else "total"
            assert f"{fields[name]['amount'] / 100:.2f}" == f"{item['TotalAmt']:.2f}", recording.name
        if entity in ("Invoice", "Estimate"):
            assert map_refs(f"{entity.lower()}s", record.data)["account"] == item["CustomerRef"]["value"]
        counts[entity] += 1
    exchanges = len({recording.name for recording, _, _ in recorded})
    figures.append(f"quickbooks: {exchanges} recorded exchanges parsed, {sum(counts.values())} objects mapped")
    assert exchanges == 22
    assert counts == {"Customer": 74, "Invoice": 78, "Payment": 39, "Estimate": 19}


def test_lines_and_tax_add_up_to_the_total(recorded, quickbooks):
    invoices = [(recording, item) for recording, entity, item in recorded if entity == "Invoice"]
    assert invoices
    for recording, item in invoices:
        fields = map_source("invoices", InvoiceStream(quickbooks).record(item).data)
        net = sum(line["amount"]["amount"] for line in fields["lines"])
        assert net == fields["subtotal"]["amount"], recording.name
        assert net + fields["tax"]["amount"] == fields["total"]["amount"], recording.name
        assert fields["amount_paid"]["amount"] + fields["amount_due"]["amount"] == fields["total"]["amount"]


@pytest.mark.parametrize("entity", list(STREAMS))
def test_the_simulator_invents_no_field(recorded, quickbooks, server, entity):
    known = {key for _, kind, item in recorded if kind == entity for key in item}
    control = server.control("quickbooks", "recorded")
    customer = add_customer(control, f"For {entity}", PrimaryEmailAddr={"Address": "a@b.test"})
    job = add_customer(control, f"Job for {entity}", ParentRef={"value": customer})
    invoice = add_invoice(control, job)
    pay(control, job, (invoice["Id"], 5), PaymentRefNum="7")
    control.create("estimates", {"CustomerRef": {"value": customer}, "Line": [sold(5)]})

    listed = quickbooks.query(f"SELECT * FROM {entity}")["QueryResponse"][entity]

    assert listed
    # A payment's own reference is described, but nobody gave one in the recordings.
    assert {key for item in listed for key in item} - known <= {"PaymentRefNum"}
