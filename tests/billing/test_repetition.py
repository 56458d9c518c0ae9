"""What is done again changes nothing and leaves no second entry in the trail."""

from __future__ import annotations

from datetime import timedelta

from apps.audit.models import AuditEvent
from apps.billing.models import BillingPeriod, PlanVersion
from apps.billing.services import archive_plan, cancel_subscription
from apps.core.actor import Actor
from tests.billing.conftest import OCTOBER, SUBJECT

FIRST, SECOND = OCTOBER + timedelta(days=1), OCTOBER + timedelta(days=2)


def test_a_plan_is_archived_once(plan: PlanVersion, owner_actor: Actor) -> None:
    archive_plan(actor=owner_actor, now=FIRST, plan=plan.plan)
    archived = archive_plan(actor=owner_actor, now=SECOND, plan=plan.plan)

    event = AuditEvent.objects.get(action="billing.plan.archived")
    assert (archived.archived_at, event.at, event.target_key) == (FIRST, FIRST, f"plan:{archived.pk}")


def test_a_subscription_is_canceled_once(october: BillingPeriod, owner_actor: Actor) -> None:
    subscription = october.subscription

    cancel_subscription(actor=owner_actor, now=FIRST, subscription=subscription)
    canceled = cancel_subscription(actor=owner_actor, now=SECOND, subscription=subscription)

    event = AuditEvent.objects.get(action="billing.subscription.canceled")
    assert (canceled.canceled_at, event.at) == (FIRST, FIRST)
    assert (event.target_key, event.owner_key) == (f"subscription:{canceled.pk}", SUBJECT)
