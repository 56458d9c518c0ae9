from __future__ import annotations

from django.db import models


class RunLimits(models.Model):
    """How much the partner's runs may do at once, and at what point a run stops and asks. One row, or the defaults.

    `per_*`: runs under way at the same time; empty is as many as there are workers.
    """

    id = models.CharField(primary_key=True, max_length=3, default="all", editable=False)
    per_partner = models.PositiveSmallIntegerField(null=True)
    per_customer = models.PositiveSmallIntegerField(null=True)
    per_connection = models.PositiveSmallIntegerField(null=True)
    max_minutes = models.PositiveIntegerField(default=240)
    max_records = models.PositiveIntegerField(default=2_000_000)
    max_failed_percent = models.PositiveSmallIntegerField(default=60)
    drop_percent = models.PositiveSmallIntegerField(default=80)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id="all"), name="run_limits_once"),)

    def __str__(self) -> str:
        return "limits of runs"
