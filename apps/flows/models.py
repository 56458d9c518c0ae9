"""Design time: template → version → integration (deployed for a customer) → flow → flow version."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned


class IntegrationTemplate(models.Model):
    """A ready-made integration, shipped as a versioned file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name


class IntegrationTemplateVersion(models.Model):
    """One released state of a template; `definition` is the file, immutable."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(IntegrationTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.CharField(max_length=20)
    definition = models.JSONField()
    released_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"{self.template} {self.number}"


class IntegrationStatus(models.TextChoices):
    DRAFT = "draft", "Being set up"
    LIVE = "live", "Live"
    PAUSED = "paused", "Paused"
    RETIRED = "retired", "Retired"


class Integration(CustomerOwned):
    """A template deployed for a customer: roles bound to connections, settings chosen."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template_version = models.ForeignKey(IntegrationTemplateVersion, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    settings = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=IntegrationStatus, default=IntegrationStatus.DRAFT)
    created_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


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


class MappingRevision(models.Model):
    """The mappings of an integration as published at a moment; `mappings` are MappingSpecs. Immutable."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="mapping_revisions")
    number = models.PositiveIntegerField()
    mappings = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField()
    published_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "number"], name="mapping_revision_once")
        ]

    def __str__(self) -> str:
        return f"{self.integration} mapping {self.number}"


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
