"""The append-only trail of who did what."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AuditEvent(models.Model):
    """One action by one actor. Inserted in the action's transaction, never changed (a trigger refuses).

    The actor is a snapshot: it stays readable after the user is gone. `seal` is filled in batches by the sealer.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=80)
    target_key = models.CharField(max_length=100)
    target_label = models.CharField(max_length=200, blank=True)
    owner_key = models.CharField(max_length=80, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["target_key", "-id"], name="audit_of_target"),
            models.Index(fields=["owner_key", "-id"], name="audit_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.target_key}"
