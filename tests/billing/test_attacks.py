"""What must hold whoever tries: numbers without gaps, states in one direction, nothing billed or booked twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    InvoiceStatus,
    LegalEntity,
    Payment,
    UsageCharge,
    UsageEvent,
)
from apps.billing.rating import PriceTerms, TaxRule, rate_invoice
from apps.billing.selectors import preview_invoice
from apps.billing.services import (
    NewPrice,
    close_periods,
    create_plan,
    issue_invoice,
    open_account,
    record_payment,
    subscribe,
    void_invoice,
    write_off_invoice,
)
from apps.billing.services.accounts import UnableToOpenAccount
from apps.billing.services.closings import UnableToVoidInvoice, UnableToWriteOffInvoice
from apps.billing.services.issuing import UnableToIssueInvoice
from apps.billing.services.payments import UnableToRecordPayment
from apps.billing.services.subscriptions import open_period
from apps.core.actor import Actor
from tests.billing.conftest import OCTOBER, SUBJECT, use
from tests.factories.invoices import draft_invoice

AFTER = datetime(2026, 11, 1, 1, tzinfo=UTC)
STATES = list(InvoiceStatus.values)
MOVES = {
    "draft>open", "draft>paid", "open>paid", "open>void", "open>uncollectible", "uncollectible>paid",
    "uncollectible>void",
}  # fmt: skip


@pytest.fixture
def issued(october: BillingPeriod, owner_actor: Actor) -> Invoice:
    use(3500, key="run:1")
    return issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))


def bare(account: BillingAccount, status: str) -> Invoice:
    """An invoice that has come to a state by allowed steps."""
    made = Invoice.objects.create(
        account=account, legal_entity=account.legal_entity, currency="EUR", created_at=OCTOBER, total_amount=100
    )
    steps = {
        "draft": [],
        "paid": ["open", "paid"],
        "void": ["open", "void"],
        "uncollectible": ["open", "uncollectible"],
    }
    for step in steps.get(status, ["open"]):
        Invoice.objects.filter(pk=made.pk).update(status=step, number="A-1")
    return made


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_the_database_lets_states_move_one_way(account: BillingAccount, before: str, after: str) -> None:
    made = bare(account, before)
    number = None if after == "draft" else "A-1"

    if before == after or f"{before}>{after}" in MOVES:
        assert Invoice.objects.filter(pk=made.pk).update(status=after, number=number) == 1
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.filter(pk=made.pk).update(status=after, number=number)


def test_a_second_click_on_a_stale_page_takes_no_number(october: BillingPeriod, owner_actor: Actor) -> None:
    draft = draft_invoice(period=october, now=AFTER)
    stale = Invoice.objects.get(pk=draft.pk)
    issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    with pytest.raises(UnableToIssueInvoice):
        issue_invoice(actor=owner_actor, now=AFTER, invoice=stale)

    assert (LegalEntity.objects.get().next_number, Invoice.objects.count()) == (2, 1)


STAGES = ["_charge_usage", "_open", "schedule_all", "record_events", "record_audits"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_crash_at_any_stage_leaves_no_gap_and_no_charge(
    october: BillingPeriod, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    use(3500, key="run:1")
    draft = draft_invoice(period=october, now=AFTER)
    monkeypatch.setattr(f"apps.billing.services.issuing.{stage}", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)
    monkeypatch.undo()

    assert (LegalEntity.objects.get().next_number, UsageCharge.objects.count()) == (1, 0)
    assert issue_invoice(actor=owner_actor, now=AFTER, invoice=draft).number == "ACME-000001"


def test_a_void_number_is_never_taken_again(issued: Invoice, october: BillingPeriod, owner_actor: Actor) -> None:
    void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Wrong recipient")
    november = open_period(subscription=october.subscription, instant=AFTER)

    later = november.period_end + timedelta(hours=1)
    second = issue_invoice(actor=owner_actor, now=later, invoice=draft_invoice(period=november, now=later))

    assert (issued.number, second.number) == ("ACME-000001", "ACME-000002")
    # What a void invoice charged is not charged by the next one.
    assert [line.used_quantity for line in preview_invoice(november).lines if line.meter] == [0]
    assert second.total_amount == 58_310


def test_a_void_month_is_not_invoiced_again(issued: Invoice, october: BillingPeriod, owner_actor: Actor) -> None:
    void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Wrong recipient")

    assert close_periods(period_ids=[october.pk], now=AFTER) == []
    assert Invoice.objects.filter(period=october).get() == issued


def pay(actor: Actor, invoice: Invoice, amount: int, key: str) -> Payment:
    return record_payment(
        actor=actor, now=AFTER, invoice=invoice, amount=amount, paid_on=AFTER.date(), method="cash", key=key
    )


def test_nothing_is_done_to_a_void_invoice(issued: Invoice, owner_actor: Actor) -> None:
    void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Wrong recipient")

    with pytest.raises(UnableToRecordPayment):
        pay(owner_actor, issued, 1, "a")
    with pytest.raises(UnableToVoidInvoice):
        void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Again")
    with pytest.raises(UnableToWriteOffInvoice):
        write_off_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Again")

    assert (Payment.objects.count(), issued.owed_amount, issued.status_reason) == (0, 0, "Wrong recipient")


def test_a_stale_page_pays_no_more_than_is_owed(issued: Invoice, owner_actor: Actor) -> None:
    stale = Invoice.objects.get(pk=issued.pk)
    pay(owner_actor, issued, issued.total_amount, "a")

    with pytest.raises(UnableToRecordPayment):
        pay(owner_actor, stale, 1, "b")
    assert pay(owner_actor, stale, issued.total_amount, "a").pk == Payment.objects.get().pk


def test_the_database_keeps_payments(issued: Invoice, owner_actor: Actor) -> None:
    pay(owner_actor, issued, 100, "a")

    for attack in (lambda: Payment.objects.update(amount=1), lambda: Payment.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            attack()
    for amount in (99, issued.total_amount + 1, -1):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.filter(pk=issued.pk).update(paid_amount=amount)


def test_an_issued_invoice_is_not_deleted(issued: Invoice) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=issued.pk)._raw_delete("default")


def test_an_invoice_over_nothing_is_paid_when_it_is_issued(account: BillingAccount, owner_actor: Actor) -> None:
    price = NewPrice(label="Records", meter="records_synced", unit_amount=Decimal(2))
    free = create_plan(actor=owner_actor, now=OCTOBER, name="Pay as you go", currency="EUR", prices=[price])
    subscription = subscribe(actor=owner_actor, now=OCTOBER, account=account, plan_version=free)

    draft = draft_invoice(period=subscription.periods.get(), now=AFTER)
    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    assert (invoice.status, invoice.paid_at, invoice.owed_amount) == (InvoiceStatus.PAID, AFTER, 0)


def test_usage_is_never_negative(october: BillingPeriod) -> None:
    with pytest.raises(ValueError, match="never negative"):
        use(-1, key="run:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageEvent.objects.create(
            key="k", subject_key=SUBJECT, meter="records_synced", quantity=-1, occurred_at=OCTOBER, recorded_at=OCTOBER
        )


def test_a_second_account_is_told_in_words(account: BillingAccount, owner_actor: Actor) -> None:
    with pytest.raises(UnableToOpenAccount):
        open_account(actor=owner_actor, now=OCTOBER, subject_key=SUBJECT, legal_name="Twin", currency="EUR")

    assert BillingAccount.objects.count() == 1


QUANTITIES = st.decimals(-1000, 1_000_000, places=3)


@given(used=QUANTITIES, included=st.decimals(0, 500_000, places=3), price=st.decimals(0, 1000, places=6))
def test_the_allowance_is_free_to_its_last_unit(used: Decimal, included: Decimal, price: Decimal) -> None:
    terms = PriceTerms(label="Records", meter="records_synced", unit_amount=price, included_quantity=included)

    line = rate_invoice([terms], {"records_synced": used}, TaxRule(category="Z", rate=Decimal(0))).lines[0]

    assert line.quantity == (used - included if used > included else 0)
    assert abs(line.amount - line.quantity * price) <= Decimal("0.5")
    assert line.amount >= 0


@given(first=st.integers(0, 100_000), more=st.integers(0, 1000), price=st.decimals(0, 100, places=6))
def test_more_usage_never_costs_less(first: int, more: int, price: Decimal) -> None:
    terms = PriceTerms(
        label="Records", meter="records_synced", unit_amount=price, included_quantity=Decimal(500)
    )  # fmt: skip
    amounts = [
        rate_invoice([terms], {"records_synced": Decimal(used)}, TaxRule(category="S", rate=Decimal(19))).total_amount
        for used in (first, first + more)
    ]

    assert amounts[0] <= amounts[1]
