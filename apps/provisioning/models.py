"""How a partner came to be. Public schema only."""

from __future__ import annotations

from django.db import models

from apps.core.ids import uuid7
from apps.tenants.models import Partner


class ProvisioningStatus(models.TextChoices):
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class ProvisioningRun(models.Model):
    """One attempt to make a partner ready: which way the schema was made, how long it took, why it failed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="provisioning_runs")
    method = models.CharField(max_length=12)  # template | migrations
    status = models.CharField(max_length=12, choices=ProvisioningStatus, default=ProvisioningStatus.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.partner} {self.status}"


class SchemaTemplate(models.Model):
    """A partner's empty schema as SQL, for one set of migrations (`fingerprint`)."""

    fingerprint = models.CharField(primary_key=True, max_length=32)
    sql = models.TextField()
    built_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint
