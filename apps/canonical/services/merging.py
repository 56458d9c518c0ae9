"""Making two records one because a person said so, and parting them again exactly as they were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.audit.services import record_change
from apps.canonical.models import (
    CanonicalLink,
    CanonicalRecord,
    CrossReference,
    MatchQuestion,
    QuestionStatus,
    RecordMerge,
)
from apps.canonical.services.questions import pair_of, touch_records
from apps.canonical.snapshots import restore, take_snapshot
from apps.canonical.workspace import ChangeSource, Workspace, lock_environment
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.ids import uuid7

BOTH_DERIVED = "Both records were made by rules from records of their own. Merge those instead."


class UnableToMerge(Conflict):
    """The two cannot be one record; the message says what stands in the way."""


class UnableToUnmerge(Conflict):
    """The merge was undone already, or its record is gone."""


def is_derived(record_id: UUID) -> bool:
    """Whether a rule made the record: its id is then computed from the record it comes from (version 5)."""
    return record_id.version == 5


def merged_data(keep: dict[str, Any], drop: dict[str, Any], take: Collection[str]) -> dict[str, Any]:
    """What the one record will say: the kept one's words, the other's where it says nothing or where chosen (`take`)."""
    return {**drop, **keep, **{name: drop[name] for name in take if name in drop}}


def order_pair(first: CanonicalRecord, second: CanonicalRecord) -> tuple[CanonicalRecord, CanonicalRecord]:
    """(kept, dropped): the one a rule made stays, it would be made again; else the one known first.

    Raises UnableToMerge.
    """
    derived = [is_derived(record.pk) for record in (first, second)]
    if all(derived):
        raise UnableToMerge(BOTH_DERIVED)
    if any(derived):
        return (first, second) if derived[0] else (second, first)
    return (
        (first, second) if (first.created_at, str(first.pk)) <= (second.created_at, str(second.pk)) else (second, first)
    )


@transaction.atomic
def merge_records(
    *,
    actor: Actor,
    now: datetime,
    first: CanonicalRecord,
    second: CanonicalRecord,
    take: Collection[str] = (),
    batch_id: UUID | None = None,
) -> RecordMerge:
    """This function will make the two one: ids in systems, references and fields move, and it can be undone.

    `take`: fields in which the record that ends is right. Raises UnableToMerge, NotVisible, NotPermitted.
    """
    actor.require("errors.resolve")
    actor.require_sight(first.customer_id, "There is no such record.")
    lock_environment(first.environment_id)
    keep, drop = check_merge(first, second)
    question = MatchQuestion.objects.filter(pair=pair_of(keep.pk, drop.pk)).first()
    snapshot = take_snapshot(drop)
    merge = RecordMerge.objects.create(
        customer_id=keep.customer_id, environment_id=keep.environment_id, entity=keep.entity, kept=keep,
        dropped_id=drop.pk, dropped_title=str(drop), batch_id=batch_id, score=question.score if question else None,
        reasons=question.reasons if question else [], snapshot={}, merged_at=now, merged_by_label=actor.label,
    )  # fmt: skip
    snapshot |= _move(keep, drop) | _rewrite(keep, drop, take, now)
    RecordMerge.objects.filter(pk=merge.pk).update(snapshot=snapshot)
    _audit(actor, "records.merged", merge, now)
    merge.snapshot = snapshot
    return merge


def check_merge(first: CanonicalRecord, second: CanonicalRecord) -> tuple[CanonicalRecord, CanonicalRecord]:
    """(kept, dropped) as they stand now; nothing is written. Raises UnableToMerge."""
    keep, drop = order_pair(*_fresh(first, second))
    _check(keep, drop)
    return keep, drop


def _fresh(first: CanonicalRecord, second: CanonicalRecord) -> list[CanonicalRecord]:
    found = {r.pk: r for r in CanonicalRecord.objects.filter(pk__in=[first.pk, second.pk])}
    if len(found) != 2:
        raise UnableToMerge("One of the two records is gone.")
    return [found[first.pk], found[second.pk]]


def _check(keep: CanonicalRecord, drop: CanonicalRecord) -> None:
    if keep.entity != drop.entity or keep.environment_id != drop.environment_id:
        raise UnableToMerge("These are records of different kinds, or of different environments: they cannot be one.")
    own = set(keep.cross_references.values_list("connection_id", "object_name"))
    both = drop.cross_references.select_related("connection")
    twice = next((r for r in both if (r.connection_id, r.object_name) in own), None)
    if twice is not None:
        raise UnableToMerge(
            f"{twice.connection.name} holds both, under two ids. Merge them there first, then answer this question."
        )


def _move(keep: CanonicalRecord, drop: CanonicalRecord) -> dict[str, Any]:
    """What hangs on the record that ends, hung on the other; returns what undoing has to know."""
    CrossReference.objects.filter(record=drop).update(record=keep)
    CanonicalLink.objects.filter(target=drop).exclude(source=keep).update(target=keep)
    merges = list(RecordMerge.objects.filter(kept=drop).values_list("pk", flat=True))
    RecordMerge.objects.filter(pk__in=merges).update(kept=keep)
    return {"merges": [str(pk) for pk in merges], "inherited": _inherit_questions(keep, drop)}


def _inherit_questions(keep: CanonicalRecord, drop: CanonicalRecord) -> list[str]:
    """What was asked about the one that ends is asked, or known, of the other."""
    made = []
    for question in MatchQuestion.objects.filter(Q(left=drop) | Q(right=drop)):
        other = question.right_id if question.left_id == drop.pk else question.left_id
        pair = pair_of(keep.pk, other)
        if other == keep.pk or MatchQuestion.objects.filter(pair=pair).exists():
            continue
        question.pk = uuid7()
        question.pair, question.left_id, question.right_id = pair, keep.pk, other
        question.save(force_insert=True)
        made.append(str(question.pk))
    return made


def gains(
    keep: CanonicalRecord, drop: CanonicalRecord, take: Collection[str]
) -> tuple[dict[str, Any], dict[str, UUID]]:
    """The fields and references that the kept record gets from the other."""
    own = set(keep.links.values_list("name", flat=True))
    links = dict(drop.links.exclude(target=keep).exclude(name__in=own).values_list("name", "target_id"))
    data = merged_data(keep.data, drop.data, take)
    return {name: value for name, value in data.items() if value != keep.data.get(name)}, links


def _rewrite(keep: CanonicalRecord, drop: CanonicalRecord, take: Collection[str], now: datetime) -> dict[str, Any]:
    changed, links = gains(keep, drop, take)
    drop.delete()
    _change(keep, changed, links, now)
    touch_records([keep.pk], now)
    return {
        "before": {name: keep.data.get(name) for name in changed},
        "after": changed,
        "linked": {name: str(target) for name, target in links.items()},
    }


def _change(record: CanonicalRecord, fields: dict[str, Any], links: dict[str, UUID], now: datetime) -> None:
    workspace = Workspace(record.environment, ChangeSource("person"), now)
    workspace.load([record.pk])
    state = workspace.find(record.pk)
    assert state is not None  # noqa: S101 - locked and fetched by the caller
    workspace.change(state, fields, dict(links))
    workspace.flush()


@transaction.atomic
def unmerge_records(*, actor: Actor, now: datetime, merge: RecordMerge, ask_again: bool = False) -> CanonicalRecord:
    """This function will part what was merged: each record gets back its fields, ids and references.

    Values edited since the merge stay with the kept record. Unless the question is to be asked again, the answer is now
    “different”. Raises UnableToUnmerge, NotVisible, NotPermitted.
    """
    actor.require("errors.resolve")
    actor.require_sight(merge.customer_id, "There is no such merge.")
    lock_environment(merge.environment_id)
    locked = RecordMerge.objects.select_for_update().select_related("kept__environment").filter(pk=merge.pk).first()
    if locked is None or locked.undone_at is not None:
        raise UnableToUnmerge("This merge was undone already.")
    snapshot, kept = locked.snapshot, locked.kept
    CanonicalLink.objects.filter(source=kept, name__in=snapshot["linked"]).filter(
        target_id__in=snapshot["linked"].values()
    ).delete()
    MatchQuestion.objects.filter(pk__in=snapshot["inherited"]).delete()
    record = restore(snapshot, record_id=locked.dropped_id, merged_into=kept)
    RecordMerge.objects.filter(pk__in=snapshot["merges"]).update(kept=record)
    _change(kept, _reverted(kept.data, snapshot), {}, now)
    touch_records([kept.pk, record.pk], now)
    _settle_question(actor, now, kept, record, locked, ask_again)
    RecordMerge.objects.filter(pk=locked.pk).update(undone_at=now, undone_by_label=actor.label)
    _audit(actor, "records.unmerged", locked, now)
    merge.undone_at = now
    return record


def _reverted(data: dict[str, Any], snapshot: dict[str, Any]) -> dict[str, Any]:
    """Fields that still say what the merge made them say, as they were before it."""
    return {name: snapshot["before"][name] for name, value in snapshot["after"].items() if data.get(name) == value}


def _settle_question(
    actor: Actor, now: datetime, kept: CanonicalRecord, record: CanonicalRecord, merge: RecordMerge, ask_again: bool
) -> None:
    if ask_again:
        return  # restored with the record, as it was
    MatchQuestion.objects.update_or_create(
        pair=pair_of(kept.pk, record.pk),
        defaults={"status": QuestionStatus.DIFFERENT, "answered_at": now, "answered_by_label": actor.label},
        create_defaults={
            "customer_id": merge.customer_id, "environment_id": merge.environment_id, "entity": merge.entity,
            "left": record, "right": kept, "score": merge.score or 0, "reasons": merge.reasons, "asked_at": now,
            "status": QuestionStatus.DIFFERENT, "answered_at": now, "answered_by_label": actor.label,
        },
    )  # fmt: skip


def _audit(actor: Actor, action: str, merge: RecordMerge, now: datetime) -> None:
    record_change(actor=actor, now=now, target=merge.kept, action=action, after={"other": merge.dropped_title})
