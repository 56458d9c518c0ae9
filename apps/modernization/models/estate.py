"""What a customer's systems exchange without us, in which order it is replaced, and what must be done before."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from apps.canonical.models import Entity
from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models import Integration


class InterfaceKind(models.TextChoices):
    FILE_DROP = "file_drop", "File drop"
    SCRIPT = "script", "Script"
    POINT_TO_POINT = "point_to_point", "Point to point"
    MIDDLEWARE = "middleware", "Middleware"
    BY_HAND = "by_hand", "By hand"


class InterfaceStatus(models.TextChoices):
    IN_USE = "in_use", "In use"
    PARALLEL = "parallel", "Running in parallel"
    CUT_OVER = "cut_over", "Cut over"
    RETIRED = "retired", "Retired"


GONE = (InterfaceStatus.CUT_OVER, InterfaceStatus.RETIRED)


class Criticality(models.TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Documentation(models.TextChoices):
    NONE = "none", "Not documented"
    PARTLY = "partly", "Partly documented"
    WELL = "well", "Well documented"


class MigrationWave(CustomerOwned):
    """A group of interfaces replaced together. `position` is the order of the waves; the day is what people plan for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    goal = models.CharField(max_length=300, blank=True)
    starts_on = models.DateField(null=True)
    cut_over_on = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("customer", Lower("name"), name="wave_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"migration_wave:{self.pk}"


class LegacyInterface(CustomerOwned):
    """One way in which two of a customer's systems exchange data today, kept beside what replaces it until it is gone.

    The environment is the customer's production, where such things run. `way_back` says how it is taken up again after
    the cut-over; `override_reason` why it was cut over although the checklist said no. Rolled back, it is in use again
    and `rollback_reason` says why; a new cut-over empties that.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=InterfaceKind)
    source = models.CharField(max_length=120)
    target = models.CharField(max_length=120)
    entity = models.CharField(max_length=20, choices=Entity, blank=True)
    frequency = models.CharField(max_length=120, blank=True)
    monthly_count = models.PositiveIntegerField(null=True)
    owner = models.CharField(max_length=120, blank=True)
    criticality = models.CharField(max_length=10, choices=Criticality, default=Criticality.NORMAL)
    documentation = models.CharField(max_length=10, choices=Documentation, default=Documentation.NONE)
    notes = models.TextField(max_length=4000, blank=True)
    way_back = models.TextField(max_length=2000, blank=True)
    depends_on = models.ManyToManyField("self", symmetrical=False, related_name="needed_by")
    wave = models.ForeignKey(MigrationWave, null=True, on_delete=models.SET_NULL, related_name="interfaces")
    integration = models.ForeignKey(Integration, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=10, choices=InterfaceStatus, default=InterfaceStatus.IN_USE)
    created_at = models.DateTimeField()
    cut_over_at = models.DateTimeField(null=True)
    cut_over_by_label = models.CharField(max_length=200, blank=True)
    override_reason = models.CharField(max_length=300, blank=True)
    rolled_back_at = models.DateTimeField(null=True)
    rolled_back_by_label = models.CharField(max_length=200, blank=True)
    rollback_reason = models.CharField(max_length=300, blank=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("customer", Lower("name"), name="legacy_interface_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"legacy_interface:{self.pk}"

    @property
    def is_gone(self) -> bool:
        """Nobody needs it any more, or soon: what depends on it may be cut over."""
        return self.status in GONE

    @property
    def is_rolled_back(self) -> bool:
        return self.rolled_back_at is not None and not self.is_gone


class ChecklistPoint(models.Model):
    """Something a person sees to before an interface is cut over, beside what is checked by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    interface = models.ForeignKey(LegacyInterface, on_delete=models.CASCADE, related_name="points")
    text = models.CharField(max_length=200)
    ticked_at = models.DateTimeField(null=True)
    ticked_by_label = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.text
