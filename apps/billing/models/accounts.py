from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from apps.core.actor import Actor
from apps.core.ids import uuid7


class LegalEntity(models.Model):
    """Who issues the invoices. `next_number` is the gapless series: taken under a row lock when an invoice is issued."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3, default=0)  # percent; standard rate of its country
    invoice_prefix = models.CharField(max_length=12)
    next_number = models.PositiveIntegerField(default=1)
    payment_instructions = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice_prefix"], name="invoice_prefix_once"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_legal_entity"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"legal_entity:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""


class BillingAccountQuerySet(models.QuerySet["BillingAccount"]):
    def visible_to(self, actor: Actor) -> Self:
        if actor.scope is None:
            return self
        return self.filter(subject_key__in=[f"customer:{owner}" for owner in actor.scope])


class BillingAccount(models.Model):
    """Who is billed: `customer:<id>` in a partner's book, `partner:<id>` in ours. Currency never changes once invoiced."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_key = models.CharField(max_length=80, unique=True)
    legal_name = models.CharField(max_length=160)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=10, default="en")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="accounts")
    suspended_at = models.DateTimeField(null=True)

    objects = BillingAccountQuerySet.as_manager()

    def __str__(self) -> str:
        return self.legal_name
