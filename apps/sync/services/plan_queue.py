"""Where a prepared merge waits for its next step."""

from __future__ import annotations

from datetime import datetime

from apps.audit.services import record_audit
from apps.canonical.models import MergePlan
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.dispatch.services import schedule
from apps.sync.services.runs import AWAITED

PLAN_KIND = "sync.merge_plan"
PERMISSIONS = ("integrations.manage", "errors.resolve")


class UnableToCarryOut(Conflict):
    """The plan is not in the state for this, or something stands in its way; the message says what."""


def queue_plan(plan: MergePlan, now: datetime) -> None:
    """This function will have the plan's current step worked off in the background, once the transaction commits."""
    schedule(kind=PLAN_KIND, key=str(plan.pk), due_at=now, priority=AWAITED)


def audit_plan(actor: Actor, plan: MergePlan, action: str, now: datetime, after: dict[str, str] | None = None) -> None:
    """This function will note the step in the trail of every customer concerned."""
    for customer_id in filter(None, (plan.customer_id, plan.other_customer_id)):
        record_audit(
            actor=actor, action=f"merge_plan.{action}", target_key=f"merge_plan:{plan.pk}", target_label=str(plan),
            owner_key=f"customer:{customer_id}", after=after, now=now,
        )  # fmt: skip
