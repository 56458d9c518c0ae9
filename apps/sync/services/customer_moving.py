"""A customer's systems, integrations and records handed over to the customer it joins, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.canonical.models import CanonicalRecord, CustomField, MergePlan, MergePlanStatus
from apps.connectors.models import Connection
from apps.core.bulk import execute, fetch_rows
from apps.flows.models import Flow, Integration, IntegrationStatus, RoleBinding
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
# Those that came, and those that only the systems that came have shown since.
_RECORDS_BACK = """
UPDATE canonical_canonicalrecord record SET customer_id = %(customer)s, environment_id = %(environment)s
WHERE environment_id = %(here)s AND (
    id IN (SELECT left_id FROM canonical_plannedmerge WHERE plan_id = %(plan)s)
    OR created_at >= %(since)s AND (
        SELECT bool_and(xref.connection_id = ANY(%(connections)s)) FROM canonical_crossreference xref
        WHERE xref.record_id = record.id))
"""
# What was made between the two since: a system's id goes with the system and is recognized again when it is read.
_TIES = (
    """DELETE FROM canonical_crossreference xref USING canonical_canonicalrecord record, connectors_connection place
    WHERE record.id = xref.record_id AND place.id = xref.connection_id AND record.environment_id = ANY(%s)
      AND place.environment_id <> record.environment_id""",
    """DELETE FROM canonical_canonicallink link USING canonical_canonicalrecord source, canonical_canonicalrecord target
    WHERE source.id = link.source_id AND target.id = link.target_id AND source.environment_id = ANY(%s)
      AND target.environment_id <> source.environment_id""",
    """DELETE FROM canonical_matchquestion question
    USING canonical_canonicalrecord newcomer, canonical_canonicalrecord known
    WHERE newcomer.id = question.left_id AND known.id = question.right_id AND newcomer.environment_id = ANY(%s)
      AND known.environment_id <> newcomer.environment_id""",
)


def let_follow(table: str, column: str, owner: str) -> None:
    """For the rooms above: their rows of a record or flow go where it goes."""
    if (table, column, owner) not in FOLLOWERS:
        FOLLOWERS.append((table, column, owner))


def demand_ready(plan: MergePlan) -> None:
    """Raises UnableToCarryOut while something of the joining customer still runs, or the two do not fit together."""
    _demand_still(Integration.objects.filter(environment_id=_there(plan)), "join")
    for own, other in _shared_fields(plan):
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


def _shared_fields(plan: MergePlan) -> list[tuple[CustomField, CustomField]]:
    own = {
        (f.entity, f.key): f
        for f in CustomField.objects.filter(Q(only_for=None) | Q(only_for_id=plan.customer_id))
    }  # fmt: skip
    theirs = CustomField.objects.filter(only_for_id=plan.other_customer_id).order_by("declared_at", "id")
    return [(own[f.entity, f.key], f) for f in theirs if (f.entity, f.key) in own]


def move_over(plan: MergePlan, now: datetime) -> dict[str, Any]:
    """This function will make all that is the joining customer's the other's, in the caller's transaction and locks.

    Returns what moving back needs. The flows that come go on from here: what the customer had before is not written
    into the systems that came, and the history that came is not news to the flows that were here.
    """
    there, here = _there(plan), plan.environment_id
    connections = list(Connection.objects.filter(environment_id=there).order_by("created_at", "id"))
    integrations = list(Integration.objects.filter(environment_id=there).values_list("pk", flat=True))
    moved = {
        "connections": {str(connection.pk): connection.name for connection in connections},
        "integrations": [str(pk) for pk in integrations],
        "positions": _move_positions(integrations),
        "custom_fields": _declare_fields(plan, now),
    }
    _rename(plan, connections)
    owner = {"customer_id": plan.customer_id, "environment_id": here}
    for model in (Connection, Integration, Flow, CanonicalRecord):
        model.objects.filter(environment_id=there).update(**owner)
    _follow(plan)
    return moved


def move_back(plan: MergePlan) -> None:
    """This function will hand back what came, and undo the ties made since, in the caller's transaction and locks."""
    moved = plan.moved
    owner = {"customer_id": plan.other_customer_id, "environment_id": plan.other_environment_id}
    integrations = moved["integrations"]
    for pk, name in moved["connections"].items():
        Connection.objects.filter(pk=pk).update(name=name, **owner)
    Integration.objects.filter(pk__in=integrations).update(**owner)
    Flow.objects.filter(integration_id__in=integrations).update(**owner)
    for pk, position in moved["positions"].items():
        Checkpoint.objects.filter(pk=pk).update(position=position)
    execute(
        _RECORDS_BACK,
        {
            "customer": plan.other_customer_id, "environment": plan.other_environment_id, "here": plan.environment_id,
            "plan": plan.pk, "since": plan.applied_at, "connections": [UUID(pk) for pk in moved["connections"]],
        },
    )  # fmt: skip
    for statement in _TIES:
        execute(statement, [[plan.environment_id, plan.other_environment_id]])
    _follow(plan)
    _drop_fields(plan)


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


def _rename(plan: MergePlan, connections: list[Connection]) -> None:
    """Two systems of one customer have two names."""
    open_ones = Connection.objects.filter(environment_id=plan.environment_id, archived_at=None)
    taken = set(open_ones.values_list("name", flat=True))
    for connection in connections:
        if connection.archived_at is not None or connection.name not in taken:
            continue
        name, number = f"{connection.name[:60]} ({str(plan.other_customer)[:40]})", 2
        while name in taken:
            name, number = f"{connection.name[:60]} ({str(plan.other_customer)[:40]} {number})", number + 1
        taken.add(name)
        Connection.objects.filter(pk=connection.pk).update(name=name)


def _declare_fields(plan: MergePlan, now: datetime) -> list[str]:
    """The joining customer's own fields, for the other too: records that come may hold them."""
    shared = {other.pk for _, other in _shared_fields(plan)}
    theirs = CustomField.objects.filter(only_for_id=plan.other_customer_id).exclude(pk__in=shared)
    made = [
        CustomField(
            only_for_id=plan.customer_id, entity=f.entity, key=f.key, label=f.label, kind=f.kind, declared_at=now,
            declared_by_label=plan.applied_by_label, archived_at=f.archived_at,
        )
        for f in theirs.order_by("declared_at", "id")
    ]  # fmt: skip
    CustomField.objects.bulk_create(made)
    return [str(found.pk) for found in made]


def _drop_fields(plan: MergePlan) -> None:
    """Those that only the joining brought; what a record holds by now stays valid."""
    records = CanonicalRecord.objects.filter(environment__customer_id=plan.customer_id)
    for found in CustomField.objects.filter(pk__in=plan.moved["custom_fields"]):
        if records.filter(entity=found.entity, data__has_key=found.name).exists():
            CustomField.objects.filter(pk=found.pk).update(archived_at=plan.undone_at)
        else:
            found.delete()
