from __future__ import annotations

from typing import ClassVar

from django.db import models


class UsageEvent(models.Model):
    """A quantity of a meter used by an account. Immutable; `key` (`run:page:meter`) makes a replay a no-op."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=160, unique=True)
    subject_key = models.CharField(max_length=80)
    meter = models.CharField(max_length=40)
    quantity = models.DecimalField(max_digits=18, decimal_places=3)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="usage_not_negative"),
        ]
        indexes: ClassVar = [models.Index(fields=["subject_key", "meter", "occurred_at"], name="usage_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject_key} {self.meter} {self.quantity}"
