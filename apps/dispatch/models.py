"""What is due when, for every partner: one table in public instead of a question to a thousand schemas."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class WorkItem(models.Model):
    """Something that must happen at `due_at` in `schema`. The row is the truth: the broker may lose its message.

    While `lease_until` lies ahead someone is at it; when the lease passes unreleased, the item is due again.
    """

    id = models.BigAutoField(primary_key=True)
    schema = models.CharField(max_length=63)
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    due_at = models.DateTimeField()
    priority = models.SmallIntegerField(default=5)  # lower goes first
    lease_until = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True)  # asked for again while leased: honored when the attempt ends
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        # Qualified, so that a partner's transaction can write it without public in its search path.
        db_table = '"public"."dispatch_workitem"'
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schema", "kind", "key"], name="work_item_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="work_item_due"),
            models.Index(
                fields=["lease_until", "schema"], condition=models.Q(lease_until__isnull=False), name="work_item_leased"
            ),
            models.Index(fields=["schema", "priority", "due_at", "id"], name="work_item_first_of_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.schema} {self.kind} {self.key}"
