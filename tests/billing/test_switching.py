"""Months beside each other, of one plan and the next or waiting to be issued: nothing used is charged twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.billing.models import BillingPeriod, Invoice, PlanVersion, UsageCharge, UsageEvent
from apps.billing.selectors import billable_usage
from apps.billing.services import NewPrice, cancel_subscription, close_periods, create_plan, issue_invoices, subscribe
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.customers.services import archive_customer
from tests.billing.conftest import OCTOBER, SUBJECT, use
from tests.billing.test_invoices import AFTER

SWITCH = OCTOBER + timedelta(days=15)


@pytest.fixture
def customer(partner: object) -> Customer:
    """Whose account it is."""
    return Customer.objects.create(id=SUBJECT.partition(":")[2], name="Brightwater", slug="b", created_at=OCTOBER)


@pytest.fixture
def dearer(october: BillingPeriod, owner_actor: Actor) -> PlanVersion:
    price = NewPrice(label="Records", meter="records_synced", unit_amount=Decimal(5))
    return create_plan(actor=owner_actor, now=OCTOBER, name="Premium", currency="EUR", prices=[price])


@pytest.fixture
def months(october: BillingPeriod, dearer: PlanVersion, owner_actor: Actor) -> list[BillingPeriod]:
    """October of the old plan and of the new one, with usage before and after the switch."""
    use(1500, key="run:before", at=SWITCH - timedelta(hours=1))
    old = october.subscription
    cancel_subscription(actor=owner_actor, now=SWITCH, subscription=old)
    new = subscribe(actor=owner_actor, now=SWITCH, account=old.account, plan_version=dearer)
    use(200, key="run:after", at=SWITCH + timedelta(hours=1))
    return [october, new.periods.get()]


def drafts(months: list[BillingPeriod]) -> list[Invoice]:
    return close_periods(period_ids=[month.pk for month in months], now=AFTER)


def test_what_is_used_after_the_switch_is_charged_by_the_new_plan(months: list[BillingPeriod]) -> None:
    found = {draft.period_id: draft.lines.get(meter="records_synced") for draft in drafts(months)}

    old, new = (found[month.pk] for month in months)
    assert (old.quantity, old.amount) == (500, 625)
    assert (new.quantity, new.amount) == (200, 1000)
    assert [list(billable_usage(month).values_list("key", flat=True)) for month in months] == [
        ["run:before"], ["run:after"],
    ]  # fmt: skip


def test_both_are_issued_together_and_charge_each_use_once(months: list[BillingPeriod], owner_actor: Actor) -> None:
    issued = issue_invoices(actor=owner_actor, now=AFTER, invoices=drafts(months))

    assert sorted(invoice.subtotal_amount for invoice in issued) == [1000, 49625]
    assert UsageCharge.objects.count() == UsageEvent.objects.count() == 2


def test_what_comes_late_of_the_old_plan_is_not_lost(months: list[BillingPeriod], owner_actor: Actor) -> None:
    issue_invoices(actor=owner_actor, now=AFTER, invoices=drafts(months))
    use(30, key="run:late", at=SWITCH - timedelta(days=1))

    current = months[1].subscription.periods.order_by("-period_start").first()
    assert current is not None
    assert list(billable_usage(current).values_list("key", flat=True)) == ["run:late"]


def test_what_is_used_between_two_plans_is_charged_by_neither(
    october: BillingPeriod, dearer: PlanVersion, owner_actor: Actor
) -> None:
    use(1500, key="run:october")
    old = october.subscription
    cancel_subscription(actor=owner_actor, now=SWITCH, subscription=old)
    issue_invoices(actor=owner_actor, now=AFTER, invoices=drafts([october]))
    use(9000, key="run:between", at=AFTER + timedelta(days=1))
    use(30, key="run:late", at=SWITCH)
    again = subscribe(actor=owner_actor, now=AFTER + timedelta(days=9), account=old.account, plan_version=dearer)
    use(7, key="run:new", at=again.started_at)

    assert list(billable_usage(again.periods.get()).values_list("key", flat=True)) == ["run:new"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["older first", "newer first"])
def test_two_months_that_waited_charge_their_own_use(
    october: BillingPeriod, owner_actor: Actor, order: tuple[int, int]
) -> None:
    use(1500, key="run:october")
    october_draft = close_periods(period_ids=[october.pk], now=AFTER)
    november = october.subscription.periods.latest("period_start")
    use(1200, key="run:november", at=november.period_start + timedelta(days=1))
    both = [*october_draft, *close_periods(period_ids=[november.pk], now=november.period_end + timedelta(hours=2))]

    later = november.period_end + timedelta(hours=2)
    for one in order:
        issue_invoices(actor=owner_actor, now=later, invoices=[both[one]])

    assert [one.lines.get(meter="records_synced").quantity for one in both] == [500, 200]


def test_two_months_are_issued_together(october: BillingPeriod, owner_actor: Actor) -> None:
    use(1500, key="run:october")
    first = close_periods(period_ids=[october.pk], now=AFTER)
    november = october.subscription.periods.latest("period_start")
    later = november.period_end + timedelta(hours=2)

    issued = issue_invoices(
        actor=owner_actor, now=later, invoices=[*first, *close_periods(period_ids=[november.pk], now=later)]
    )

    assert [one.lines.get(meter="records_synced").quantity for one in issued] == [500, 0]


def test_a_customer_that_is_archived_is_billed_for_the_running_month_and_no_more(
    customer: Customer, october: BillingPeriod, owner_actor: Actor
) -> None:
    archive_customer(actor=owner_actor, now=SWITCH, customer=customer)

    drafts = close_periods(period_ids=[october.pk], now=AFTER)

    assert [draft.subtotal_amount for draft in drafts] == [49000]
    assert BillingPeriod.objects.count() == 1
