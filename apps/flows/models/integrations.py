"""A template deployed for a customer, its flows and what each of them does."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models.templates import IntegrationTemplateVersion


class IntegrationStatus(models.TextChoices):
    DRAFT = "draft", "Being set up"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    RETIRED = "retired", "Retired"


class Integration(CustomerOwned):
    """A template deployed for a customer: roles bound to connections, settings chosen."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template_version = models.ForeignKey(
        IntegrationTemplateVersion, on_delete=models.PROTECT, related_name="integrations"
    )
    name = models.CharField(max_length=120)
    settings = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=IntegrationStatus, default=IntegrationStatus.DRAFT)
    created_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)
    author_ids = models.JSONField(default=list, db_default=[])  # all who set it up, makers of API keys included
    promoted_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="promoted_to")

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"integration:{self.pk}"


class RoleBinding(models.Model):
    """Which connection plays a template's role (`crm`, `erp`, `billing`, `delivery`) in an integration."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="role_bindings")
    role = models.CharField(max_length=30)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="role_bindings")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "role"], name="role_bound_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.connection}"


class Flow(CustomerOwned):
    """One running piece of an integration. `schedule_seconds` is the reconciling poll behind any webhook."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="flows")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    schedule_seconds = models.PositiveIntegerField(default=300)
    is_enabled = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True)  # by itself; otherwise the integration says whether it runs
    retired_at = models.DateTimeField(null=True)  # the template version in force has no such flow (any more)
    paused_reason = models.CharField(max_length=300, blank=True)
    current_version = models.ForeignKey("FlowVersion", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # Freshness: up to this instant every change in the source is confirmed in the targets, except the records that
    # stand on the error desk by name.
    in_step_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "key"], name="flow_key_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"flow:{self.pk}"


class FlowVersion(models.Model):
    """What a flow does, mappings inside. Immutable once published; runs point at it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    published_at = models.DateTimeField()
    published_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["flow", "number"], name="flow_version_once")]

    def __str__(self) -> str:
        return f"{self.flow} v{self.number}"


class FieldPolicy(models.Model):
    """This integration's own answer to conflicting edits of a field, instead of the template's. `role` as in the template."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="field_policies")
    entity = models.CharField(max_length=20)
    field = models.CharField(max_length=40)  # * for the others
    policy = models.CharField(max_length=20)
    role = models.CharField(max_length=30, blank=True)
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "entity", "field"], name="field_policy_once")
        ]

    def __str__(self) -> str:
        return f"{self.entity}.{self.field}: {self.policy}"
