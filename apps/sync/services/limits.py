"""How much runs may do at once, and when they stop and ask."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.sync.models import RunLimits

FIELDS = (
    "per_partner", "per_customer", "per_connection", "max_minutes", "max_records", "max_failed_percent", "drop_percent",
)  # fmt: skip
LEAST = dict.fromkeys(FIELDS, 1)
MOST = {
    "per_partner": 1000, "per_customer": 1000, "per_connection": 1000, "max_minutes": 10_000,
    "max_records": 1_000_000_000, "max_failed_percent": 100, "drop_percent": 100,
}  # fmt: skip
OPTIONAL = ("per_partner", "per_customer", "per_connection")


class UnableToLimit(Conflict):
    """A number outside of what makes sense."""


def load_limits() -> RunLimits:
    """The partner's limits, or the defaults."""
    return RunLimits.objects.first() or RunLimits()


@transaction.atomic
def save_limits(*, actor: Actor, now: datetime, values: dict[str, int | None]) -> RunLimits:
    """This function will change the limits named in `values`; runs that begin later keep to them. Raises UnableToLimit."""
    actor.require("integrations.manage")
    actor.require_sight_of_all("The limits hold for all customers. Ask somebody who sees them all.")
    limits = RunLimits.objects.select_for_update().first() or RunLimits()
    before = {name: getattr(limits, name) for name in FIELDS}
    for name, value in values.items():
        _require_sense(name, value)
        setattr(limits, name, value)
    limits.updated_at = now
    limits.save()
    record_audit(
        actor=actor, action="runs.limits_changed", target_key="runs:limits", target_label="Limits of runs",
        owner_key="", before=before, after={name: getattr(limits, name) for name in FIELDS}, now=now,
    )  # fmt: skip
    return limits


def _require_sense(name: str, value: int | None) -> None:
    if name not in FIELDS:
        raise UnableToLimit("There is no such limit.", field=name)
    if value is None and name in OPTIONAL:
        return
    if value is None or not LEAST[name] <= value <= MOST[name]:
        raise UnableToLimit(f"Use a number from {LEAST[name]:,} to {MOST[name]:,}.", field=name)
