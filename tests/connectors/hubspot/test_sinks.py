"""Writing to HubSpot: one batch, one mark, no second object."""

from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.errors import ConfigurationError, RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.vendors.hubspot import HubSpotConnector
from apps.core import expressions
from sandbox.testing import AccountControl
from tests.connectors.hubspot.test_streams import account, connector, control

__all__ = ["account", "connector", "control"]
CREATE = "/crm/v3/objects/deals/batch/upsert"


def request(key: str, external_id: str | None = None, **payload: Any) -> WriteRequest:
    return WriteRequest(key=key, payload=payload, external_id=external_id)


def posts(control: AccountControl, prefix: str) -> int:
    return sum(1 for r in control.requests() if r["method"] == "POST" and r["path"].startswith(prefix))


def test_a_hundred_creates_cost_one_upsert(connector: HubSpotConnector, control: AccountControl) -> None:
    results = connector.sink("deals").write([request(f"k{n}", dealname=f"D{n}") for n in range(100)])

    assert [result.error for result in results] == [None] * 100
    assert posts(control, CREATE) == 1
    assert {e["properties"]["sync_ref"]: e["properties"]["dealname"] for e in control.objects("deals")} == {
        f"k{n}": f"D{n}" for n in range(100)
    }


def test_the_portals_properties_are_made_once(connector: HubSpotConnector, control: AccountControl) -> None:
    sink = connector.sink("deals")

    sink.write([request("k1", dealname="D")])
    sink.write([request("k2", dealname="D")])
    connector.sink("deals").write([request("k3", dealname="D")])

    made = [
        r["body"]["name"]
        for r in control.requests()
        if (r["method"], r["path"]) == ("POST", "/crm/v3/properties/deals")
    ]
    assert made == ["sync_ref", "payment_status", "invoice_number", "invoiced_amount", "paid_amount"]


def test_a_property_another_worker_just_made_is_fine(connector: HubSpotConnector, control: AccountControl) -> None:
    control.fault("status", method="POST", path_prefix="/crm/v3/properties/companies", status=409)

    # The simulator refuses without making the property, so the create itself fails: not on the 409.
    (result,) = connector.sink("companies").write([request("k1", name="C")])

    assert isinstance(result.error, RecordRejected)
    assert result.error.status == 400


def test_a_token_that_may_not_make_properties_is_the_customers_to_mend(
    connector: HubSpotConnector, control: AccountControl
) -> None:
    control.fault("status", method="POST", path_prefix="/crm/v3/properties", status=403)

    with pytest.raises(ConfigurationError):
        connector.sink("companies").write([request("k1", name="C")])

    assert control.objects("companies") == []


def test_one_refused_update_stops_no_other(connector: HubSpotConnector, control: AccountControl) -> None:
    first, second = (entry["id"] for entry in control.create("deals", [{"dealname": "A"}, {"dealname": "B"}]))

    results = connector.sink("deals").write(
        [
            request("k1", first, payment_status="paid"),
            request("k2", second, payment_status="nonsense"),
            request("k3", "12345", payment_status="paid"),
        ]
    )

    assert results[0].record is not None
    assert results[0].record.data["properties"]["payment_status"] == "paid"
    assert isinstance(results[1].error, RecordRejected)
    assert "nonsense was not one of the allowed options" in results[1].error.message
    assert (type(results[2].error), results[2].error.code) == (RecordRejected, "OBJECT_NOT_FOUND")  # type: ignore[union-attr]


def test_null_leaves_a_value_and_empty_text_clears_it(connector: HubSpotConnector, control: AccountControl) -> None:
    made = control.create("companies", {"name": "C", "phone": "1", "website": "w.example"})["id"]

    connector.sink("companies").write([request("k1", made, name="C2", phone=None, website="")])

    (held,) = control.objects("companies")
    assert held["properties"]["name"] == "C2"
    assert held["properties"]["phone"] == "1"
    assert "website" not in held["properties"]


def test_associations_are_made_and_read_back(connector: HubSpotConnector, control: AccountControl) -> None:
    company = control.create("companies", {"name": "C"})["id"]

    good, bad = connector.sink("deals").write(
        [
            request("k1", dealname="A", associated_companies=company),
            request("k2", dealname="B", associated_companies="999"),
        ]
    )

    assert good.record is not None
    assert good.record.data["associations"] == {"companies": company, "contacts": None}
    assert isinstance(bad.error, RecordRejected)


def test_an_upsert_repeated_after_a_lost_answer_makes_no_second_deal(
    connector: HubSpotConnector, control: AccountControl
) -> None:
    sink = connector.sink("deals")
    batch = [request(f"k{n}", dealname=f"D{n}") for n in range(3)]
    control.fault("timeout_after_commit", method="POST", path_prefix=CREATE)

    with pytest.raises(TransientError):
        sink.write(batch)
    found = sink.resolve("k1")
    again = sink.write(batch)

    assert found is not None
    assert again[1].record is not None
    assert again[1].record.external_id == found.external_id
    assert len(control.objects("deals")) == 3


def test_the_mapping_writes_payment_facts(connector: HubSpotConnector) -> None:
    spec = connector.manifest.sink("deals")
    record = {
        "name": "Roll-out",
        "stage": "open",
        "amount": {"amount": 125050, "currency": "EUR"},
        "close_date": "2026-12-31",
        "payment_status": "part_paid",
        "invoice_number": "INV-7",
        "invoiced_amount": {"amount": 100000, "currency": "EUR"},
        "paid_amount": None,
    }

    payload = expressions.compile(spec.fields).evaluate({"record": record, "refs": {"account": "5", "contact": None}})

    assert payload == {
        "dealname": "Roll-out",
        "amount": "1250.50",
        "deal_currency_code": "EUR",
        "payment_currency": "EUR",
        "closedate": "2026-12-31",
        "dealstage": None,
        "payment_status": "part_paid",
        "invoice_number": "INV-7",
        "invoiced_amount": "1000.00",
        "paid_amount": None,
        "associated_companies": "5",
        "associated_contacts": None,
    }


def test_a_new_deal_names_its_currency(connector: HubSpotConnector, control: AccountControl) -> None:
    made, foreign = connector.sink("deals").write([
        request("k1", dealname="D", amount="10.00", deal_currency_code="USD", payment_currency="USD", paid_amount="1.00"),
        request("k2", dealname="E", deal_currency_code="USD", payment_currency="EUR", paid_amount="1.00"),
    ])  # fmt: skip

    assert made.record is not None
    assert made.record.data["currency"] == "USD"
    assert [deal["properties"].get("payment_currency") for deal in control.objects("deals")] == [None]
    assert (str(foreign.error), foreign.error.code) == ("this deal is in USD, the payment in EUR", "currency")


@pytest.mark.parametrize("kept, named", [("JPY", {"deal_currency_code": "JPY"}), ("EUR", {})])
def test_payments_in_another_currency_than_the_deals_are_refused(
    connector: HubSpotConnector, control: AccountControl, kept: str, named: dict[str, str]
) -> None:
    """A deal that names none is in the portal's."""
    first, second = (control.create("deals", {"dealname": name, **named})["id"] for name in "DE")

    wrong, right = connector.sink("deals").write([
        request("k1", first, paid_amount="10", payment_currency="USD"),
        request("k2", second, paid_amount="20", payment_currency=kept),
    ])  # fmt: skip

    assert str(wrong.error) == f"this deal is in {kept}, the payment in USD"
    assert right.error is None
    paid = {deal["id"]: deal["properties"].get("paid_amount") for deal in control.objects("deals")}
    assert paid == {first: None, second: "20"}


def test_a_portal_without_the_property_keeps_one_currency(
    connector: HubSpotConnector, control: AccountControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = connector.sink("deals")
    sink.write([request("k0", dealname="D")])
    monkeypatch.setattr(sink, "_known", sink._known - {"deal_currency_code"})

    right, wrong = sink.write([
        request("k1", dealname="E", deal_currency_code="EUR"), request("k2", dealname="F", deal_currency_code="USD"),
    ])  # fmt: skip

    assert right.error is None
    assert str(wrong.error) == "this portal keeps EUR, the deal is in USD"
    assert [deal["properties"].get("deal_currency_code") for deal in control.objects("deals")] == [None, None]
