"""Many merges prepared together: from a file of id pairs, or because one customer took over another."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from apps.canonical.models.records import Entity
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.customers.models import Customer, CustomerOwned, Environment, OwnedQuerySet


class MergePlanSource(models.TextChoices):
    ID_PAIRS = "id_pairs", "Import of ids"
    CUSTOMERS = "customers", "Joining of two customers"


class MergePlanStatus(models.TextChoices):
    CHECKING = "checking", "Being prepared"
    READY = "ready", "Ready"
    APPLYING = "applying", "Being carried out"
    APPLIED = "applied", "Carried out"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


class MergeOutcome(models.TextChoices):
    MERGE = "merge", "Merge"
    LINK = "link", "Note the id"
    KNOWN = "known", "Nothing to do"
    ASK = "ask", "Ask a person"
    NEW = "new", "Stays a record of its own"
    CONFLICT = "conflict", "Conflict"
    ERROR = "error", "Cannot be done"


class MergePlanQuerySet(OwnedQuerySet["MergePlan"]):
    def visible_to(self, actor: Actor) -> Self:
        """Who sees only one of two customers does not see that they are joined."""
        if actor.scope is None:
            return self
        theirs = models.Q(other_customer=None) | models.Q(other_customer_id__in=actor.scope)
        return self.filter(theirs, customer_id__in=actor.scope)


class MergePlan(CustomerOwned):
    """Prepared in the background, looked at, carried out in the background, and undone as a whole.

    The merges it makes carry its id as `batch_id`. Joining: `other_customer`'s connections, integrations and records
    become `customer`'s; `moved` holds what undoing needs beside the merges. `prefers_other`: where both records say
    something, the other customer is right. `message` tells why the last attempt to carry it out was given up. `asked_by` is
    who asked for what it works on.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=10, choices=MergePlanSource)
    entity = models.CharField(max_length=20, choices=Entity, blank=True)
    left = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="+")
    other_customer = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="+")
    other_environment = models.ForeignKey(Environment, null=True, on_delete=models.CASCADE, related_name="+")
    prefers_other = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=MergePlanStatus, default=MergePlanStatus.CHECKING)
    total = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)  # of what the current status works on
    moved = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True)
    asked_by = models.JSONField()
    requested_at = models.DateTimeField()
    requested_by_label = models.CharField(max_length=200)
    applied_at = models.DateTimeField(null=True)
    applied_by_label = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by_label = models.CharField(max_length=200, blank=True)

    objects: ClassVar[Any] = MergePlanQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "other_environment"],
                condition=models.Q(status__in=["checking", "ready", "applying", "undoing"]),
                name="one_joining_at_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["source", "-requested_at"], name="merge_plan_newest")]

    def __str__(self) -> str:
        if self.source == MergePlanSource.CUSTOMERS:
            return f"{self.other_customer} into {self.customer}"
        return f"{self.left} and {self.right}"

    @property
    def is_working(self) -> bool:
        return self.status in (MergePlanStatus.CHECKING, MergePlanStatus.APPLYING, MergePlanStatus.UNDOING)

    @property
    def is_joining(self) -> bool:
        return self.source == MergePlanSource.CUSTOMERS


class PlannedMerge(models.Model):
    """One line of a file, or one record of the customer that joins: what it meets and what becomes of it.

    `left` is the file's first column or the joining customer's record, `right` what it meets. Ids are kept as they are:
    one of the two records ends in the merge. `contested`: fields in which both say something else. `by_hand`: a person
    decided, and no later check changes it.
    """

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(MergePlan, on_delete=models.CASCADE, related_name="rows", db_index=False)
    position = models.PositiveIntegerField()
    entity = models.CharField(max_length=20, choices=Entity)
    outcome = models.CharField(max_length=10, choices=MergeOutcome, blank=True)  # empty: not looked at yet
    left_key = models.CharField(max_length=120, blank=True)
    right_key = models.CharField(max_length=120, blank=True)
    left_id = models.UUIDField(null=True)
    right_id = models.UUIDField(null=True)
    left_title = models.CharField(max_length=250, blank=True)
    right_title = models.CharField(max_length=250, blank=True)
    score = models.SmallIntegerField(null=True)
    reasons = models.JSONField(default=list)
    contested = models.JSONField(default=list)
    message = models.CharField(max_length=300, blank=True)
    by_hand = models.BooleanField(default=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["plan", "position"], name="planned_merge_once")]
        indexes: ClassVar = [models.Index(fields=["plan", "outcome", "position"], name="planned_merge_by_outcome")]

    def __str__(self) -> str:
        return f"{self.left_title or self.left_key} {self.outcome} {self.right_title or self.right_key}"
