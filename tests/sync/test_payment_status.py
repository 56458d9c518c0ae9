from __future__ import annotations

import pytest

from apps.events.models import OutboxEvent
from apps.sync.models import RunStatus
from tests.sync.conftest import flow_of, run_flow
from tests.sync.fake_vendor import vendor

EUR = "EUR"


def money(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": EUR}


def seed_chain(deploy, now) -> None:
    """A won deal with a project whose time was invoiced."""
    crm, delivery = vendor("crm"), vendor("delivery")
    crm.put("companies", "c1", name="Vulcan Industries", domain="vulcan.example")
    crm.put("deals", "d1", name="Forge rollout", stage="won", company="c1", payment_status="none")
    run_flow(flow_of(deploy("opportunity-to-project")), now)
    delivery.put("users", "u1", name="Anna", email="anna@example.com", status="active")
    vendor("erp").put("employees", "m1", name="Anna", email="anna@example.com", status="active")
    board = delivery.all("boards")[0]["id"]
    delivery.put(
        "hours", "h1", work_date="2026-10-05", duration_seconds=7200, status="approved", billable=True, board=board,
        user="u1",
    )  # fmt: skip
    run = run_flow(flow_of(deploy("time-to-invoice", {"default_rate": "100.00"})), now)
    assert run.status == RunStatus.SUCCEEDED
    assert run.error_message == ""


def deal() -> dict[str, object]:
    return vendor("crm").objects["deals"]["d1"]


def test_a_deal_shows_what_was_invoiced_and_paid(deploy, now):
    seed_chain(deploy, now)
    flow = flow_of(deploy("payment-status"))
    billing = vendor("billing")
    bill = billing.all("bills")[0]

    run_flow(flow, now)
    assert (deal()["payment_status"], deal()["invoice_number"]) == ("invoiced", bill["number"])
    assert deal()["invoiced_amount"] == money(20000)

    billing.put("bills", bill["id"], amount_paid=money(5000), amount_due=money(15000))
    billing.put("receipts", "r1", amount=money(5000), paid_date="2026-11-01", bill=bill["id"])
    run_flow(flow, now)
    assert (deal()["payment_status"], deal()["paid_amount"]) == ("part_paid", money(5000))

    billing.put("bills", bill["id"], status="paid", amount_paid=money(20000), amount_due=money(0))
    run = run_flow(flow, now)
    assert (deal()["payment_status"], deal()["paid_amount"]) == ("paid", money(20000))
    assert run.updated_count == 2
    assert OutboxEvent.objects.filter(type="payment.received").count() == 1


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ("with tax", [(24990, 0), (24990, 10000), (24990, 24990)]),
        ("without tax", [(21000, 0), (21000, 8403), (21000, 21000)]),
    ],
)
def test_amounts_on_deals_are_with_tax_or_without(deploy, now, amounts, shown):
    seed_chain(deploy, now)
    billing = vendor("billing")
    bill = billing.all("bills")[0]
    flow = flow_of(deploy("payment-status", {"amounts": amounts}))

    seen = []
    for paid in (0, 10000, 24990):
        status = "paid" if paid == 24990 else "open"
        taxed = {"subtotal": money(21000), "tax": money(3990), "total": money(24990)}
        billing.put(
            "bills", bill["id"], status=status, amount_paid=money(paid), amount_due=money(24990 - paid), **taxed
        )
        run_flow(flow, now)
        seen.append((deal()["invoiced_amount"]["amount"], deal()["paid_amount"]["amount"]))

    assert seen == shown


def test_two_passes_write_nothing_more(deploy, now):
    seed_chain(deploy, now)
    flow = flow_of(deploy("payment-status"))
    run_flow(flow, now)
    before = vendor("crm").write_count

    for _ in range(2):
        run_flow(flow, now)

    assert vendor("crm").write_count == before == 1


def test_a_voided_invoice_no_longer_counts(deploy, now):
    seed_chain(deploy, now)
    flow = flow_of(deploy("payment-status"))
    run_flow(flow, now)
    vendor("billing").put("bills", vendor("billing").all("bills")[0]["id"], status="void")

    run_flow(flow, now)

    assert (deal()["payment_status"], deal()["invoice_number"], deal()["invoiced_amount"]) == ("none", None, None)


def test_an_update_touches_only_its_own_fields(deploy, now):
    seed_chain(deploy, now)
    vendor("crm").put("deals", "d1", name="Renamed by sales")

    run_flow(flow_of(deploy("payment-status")), now)

    assert (deal()["name"], deal()["payment_status"]) == ("Renamed by sales", "invoiced")
