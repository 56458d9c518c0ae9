"""A customer's records and own fields handed over to the customer it joins, and back, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.canonical.models import CanonicalRecord, CustomField, MergePlan
from apps.core.bulk import execute

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


def shared_fields(plan: MergePlan) -> list[tuple[CustomField, CustomField]]:
    """Own fields that both customers have: (ours, theirs)."""
    own = {
        (f.entity, f.key): f
        for f in CustomField.objects.filter(Q(only_for=None) | Q(only_for_id=plan.customer_id))
    }  # fmt: skip
    theirs = CustomField.objects.filter(only_for_id=plan.other_customer_id).order_by("declared_at", "id")
    return [(own[f.entity, f.key], f) for f in theirs if (f.entity, f.key) in own]


def hand_over_records(*, plan: MergePlan, source: UUID, now: datetime) -> list[str]:
    """This function will make the records of environment `source` the plan's; returns the ids of the fields they brought."""
    fields = _declare_fields(plan, now)
    CanonicalRecord.objects.filter(environment_id=source).update(
        customer_id=plan.customer_id, environment_id=plan.environment_id
    )
    return fields


def hand_back_records(*, plan: MergePlan, connections: Collection[str]) -> None:
    """This function will hand back what came, and undo the ties made since. To be called once the systems are back."""
    given: dict[str, Any] = {
        "customer": plan.other_customer_id, "environment": plan.other_environment_id, "here": plan.environment_id,
        "plan": plan.pk, "since": plan.applied_at, "connections": [UUID(pk) for pk in connections],
    }  # fmt: skip
    execute(_RECORDS_BACK, given)
    for statement in _TIES:
        execute(statement, [[plan.environment_id, plan.other_environment_id]])


def _declare_fields(plan: MergePlan, now: datetime) -> list[str]:
    """The joining customer's own fields, for the other too: records that come may hold them."""
    shared = {other.pk for _, other in shared_fields(plan)}
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


def drop_brought_fields(*, plan: MergePlan) -> None:
    """This function will remove the fields that only the joining brought; what a record holds by now stays valid."""
    records = CanonicalRecord.objects.filter(environment__customer_id=plan.customer_id)
    for found in CustomField.objects.filter(pk__in=plan.moved["custom_fields"]):
        if records.filter(entity=found.entity, data__has_key=found.name).exists():
            CustomField.objects.filter(pk=found.pk).update(archived_at=plan.undone_at)
        else:
            found.delete()
