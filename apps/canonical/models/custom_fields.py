"""Fields that a partner, or one of its customers, added to the canonical vocabulary."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7
from apps.customers.models import Customer


class CustomFieldKind(models.TextChoices):
    TEXT = "text", "Text"
    INTEGER = "integer", "Whole number"
    NUMBER = "number", "Number"
    BOOLEAN = "boolean", "Yes or no"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    MONEY = "money", "Money"


class CustomField(models.Model):
    """`x_<key>` of an entity. Without `only_for` it exists for all customers. An archived one is offered no more, and
    what records hold of it stays valid."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    only_for = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="custom_fields")
    entity = models.CharField(max_length=20)
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=CustomFieldKind)
    declared_at = models.DateTimeField()
    declared_by_label = models.CharField(max_length=200)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["only_for", "entity", "key"], nulls_distinct=False, name="custom_field_once"
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def subject_key(self) -> str:
        return f"custom_field:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.only_for_id}" if self.only_for_id else ""

    @property
    def name(self) -> str:
        """What mappings and records call it."""
        return f"x_{self.key}"
