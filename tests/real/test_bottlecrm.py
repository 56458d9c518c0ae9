"""What BottleCRM's lists and writes really do, and that the connector is not taken in."""

from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.types import WriteRequest
from tests.real.servers import RealServer
from tests.real.test_conformance_bottlecrm import RealBottle

pytestmark = [pytest.mark.real, pytest.mark.enable_socket]


@pytest.fixture
def firm(bottlecrm_server: RealServer) -> RealBottle:
    return RealBottle(bottlecrm_server)


@pytest.mark.parametrize("kind", ["contacts", "opportunities"])
def test_records_that_move_up_are_not_passed_over(firm: RealBottle, kind: str) -> None:
    firm.seed(kind, 9)
    stream = firm.connector().stream(kind)
    listed = [record.external_id for page in stream.read(checkpoint=None, page_size=100) for record in page.records]
    pages = stream.read(checkpoint=None, page_size=3)
    found = [next(pages), next(pages)]
    for gone in listed[:2]:
        firm.call("DELETE", f"/api/{kind}/{gone}/")

    found += list(pages)

    assert [record.external_id for page in found for record in page.records] == listed


def test_a_server_says_yes_to_values_it_drops(firm: RealBottle) -> None:
    (made,) = firm.seed("opportunities", 1)
    answer = firm.call("PATCH", f"/api/opportunities/{made}/", {"custom_fields": {"nobody_knows": "x"}})

    assert answer["error"] is False
    assert firm.call("GET", f"/api/opportunities/{made}/")["opportunity_obj"]["custom_fields"] == {}


def test_an_update_keeps_other_contacts_and_fields(firm: RealBottle) -> None:
    first, second = firm.seed("contacts", 2)
    sink = firm.connector().sink("opportunities")
    values: dict[str, Any] = {**firm.values("opportunities"), "contact": first, "cf_invoice_number": "INV-1"}
    (made,) = sink.write([WriteRequest(key="real-1", payload=values)])
    assert made.record is not None, made.error

    change = {"contact": second, "cf_paid_amount": 5.0, "stage_kind": "won"}
    (changed,) = sink.write([WriteRequest(key="real-2", payload=change, external_id=made.record.external_id)])

    assert changed.record is not None, changed.error
    assert {person["id"] for person in changed.record.data["contacts"]} == {first, second}
    assert changed.record.data["custom_fields"] == {"sync_ref": "real-1", "invoice_number": "INV-1", "paid_amount": 5.0}
    assert changed.record.data["stage_kind"] == "won"
