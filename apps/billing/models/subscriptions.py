from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.billing.models.accounts import BillingAccount
from apps.billing.models.plans import PlanVersion
from apps.core.ids import uuid7


class SubscriptionStatus(models.TextChoices):
    """Stripe's names."""

    TRIALING = "trialing", "Trial"
    ACTIVE = "active", "Active"
    PAST_DUE = "past_due", "Past due"
    PAUSED = "paused", "Paused"
    CANCELED = "canceled", "Canceled"


class Subscription(models.Model):
    """An account takes a plan version. `billing_cycle_anchor` fixes on which day periods begin, in the account's zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="subscriptions")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=20, choices=SubscriptionStatus, default=SubscriptionStatus.ACTIVE)
    billing_cycle_anchor = models.DateField()
    started_at = models.DateTimeField()
    canceled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account"], condition=~models.Q(status="canceled"), name="one_live_subscription"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} on {self.plan_version}"

    @property
    def subject_key(self) -> str:
        return f"subscription:{self.pk}"

    @property
    def owner_key(self) -> str:
        return self.account.subject_key


class BillingPeriod(models.Model):
    """One month of a subscription: half-open `[period_start, period_end)`, stored, never recomputed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscription", "period_start"], name="billing_period_once"),
            models.CheckConstraint(condition=models.Q(period_end__gt=models.F("period_start")), name="period_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.period_start:%Y-%m-%d}"
