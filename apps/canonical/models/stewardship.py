"""What people decide about who is who: open questions, answers that are remembered, merges that can be undone."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.canonical.models.records import CanonicalRecord, Entity
from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned


class QuestionStatus(models.TextChoices):
    OPEN = "open", "Open"
    LATER = "later", "Put off"
    DIFFERENT = "different", "Kept apart"


class MatchQuestion(CustomerOwned):
    """Are these two records the same thing? `left` is the newcomer, `right` was known before.

    While it is not answered, neither is created in a system that knows the other. “Different” is kept and never asked
    again; “same” merges the records, and the row goes with the one that ends (the merge remembers it).
    `reasons` are the rules that spoke for or against: [{rule, label, points}].
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entity = models.CharField(max_length=20, choices=Entity)
    left = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="questions_as_newcomer")
    right = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="questions_as_known")
    pair = models.CharField(max_length=73)  # both ids, the smaller one first: each pair is asked about once
    score = models.SmallIntegerField()
    reasons = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=QuestionStatus, default=QuestionStatus.OPEN)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["pair"], name="question_once_per_pair")]
        indexes: ClassVar = [
            models.Index(fields=["customer", "status", "-asked_at"], name="question_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.status} {self.score}"


class FieldQuestion(CustomerOwned):
    """Which value is right? Two systems were edited differently, and the field's policy is to ask.

    The record keeps `ours` until a person answers; `theirs` stays in its system and is not overwritten meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="field_questions")
    field = models.CharField(max_length=40)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by_label = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=10, blank=True)  # ours | theirs | agreed: both systems say the same by now

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record", "field", "connection"],
                condition=models.Q(answered_at=None),
                name="one_open_field_question",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["customer", "-asked_at"], name="field_question_newest")]

    def __str__(self) -> str:
        return f"{self.field} of {self.record_id}"


class RecordMerge(CustomerOwned):
    """Two records made one by a person. `snapshot` holds what it takes to part them again exactly as they were."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entity = models.CharField(max_length=20, choices=Entity)
    kept = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="merges")
    dropped_id = models.UUIDField(db_index=True)
    dropped_title = models.CharField(max_length=250, blank=True)
    batch_id = models.UUIDField(null=True, db_index=True)  # merges of one import or one joining of two maps
    score = models.SmallIntegerField(null=True)
    reasons = models.JSONField(default=list)
    snapshot = models.JSONField()
    merged_at = models.DateTimeField()
    merged_by_label = models.CharField(max_length=200)
    undone_at = models.DateTimeField(null=True)
    undone_by_label = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["customer", "-merged_at"], name="merge_newest")]

    def __str__(self) -> str:
        return f"{self.dropped_title} into {self.kept_id}"


class MatchPolicy(models.Model):
    """How sure is sure: the partner's own rules for an entity, or those of one customer. Absent: as shipped.

    From `merge_score` on two records are one without asking; from `ask_score` on a person is asked; below they are two.
    `weights` replaces the points of single rules; `disabled` rules say nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner_key = models.CharField(max_length=60, blank=True)  # customer:<id>; empty: the partner's, for all customers
    entity = models.CharField(max_length=20, choices=Entity)
    merge_score = models.PositiveSmallIntegerField()
    ask_score = models.PositiveSmallIntegerField()
    weights = models.JSONField(default=dict)
    disabled = ArrayField(models.CharField(max_length=30), default=list)
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner_key", "entity"], name="match_policy_once"),
            models.CheckConstraint(condition=models.Q(ask_score__lte=models.F("merge_score")), name="ask_below_merge"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.ask_score}/{self.merge_score}"
