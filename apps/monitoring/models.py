"""What should follow from a record and has not: rules over the canonical model, and what they found."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models

from apps.accounts.models import User
from apps.canonical.models import CanonicalRecord, Entity
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.core.money import Money
from apps.customers.models import CustomerOwned, OwnedQuerySet


class Solver(models.TextChoices):
    PARTNER = "partner", "We"
    CUSTOMER = "customer", "The customer"


class ExceptionRule(models.Model):
    """Records of `entity` that fulfil `condition` must lead to another record (`expectation`) within some days.

    Without an expectation the condition alone opens an exception. The days count from the record's date
    `counted_from`, or from when its state last changed. With `only_if` the rule speaks only where that path leads
    somewhere; with `only_where_known` only at customers whose systems hold such other records at all.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=400, blank=True)
    next_step = models.CharField(max_length=400, blank=True)
    entity = models.CharField(max_length=20, choices=Entity)
    condition = models.CharField(max_length=2000, blank=True)
    only_if = models.CharField(max_length=200, blank=True)
    expectation = models.CharField(max_length=400, blank=True)
    expected = models.CharField(max_length=500, blank=True)
    only_where_known = models.BooleanField(default=False)
    within_days = models.PositiveSmallIntegerField(default=0)
    counted_from = models.CharField(max_length=40, blank=True)
    amount = models.CharField(max_length=500, blank=True)
    solver = models.CharField(max_length=10, choices=Solver, default=Solver.PARTNER)
    is_enabled = models.BooleanField(default=True)
    is_shipped = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"exception_rule:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""


class ExceptionStatus(models.TextChoices):
    OPEN = "open", "Open"
    IGNORED = "ignored", "Ignored"
    RESOLVED = "resolved", "Resolved"


class BusinessExceptionQuerySet(OwnedQuerySet["BusinessException"]):
    def visible_to(self, actor: Actor) -> Self:
        """A customer's people see those that are theirs to solve."""
        visible = super().visible_to(actor)
        return visible if actor.scope is None else visible.filter(rule__solver=Solver.CUSTOMER)

    def standing(self) -> Self:
        """Open or ignored: the rule still holds."""
        return self.exclude(status=ExceptionStatus.RESOLVED)

    def needing_somebody(self, at: datetime) -> Self:
        """Open and not snoozed."""
        awake = models.Q(snoozed_until=None) | models.Q(snoozed_until__lte=at)
        return self.filter(awake, status=ExceptionStatus.OPEN)


class BusinessException(CustomerOwned):
    """One record that breaks one rule. Opened and resolved by the evaluation alone; people assign, snooze and ignore.

    `since` is when the days began to count. `amount` (minor units of `currency`, never negative) is what is at stake,
    as of the last evaluation.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.ForeignKey(ExceptionRule, on_delete=models.CASCADE, related_name="exceptions", db_index=False)
    record = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=250, blank=True)
    status = models.CharField(max_length=10, choices=ExceptionStatus, default=ExceptionStatus.OPEN)
    since = models.DateTimeField()
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    assignee = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    assignee_label = models.CharField(max_length=200, blank=True)
    snoozed_until = models.DateTimeField(null=True)
    ignore_reason = models.CharField(max_length=300, blank=True)

    objects: ClassVar = BusinessExceptionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "record"], condition=~models.Q(status="resolved"), name="one_exception_per_record"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["environment", "rule"], name="exception_standing", condition=~models.Q(status="resolved")),
            models.Index(fields=["customer", "status", "-opened_at"], name="exception_newest"),
            models.Index(fields=["status", "-opened_at", "-id"], name="exception_newest_of_all"),
            # What is at stake is summed up without touching the rows.
            models.Index(
                fields=["customer", "rule", "currency"], name="exception_stakes", condition=models.Q(status="open"),
                include=["amount", "since", "snoozed_until", "id"],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title or str(self.record_id)

    @property
    def subject_key(self) -> str:
        return f"exception:{self.pk}"

    @property
    def stake(self) -> Money | None:
        return Money(self.amount, self.currency) if self.amount is not None and self.currency else None

    def is_snoozed(self, now: datetime) -> bool:
        return self.status == ExceptionStatus.OPEN and self.snoozed_until is not None and self.snoozed_until > now
