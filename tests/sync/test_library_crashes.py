"""Billing milestones and releasing a deposit while the process dies at every step: each invoice stands exactly once."""

from __future__ import annotations

import pytest

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.sync.engine.crashpoints import POINTS
from apps.sync.models import ApprovalRequest
from apps.sync.services import approve
from tests.sync.fake_vendor import vendor
from tests.sync.test_crashes import mortal, run_through  # noqa: F401 - a fixture
from tests.sync.test_library import bills, eur, library_vendors, put, seed_project  # noqa: F401 - fixtures


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_milestones_are_billed_once(put, mortal, now, point, time):  # noqa: F811 - fixtures
    seed_project()
    delivery = vendor("delivery")
    delivery.put("milestones", "s1", name="Design", status="done", board="b1", amount=eur(250000))
    delivery.put("milestones", "s2", name="Go-live", status="done", board="b1", amount=eur(500000))
    flow = put("milestone-billing")
    mortal(point, time)
    for _ in range(2):
        run_through(flow, now)

    assert bills() == [[("Milestone: Design", "1", 250000), ("Milestone: Go-live", "1", 500000)]]
    assert [kind for kind, _ in vendor("billing").created] == ["clients", "bills"]
    assert CanonicalRecord.objects.filter(entity="invoice").count() == 1
    assert CanonicalLink.objects.filter(name="invoice").count() == 2


@pytest.mark.parametrize("point", POINTS)
def test_a_deposit_is_asked_about_once_and_written_once(put, mortal, owner_actor, now, point):  # noqa: F811 - fixtures
    crm = vendor("crm")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("quotes", "q1", name="Forge", status="accepted", currency="EUR", total=eur(1000000), company="c1")
    flow = put("quote-to-contract")
    mortal(point)
    run_through(flow, now)
    assert bills() == []

    approve(actor=owner_actor, now=now, approval=ApprovalRequest.objects.get())
    mortal(point)
    for _ in range(2):
        run_through(flow, now)
    assert bills() == [[("Deposit 30 % – Forge", "1", 300000)]]
    assert sorted(kind for kind, _ in vendor("erp").created) == ["parties", "projects"]
    assert ApprovalRequest.objects.count() == 1
