"""Mappings as they are edited."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7
from apps.flows.models.integrations import Integration


class MappingOverride(models.Model):
    """One field of a mapping changed, as it is being edited; in force once it is published into the flows.

    With an integration it is the customer's layer. Without one it is the partner's: it holds for every customer with this
    vendor, below what a customer's own integration says. An empty expression leaves the field out.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, null=True, on_delete=models.CASCADE, related_name="mapping_overrides")
    role = models.CharField(max_length=30, blank=True)
    vendor = models.CharField(max_length=60, blank=True)
    direction = models.CharField(max_length=5, choices=[("read", "Read"), ("write", "Write")])
    object_name = models.CharField(max_length=60)
    field = models.CharField(max_length=120)
    expression = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["integration", "role", "direction", "object_name", "field"],
                condition=models.Q(integration__isnull=False), name="mapping_override_once",
            ),
            models.UniqueConstraint(
                fields=["vendor", "direction", "object_name", "field"],
                condition=models.Q(integration=None), name="partner_mapping_override_once",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.direction} {self.object_name}.{self.field}"
