from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.audit.services import record_change
from apps.billing.models import BillingAccount, BillingPeriod, PlanVersion, Subscription, SubscriptionStatus
from apps.billing.periods import period_around
from apps.core.actor import Actor
from apps.core.clock import local_date
from apps.core.errors import AnticipatedError
from apps.dispatch.services import schedule

# Late records of the last minutes of a month still count in it.
CLOSE_GRACE = timedelta(hours=1)
CLOSE_KIND = "billing.close_period"


class UnableToSubscribe(AnticipatedError):
    """The account cannot take this plan."""

    code = "unable_to_subscribe"


@transaction.atomic
def subscribe(
    *, actor: Actor, now: datetime, account: BillingAccount, plan_version: PlanVersion, anchor: date | None = None
) -> Subscription:
    """This function will start a subscription and its first period. Months begin on the anchor's day (default: the 1st).

    Raises UnableToSubscribe for another currency, an archived plan, or a second live subscription.
    """
    actor.require("billing.manage")
    if plan_version.currency != account.currency:
        raise UnableToSubscribe(
            f"This plan is in {plan_version.currency}; the customer is billed in {account.currency}."
        )
    if plan_version.plan.archived_at is not None:
        raise UnableToSubscribe("This plan is archived. Choose another one.")
    started_on = local_date(now, account.time_zone)
    try:
        with transaction.atomic():
            subscription = Subscription.objects.create(
                account=account,
                plan_version=plan_version,
                billing_cycle_anchor=anchor or started_on.replace(day=1),
                started_at=now,
            )
    except IntegrityError as error:
        raise UnableToSubscribe("This customer already has a subscription. Cancel it first.") from error
    open_period(subscription=subscription, instant=now)
    record_change(
        actor=actor, now=now, target=subscription, action="billing.subscription.started",
        after={"plan": str(plan_version)},
    )  # fmt: skip
    return subscription


def open_period(*, subscription: Subscription, instant: datetime) -> BillingPeriod:
    """This function will make sure the period around `instant` stands and will be closed when it is over."""
    return open_periods([(subscription, instant)])[0]


def open_periods(wanted: Sequence[tuple[Subscription, datetime]]) -> list[BillingPeriod]:
    """The same for many subscriptions, each once."""
    periods = []
    for subscription, instant in wanted:
        start, end = period_around(instant, subscription.billing_cycle_anchor, subscription.account.time_zone)
        periods.append(BillingPeriod(subscription=subscription, period_start=start, period_end=end))
    BillingPeriod.objects.bulk_create(periods, ignore_conflicts=True)
    same = Q(*[Q(subscription=one.subscription, period_start=one.period_start) for one in periods], _connector=Q.OR)
    found = {one.subscription_id: one for one in BillingPeriod.objects.filter(same)} if periods else {}
    for period in found.values():
        schedule(kind=CLOSE_KIND, key=str(period.pk), due_at=period.period_end + CLOSE_GRACE)
    return [found[one.subscription_id] for one in periods]


@transaction.atomic
def cancel_subscription(*, actor: Actor, now: datetime, subscription: Subscription) -> Subscription:
    """This function will end the subscription now; the running period is still billed when it closes.

    Doing so again changes nothing.
    """
    actor.require("billing.manage")
    going_on = Subscription.objects.filter(pk=subscription.pk).exclude(status=SubscriptionStatus.CANCELED)
    canceled = going_on.update(status=SubscriptionStatus.CANCELED, canceled_at=now)
    subscription.refresh_from_db()
    if canceled:
        record_change(actor=actor, now=now, target=subscription, action="billing.subscription.canceled")
    return subscription
