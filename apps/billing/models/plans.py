from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from apps.core.ids import uuid7


class Plan(models.Model):
    """A managed service as sold: a name over a chain of versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="plan_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"plan:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""


class PlanVersion(models.Model):
    """The prices of a plan from one moment on. Never changed once published: subscriptions point at it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class PriceKind(models.TextChoices):
    FLAT = "flat", "Flat monthly fee"
    METERED = "metered", "Per unit used"


class Price(models.Model):
    """One component of a plan version, in its currency.

    `unit_amount` is in minor units and may have fractions (0.45 cents a record); `included_quantity` units per period
    are free.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="prices")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=PriceKind)
    label = models.CharField(max_length=120)
    meter = models.CharField(max_length=40, blank=True)
    unit_amount = models.DecimalField(max_digits=18, decimal_places=6)
    included_quantity = models.DecimalField(max_digits=18, decimal_places=3, default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan_version", "position"], name="price_position_once"),
            models.CheckConstraint(condition=models.Q(unit_amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(kind="flat", meter="") | (models.Q(kind="metered") & ~models.Q(meter="")),
                name="metered_price_has_meter",
            ),
        ]

    def __str__(self) -> str:
        return self.label
