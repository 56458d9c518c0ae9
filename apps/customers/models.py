"""The partner's clients and who may act for them."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models

from apps.accounts.models import User
from apps.accounts.policies import CustomerRole
from apps.core.actor import Actor
from apps.core.ids import uuid7


class Lifecycle(models.TextChoices):
    LEAD = "lead", "Lead"
    ONBOARDING = "onboarding", "Onboarding"
    LIVE = "live", "Live"
    AT_RISK = "at_risk", "At risk"
    CHURNED = "churned", "Churned"


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(pk__in=actor.scope)

    def active(self) -> Self:
        return self.filter(archived_at=None)


class Customer(models.Model):
    """A client of the partner, typically a professional-services firm. Everything it owns carries its id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    slug = models.SlugField(max_length=60)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=10, default="en")
    country = models.CharField(max_length=2, blank=True)
    contact_name = models.CharField(max_length=120, blank=True)
    contact_email = models.EmailField(blank=True)
    lifecycle = models.CharField(max_length=20, choices=Lifecycle, default=Lifecycle.ONBOARDING)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["slug"], condition=models.Q(archived_at=None), name="customer_slug_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"customer:{self.pk}"

    @property
    def owner_key(self) -> str:
        return self.subject_key


class LegalEntity(models.Model):
    """A customer's regional company, with its own currency and tax id. Each customer has one main entity."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="legal_entities")
    name = models.CharField(max_length=160)
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3)
    tax_id = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    is_main = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer"], condition=models.Q(is_main=True), name="one_main_entity"),
        ]

    def __str__(self) -> str:
        return self.name


class EnvironmentKind(models.TextChoices):
    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(customer_id__in=actor.scope)


class Environment(models.Model):
    """Where connections, integrations, records and runs live. Only production is metered, measured and billed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="environments")
    kind = models.CharField(max_length=12, choices=EnvironmentKind)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "kind"], name="environment_kind_once"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.get_kind_display()}"

    @property
    def subject_key(self) -> str:
        return f"environment:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}"


class CustomerMembership(models.Model):
    """A person acts for a customer in one role; the same person may act for several."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="customer_memberships")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=CustomerRole)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "customer"], name="customer_membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.customer}"


OwnedRow = TypeVar("OwnedRow", bound=models.Model)


class OwnedQuerySet(models.QuerySet[OwnedRow]):
    """Rows that belong to a customer. Whatever a customer's person or key can cause starts from `visible_to`."""

    def visible_to(self, actor: Actor) -> Self:
        return self if actor.scope is None else self.filter(customer_id__in=actor.scope)

    def for_customer(self, customer: Customer | UUID) -> Self:
        return self.filter(customer_id=customer if isinstance(customer, UUID) else customer.pk)

    def production(self) -> Self:
        return self.filter(environment__kind=EnvironmentKind.PRODUCTION)


class CustomerOwned(models.Model):
    """Base of every table a customer owns rows in, within one environment."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}"


class EngineOwned(CustomerOwned):
    """Owned rows that the engine writes by the thousand.

    It takes the owner from the flow it runs, whose environment it holds locked; that the database looks owners up again
    for every row costs more than writing the row. Whoever deletes an owner deletes through the models, which cascade.
    Indexes are each model's own affair.
    """

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True
