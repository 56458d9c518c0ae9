"""What recurs, how it moves, what was invoiced, who owes: exact, and never across currencies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.models import BillingAccount, Invoice, InvoiceStatus, LegalEntity, PlanVersion
from apps.billing.revenue import (
    Fee,
    Movement,
    collected_since,
    invoiced_by_month,
    list_debts,
    list_fees,
    recurring_movements,
    total_debts,
)
from apps.billing.services import (
    NewPrice,
    cancel_subscription,
    create_plan,
    open_account,
    record_payment,
    subscribe,
    void_invoice,
    write_off_invoice,
)
from apps.core.actor import Actor
from apps.core.money import Money

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MONTHS = [BEGIN, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
TODAY = date(2026, 11, 20)
ANA, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))


def fee(account: UUID, amount: int, start: int, end: int | None = None, currency: str = "EUR") -> Fee:
    canceled_at = None if end is None else BEGIN + DAY * end
    return Fee(account, currency, Decimal(amount), BEGIN + DAY * start, canceled_at)


def figures(moved: Movement) -> tuple[int, ...]:
    return moved.opening, moved.new, moved.expansion, moved.contraction, moved.churn, moved.closing


MOVES = [
    ("a new customer", [fee(ANA, 100, 3)], [(0, 100, 0, 0, 0, 100), (100, 0, 0, 0, 0, 100)]),
    ("a customer leaves", [fee(ANA, 100, -9, 40)], [(100, 0, 0, 0, 0, 100), (100, 0, 0, 0, 100, 0)]),
    ("came and left within a month", [fee(ANA, 100, 3, 9)], [(0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0)]),
    ("a larger plan", [fee(ANA, 100, -9, 3), fee(ANA, 150, 3)], [(100, 0, 50, 0, 0, 150), (150, 0, 0, 0, 0, 150)]),
    ("a smaller plan", [fee(ANA, 150, -9, 3), fee(ANA, 100, 3)], [(150, 0, 0, 50, 0, 100), (100, 0, 0, 0, 0, 100)]),
    (
        "all at once",
        [fee(ANA, 100, -9, 3), fee(ANA, 150, 3), fee(BEN, 70, -9, 5), fee(CLEO, 30, 8)],
        [(170, 30, 50, 0, 70, 180), (180, 0, 0, 0, 0, 180)],
    ),
    ("a start on the boundary counts from there", [fee(ANA, 100, 30)], [(0, 100, 0, 0, 0, 100), (100, 0, 0, 0, 0, 100)]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "fees", "expected"), MOVES, ids=[case[0] for case in MOVES])
def test_movements(case: str, fees: list[Fee], expected: list[tuple[int, ...]]) -> None:
    found = recurring_movements([*fees, fee(UUID(int=9), 1, -99)], MONTHS)["EUR"]

    assert [tuple(one - base for one, base in zip(figures(moved), (1, 0, 0, 0, 0, 1), strict=True)) for moved in found] == expected  # fmt: skip


def test_currencies_are_never_added_up() -> None:
    found = recurring_movements([fee(ANA, 100, 0), fee(BEN, 900, 0, currency="JPY")], MONTHS)

    assert {currency: figures(steps[-1]) for currency, steps in found.items()} == {
        "JPY": (900, 0, 0, 0, 0, 900),
        "EUR": (100, 0, 0, 0, 0, 100),
    }


FEES = st.lists(
    st.builds(
        fee, st.sampled_from([ANA, BEN, CLEO]), st.integers(0, 9), st.integers(-40, 80),
        st.one_of(st.none(), st.integers(-40, 80)), st.sampled_from(["EUR", "USD"]),
    )
)  # fmt: skip


@given(fees=FEES)
def test_every_step_adds_up_and_begins_where_the_last_one_ended(fees: list[Fee]) -> None:
    for steps in recurring_movements(fees, MONTHS).values():
        for moved in steps:
            assert moved.opening + moved.new + moved.expansion - moved.contraction - moved.churn == moved.closing
            assert min(moved.new, moved.expansion, moved.contraction, moved.churn) >= 0
        assert [moved.closing for moved in steps[:-1]] == [moved.opening for moved in steps[1:]]


def test_flat_fees_of_live_subscriptions_recur(account: BillingAccount, plan: PlanVersion, owner_actor: Actor) -> None:
    subscription = subscribe(actor=owner_actor, now=BEGIN, account=account, plan_version=plan)
    cancel_subscription(actor=owner_actor, now=BEGIN + 9 * DAY, subscription=subscription)

    assert list_fees(owner_actor) == [Fee(account.pk, "EUR", Decimal(49000), BEGIN, BEGIN + 9 * DAY)]


def invoice(
    account: BillingAccount, number: str, issued: date, *lines: tuple[str, int], due: date | None = None
) -> Invoice:
    """An open one, its lines as (meter, amount)."""
    total = sum(amount for _, amount in lines)
    made = Invoice.objects.create(
        account=account, legal_entity=account.legal_entity, currency=account.currency, issue_date=issued,
        due_date=due or issued + 14 * DAY, subtotal_amount=total, total_amount=total, created_at=BEGIN,
    )  # fmt: skip
    for position, (meter, amount) in enumerate(lines, start=1):
        made.lines.create(
            position=position, description="x", meter=meter, quantity=1, unit_amount=amount, amount=amount
        )
    Invoice.objects.filter(pk=made.pk).update(status=InvoiceStatus.OPEN, number=number)
    made.refresh_from_db()
    return made


@pytest.fixture
def dollars(account: BillingAccount, owner_actor: Actor) -> BillingAccount:
    return open_account(
        actor=owner_actor, now=BEGIN, subject_key=f"customer:{UUID(int=5)}", legal_name="Dollar Inc", currency="USD"
    )


def test_what_was_invoiced_is_shown_by_month_and_kind(
    account: BillingAccount, dollars: BillingAccount, owner_actor: Actor
) -> None:
    invoice(account, "1", date(2026, 9, 30), ("", 100), ("records_synced", 25))
    gone = invoice(account, "2", date(2026, 10, 1), ("", 999))
    lost = invoice(account, "3", date(2026, 10, 31), ("", 200))
    invoice(account, "0", date(2026, 8, 31), ("", 5000))
    invoice(dollars, "4", date(2026, 11, 1), ("records_synced", 7))
    void_invoice(actor=owner_actor, now=BEGIN, invoice=gone, reason="Twice")
    write_off_invoice(actor=owner_actor, now=BEGIN, invoice=lost, reason="Bankrupt")

    found = invoiced_by_month(owner_actor, [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)])

    assert {currency: [(m.recurring, m.usage) for m in months] for currency, months in found.items()} == {
        "EUR": [(100, 25), (200, 0), (0, 0)],
        "USD": [(0, 0), (0, 0), (0, 7)],
    }


AGED = [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (-5, 0)]


@pytest.mark.parametrize(("days", "bucket"), AGED)
def test_debts_age_by_the_day(account: BillingAccount, owner_actor: Actor, days: int, bucket: int) -> None:
    owed = invoice(account, "1", date(2026, 7, 1), ("", 1000), due=TODAY - timedelta(days=days))
    record_payment(
        actor=owner_actor, now=MONTHS[2], invoice=owed, amount=1, paid_on=date(2026, 10, 1), method="cash", key="k"
    )

    debts = list_debts(owner_actor, TODAY)

    assert [debt.amounts for debt in debts] == [tuple(999 if place == bucket else 0 for place in range(5))]
    assert (debts[0].owed, debts[0].overdue, debts[0].invoice_count) == (999, 999 if bucket else 0, 1)


def test_debts_are_totalled_by_currency(account: BillingAccount, dollars: BillingAccount, owner_actor: Actor) -> None:
    invoice(account, "1", date(2026, 10, 1), ("", 100))
    invoice(account, "2", date(2026, 11, 19), ("", 50))
    invoice(dollars, "3", date(2026, 11, 19), ("", 70))
    write_off_invoice(actor=owner_actor, now=BEGIN, invoice=invoice(dollars, "4", TODAY, ("", 9)), reason="Bankrupt")

    totals = total_debts(list_debts(owner_actor, TODAY))

    assert {currency: (debt.amounts, debt.invoice_count) for currency, debt in totals.items()} == {
        "EUR": ((50, 0, 100, 0, 0), 2),
        "USD": ((70, 0, 0, 0, 0), 1),
    }


def test_money_received_is_counted_from_its_day(account: BillingAccount, owner_actor: Actor) -> None:
    owed = invoice(account, "1", date(2026, 10, 1), ("", 100))
    for day, amount in ((30, 10), (31, 20)):
        record_payment(
            actor=owner_actor, now=MONTHS[2], invoice=owed, amount=amount, paid_on=date(2026, 10, day), method="cash",
            key=str(day),
        )  # fmt: skip

    assert collected_since(owner_actor, date(2026, 10, 31)) == {"EUR": Money(20, "EUR")}


def test_a_customer_sees_its_own_money_only(
    account: BillingAccount, dollars: BillingAccount, issuer: LegalEntity
) -> None:
    from apps.core.actor import ActorKind

    own = Actor(ActorKind.USER, "u", "U", scope=frozenset({UUID(int=5)}))
    invoice(account, "1", date(2026, 10, 1), ("", 100))
    invoice(dollars, "2", date(2026, 10, 1), ("", 70))

    assert [debt.account_name for debt in list_debts(own, TODAY)] == ["Dollar Inc"]
    assert list(invoiced_by_month(own, [date(2026, 10, 1)])) == ["USD"]


def test_a_plan_without_a_fee_recurs_nothing(account: BillingAccount, owner_actor: Actor) -> None:
    usage_only = create_plan(
        actor=owner_actor, now=BEGIN, name="Pay as you go", currency="EUR",
        prices=[NewPrice(label="Records", meter="records_synced", unit_amount=Decimal(2))],
    )  # fmt: skip
    subscribe(actor=owner_actor, now=BEGIN, account=account, plan_version=usage_only)

    assert recurring_movements(list_fees(owner_actor), MONTHS) == {}
