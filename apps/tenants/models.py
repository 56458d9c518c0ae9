"""Partners and the hosts that lead to them. Public schema only."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from apps.core.ids import uuid7

TEMPLATE_SCHEMA = "zz_partner_template"


def new_schema_name() -> str:
    """Opaque on purpose: a renamed partner keeps its schema, and the name tells nothing."""
    return f"p_{secrets.token_hex(6)}"


class PartnerStatus(models.TextChoices):
    PROVISIONING = "provisioning", "Provisioning"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class Partner(TenantMixin):  # type: ignore[misc]
    """One reseller, MSP, integrator or SaaS vendor: the tenant. Its data lives in `schema_name`.

    Requests reach it only once `provisioned_at` is set; a suspended partner answers with one page and runs no work.
    """

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=40, unique=True)
    status = models.CharField(max_length=20, choices=PartnerStatus, default=PartnerStatus.PROVISIONING)
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    created_at = models.DateTimeField()
    provisioned_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    suspension_reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"partner:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""


class Domain(DomainMixin):  # type: ignore[misc]
    """A host name that leads to a partner. `is_platform` hosts are permanent: OAuth redirects and hooks use them."""

    is_platform = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_platform=True), name="one_platform_host_per_partner"
            )
        ]
