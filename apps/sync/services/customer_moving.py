"""A customer's systems, integrations and records handed over to the customer it joins, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.canonical.models import MergePlan, MergePlanStatus
from apps.canonical.services.handing_over import (
    drop_brought_fields,
    hand_back_records,
    hand_over_records,
    shared_fields,
)
from apps.connectors.services.handing_over import hand_back_connections, hand_over_connections
from apps.core.bulk import execute, fetch_rows
from apps.flows.models import Integration, IntegrationStatus, RoleBinding
from apps.flows.services.handing_over import hand_over_integrations
from apps.sync.engine.catch_up import HISTORY
from apps.sync.models import Checkpoint, IntentStatus, SyncRun, WriteIntent
from apps.sync.services.plan_queue import UnableToCarryOut
from apps.sync.services.runs import ACTIVE

# What belongs to a record or a flow belongs to its owner: (table, column, owner's table).
FOLLOWERS = [
    ("flows_rolloutmember", "integration_id", "flows_integration"),
    ("canonical_matchquestion", "left_id", "canonical_canonicalrecord"),
    ("canonical_fieldquestion", "record_id", "canonical_canonicalrecord"),
    ("canonical_recordmerge", "kept_id", "canonical_canonicalrecord"),
    ("sync_writeintent", "flow_id", "flows_flow"),
    ("sync_recordfailure", "flow_id", "flows_flow"),
    ("sync_failurenote", "failure_id", "sync_recordfailure"),
    ("sync_removal", "flow_id", "flows_flow"),
    ("sync_deletionreview", "flow_id", "flows_flow"),
    ("sync_approvalrequest", "flow_id", "flows_flow"),
    ("sync_rulenotice", "flow_id", "flows_flow"),
]
_FOLLOW = """
UPDATE {table} row SET customer_id = owner.customer_id, environment_id = owner.environment_id FROM {owner} owner
WHERE owner.id = row.{column} AND row.environment_id = ANY(%s) AND row.environment_id <> owner.environment_id
"""
_LAST_CHANGE = "SELECT COALESCE(max(id), 0) FROM canonical_canonicalchange"


def let_follow(table: str, column: str, owner: str) -> None:
    """For the rooms above: their rows of a record or flow go where it goes."""
    if (table, column, owner) not in FOLLOWERS:
        FOLLOWERS.append((table, column, owner))


def demand_ready(plan: MergePlan) -> None:
    """Raises UnableToCarryOut while something of the joining customer still runs, or the two do not fit together."""
    _demand_still(Integration.objects.filter(environment_id=_there(plan)), "join")
    for own, other in shared_fields(plan):
        if own.kind != other.kind:
            raise UnableToCarryOut(
                f"Both customers have a field x_{own.key}, but {plan.customer} holds {own.get_kind_display().lower()} "
                f"in it and {plan.other_customer} {other.get_kind_display().lower()}. Map one of them to another field."
            )


def demand_undoable(plan: MergePlan) -> None:
    """Raises UnableToCarryOut while what was joined runs, or is used by what came later."""
    later = MergePlan.objects.filter(
        Q(environment_id=plan.environment_id) | Q(other_environment_id=plan.environment_id),
        other_environment__isnull=False, status=MergePlanStatus.APPLIED, applied_at__gt=plan.applied_at,
    ).select_related("customer", "other_customer").exclude(pk=plan.pk).first()  # fmt: skip
    if later is not None:
        raise UnableToCarryOut(f"{later} came later. Undo that first.")
    _demand_still(Integration.objects.filter(pk__in=plan.moved.get("integrations", [])), "undo")
    bindings = RoleBinding.objects.filter(connection_id__in=plan.moved.get("connections", {}))
    foreign = bindings.exclude(integration_id__in=plan.moved.get("integrations", [])).exclude(
        integration__status=IntegrationStatus.RETIRED
    )
    found = foreign.select_related("integration", "connection").first()
    if found is not None:
        raise UnableToCarryOut(
            f"{found.integration.name} uses {found.connection.name}, which would go back. Bind it to another first."
        )


def _there(plan: MergePlan) -> UUID:
    assert plan.other_environment_id is not None  # noqa: S101 - a joining has two sides
    return plan.other_environment_id


def _demand_still(integrations: Any, purpose: str) -> None:
    live = integrations.filter(status=IntegrationStatus.LIVE).order_by("name").first()
    if live is not None:
        after = "Resume it afterwards." if purpose == "join" else "Resume it when all is back."
        raise UnableToCarryOut(f"Pause {live.name} first, so that nothing is written meanwhile. {after}")
    running = SyncRun.objects.filter(flow__integration__in=integrations, status__in=ACTIVE)
    if (run := running.select_related("flow__integration").first()) is not None:
        raise UnableToCarryOut(f"A run of {run.flow.integration.name} has not ended yet. Wait for it, or cancel it.")
    on_its_way = WriteIntent.objects.filter(
        flow__integration__in=integrations, status__in=[IntentStatus.SENT, IntentStatus.UNCERTAIN]
    )
    if on_its_way.exists():
        raise UnableToCarryOut("It is not known yet whether a record arrived in its system. Settle that first.")


def move_over(plan: MergePlan, now: datetime) -> dict[str, Any]:
    """This function will make all that is the joining customer's the other's, in the caller's transaction and locks.

    Returns what moving back needs. The flows that come go on from here: what the customer had before is not written
    into the systems that came, and the history that came is not news to the flows that were here.
    """
    integrations = list(Integration.objects.filter(environment_id=_there(plan)).values_list("pk", flat=True))
    moved = {
        "positions": _move_positions(integrations),
        "custom_fields": hand_over_records(plan=plan, source=_there(plan), now=now),
        "connections": hand_over_connections(
            source=_there(plan), target=plan.environment, label=str(plan.other_customer)
        ),
        "integrations": [str(pk) for pk in integrations],
    }
    hand_over_integrations(ids=integrations, target=plan.environment)
    _follow(plan)
    return moved


def move_back(plan: MergePlan) -> None:
    """This function will hand back what came, and undo the ties made since, in the caller's transaction and locks."""
    moved, back = plan.moved, plan.other_environment
    assert back is not None  # noqa: S101 - a joining has two sides
    hand_back_connections(names=moved["connections"], target=back)
    hand_over_integrations(ids=moved["integrations"], target=back)
    for pk, position in moved["positions"].items():
        Checkpoint.objects.filter(pk=pk).update(position=position)
    hand_back_records(plan=plan, connections=moved["connections"])
    _follow(plan)
    drop_brought_fields(plan=plan)


def _follow(plan: MergePlan) -> None:
    for table, column, owner in FOLLOWERS:
        execute(
            _FOLLOW.format(table=table, column=column, owner=owner), [[plan.environment_id, plan.other_environment_id]]
        )


def _move_positions(integrations: list[UUID]) -> dict[str, Any]:
    """Where each flow was in the history of its old place; from now on it follows that of the new one."""
    found = Checkpoint.objects.filter(flow__integration_id__in=integrations, stream=HISTORY)
    before = {str(place.pk): place.position for place in found}
    last = fetch_rows(_LAST_CHANGE, [])[0][0]
    for place in found:
        place.position = {**place.position, "phase": "changes", "change": last}
        place.save(update_fields=["position"])
    return before
