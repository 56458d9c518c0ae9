"""Sales as quotes and subscriptions as contracts, and Trytons without these modules."""

from __future__ import annotations

import pytest

from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.vendors.tryton.manifest import MANIFEST
from sandbox.testing import RunningSandbox
from tests.connectors.erp import mapped
from tests.connectors.tryton.harness import SimulatedTryton

STATES = {
    "quotes": {"draft": "draft", "quotation": "sent", "confirmed": "accepted", "done": "accepted", "cancelled": "declined"},
    "contracts": {"draft": "draft", "quotation": "draft", "running": "active", "closed": "ended", "cancelled": "cancelled"},
}  # fmt: skip


@pytest.fixture
def firm(sandbox: RunningSandbox) -> SimulatedTryton:
    return SimulatedTryton(sandbox)


def test_a_quotation_is_a_quote(firm: SimulatedTryton) -> None:
    lines = [{"description": "Rollout", "quantity": "2", "unit_price": "150.00"}]
    made = firm.make("quotes", party=firm.party, description="Phase one", lines=lines, state="quotation")

    euros = {"amount": 30000, "currency": "EUR"}
    line = {"description": "Rollout", "quantity": "2.0", "unit_price": {**euros, "amount": 15000}, "amount": euros}
    assert mapped(MANIFEST, "quotes", firm.connector().stream("quotes").get(made)) == {
        "name": "Phase one", "number": "1", "status": "sent", "currency": "EUR", "total": euros, "lines": [line],
        "refs": {"account": str(firm.party)},
    }  # fmt: skip


def test_a_subscription_is_a_contract(firm: SimulatedTryton) -> None:
    dates = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
    made = firm.make("contracts", party=firm.party, description="Care", state="running", **dates)

    assert mapped(MANIFEST, "contracts", firm.connector().stream("contracts").get(made)) == {
        "name": "Care", "number": "1", "status": "active", "billing_method": "retainer", **dates,
        "refs": {"account": str(firm.party)},
    }  # fmt: skip


@pytest.mark.parametrize(("stream", "state"), [(stream, state) for stream, found in STATES.items() for state in found])
def test_states_read_as_they_are_meant(firm: SimulatedTryton, stream: str, state: str) -> None:
    more = {"lines": []} if stream == "quotes" else {"start_date": "2026-01-01"}
    made = firm.make(stream, party=firm.party, description="Any", state=state, **more)

    fields = mapped(MANIFEST, stream, firm.connector().stream(stream).get(made))

    assert fields["status"] == STATES[stream][state]


def test_a_tryton_without_the_module_says_so_and_works(firm: SimulatedTryton) -> None:
    firm.control.settings(hidden_models=["sale.sale"])
    firm.control.delete("ir.model", model_id(firm, "sale.sale"))

    assert firm.connector().check().account_id
    with pytest.raises(ConfigurationError, match="module sale is not activated"):
        next(iter(firm.connector().stream("quotes").read(checkpoint=None)))


def test_a_server_that_breaks_is_tried_again_later(firm: SimulatedTryton) -> None:
    firm.control.settings(hidden_models=["sale.sale"])

    with pytest.raises(Exception, match="HTTP 500") as caught:
        next(iter(firm.connector().stream("quotes").read(checkpoint=None)))
    assert type(caught.value).__name__ == "TransientError"


def model_id(firm: SimulatedTryton, name: str) -> str:
    return next(str(row["id"]) for row in firm.control.objects("ir.model") if row["name"] == name)
