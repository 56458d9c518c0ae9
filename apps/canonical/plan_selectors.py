"""Prepared merges as lists and numbers."""

from __future__ import annotations

from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from apps.canonical.models import CanonicalRecord, MergeOutcome, MergePlan, MergePlanStatus, PlannedMerge, RecordMerge
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible

# What a person should look at comes first.
ORDER = (
    MergeOutcome.ERROR, MergeOutcome.CONFLICT, MergeOutcome.ASK, MergeOutcome.MERGE, MergeOutcome.LINK, MergeOutcome.NEW,
    MergeOutcome.KNOWN,
)  # fmt: skip


def list_merge_plans(actor: Actor, source: str = "") -> QuerySet[MergePlan]:
    """Newest first."""
    visible = MergePlan.objects.visible_to(actor).select_related(
        "customer", "environment", "other_customer", "other_environment", "left", "right"
    )
    found: QuerySet[MergePlan] = visible.order_by("-requested_at", "-id")
    return found.filter(source=source) if source else found


def get_merge_plan(actor: Actor, plan_id: UUID) -> MergePlan:
    """Raises NotVisible."""
    return get_visible(list_merge_plans(actor), plan_id, "There is no such import or joining.")


def planned_rows(plan: MergePlan, outcomes: list[str] | None = None, text: str = "") -> QuerySet[PlannedMerge]:
    """What needs a look first, then by line; `rank` is the order. `text`: part of a title or an id."""
    ranks = [When(outcome=outcome, then=Value(rank)) for rank, outcome in enumerate(ORDER)]
    rows = plan.rows.annotate(rank=Case(*ranks, default=Value(len(ORDER)), output_field=IntegerField()))
    if text:
        names = ("left_title", "right_title", "left_key", "right_key")
        rows = rows.filter(reduce(or_, (Q(**{f"{name}__icontains": text}) for name in names)))
    return (rows.filter(outcome__in=outcomes) if outcomes else rows).order_by("rank", "position")


def get_planned_row(plan: MergePlan, position: int) -> PlannedMerge:
    """Raises NotVisible."""
    found = plan.rows.filter(position=position).first()
    if found is None:
        raise NotVisible("There is no such line.")
    return found


def count_outcomes(plan: MergePlan) -> dict[str, int]:
    """Every outcome that occurs, in the order of the list; what was not looked at yet is not in it."""
    found = dict(plan.rows.exclude(outcome="").values_list("outcome").annotate(Count("id")))
    return {str(outcome): found[outcome] for outcome in ORDER if outcome in found}


def records_of(row: PlannedMerge) -> tuple[CanonicalRecord | None, CanonicalRecord | None]:
    """(left, right) as they stand; the one that ended in the merge is None."""
    found = CanonicalRecord.objects.in_bulk([i for i in (row.left_id, row.right_id) if i])
    return (
        found.get(row.left_id) if row.left_id else None,
        found.get(row.right_id) if row.right_id else None,
    )


def plan_progress(plan: MergePlan) -> tuple[int, int]:
    """(done, of how many): records looked at or carried out, or merges parted."""
    if plan.status not in (MergePlanStatus.UNDOING, MergePlanStatus.UNDONE):
        return plan.done_count, plan.total
    return plan.done_count, RecordMerge.objects.filter(batch_id=plan.pk).count()
