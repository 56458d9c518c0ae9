"""The wave plan: which interfaces are replaced together, in which order, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.core.visible import get_visible
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.modernization.models import MigrationWave
from apps.modernization.services.interfaces import lock_estate
from apps.modernization.services.meanwhile import demand_unchanged

MOST_WAVES = 50
MISSING = "There is no such wave."


class UnableToSaveWave(AnticipatedError):
    """The wave cannot be kept as it is written; `field` names the input."""


class UnableToRemoveWave(Conflict):
    """Something still stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveDraft:
    """What a person writes down; see `MigrationWave`. Without a position it comes last."""

    name: str
    position: int | None = None
    goal: str = ""
    starts_on: date | None = None
    cut_over_on: date | None = None

    def values(self) -> dict[str, Any]:
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value.strip() if isinstance(value, str) else value for name, value in found.items()}


def draft_of_wave(wave: MigrationWave) -> WaveDraft:
    return WaveDraft(**{one.name: getattr(wave, one.name) for one in fields(WaveDraft)})


@transaction.atomic
def add_wave(*, actor: Actor, now: datetime, customer: Customer, draft: WaveDraft) -> MigrationWave:
    """Raises UnableToSaveWave."""
    actor.require("integrations.manage")
    actor.require_sight(customer.pk, "There is no such customer.")
    lock_estate(customer.pk)
    if MigrationWave.objects.filter(customer=customer).count() >= MOST_WAVES:
        raise UnableToSaveWave(f"There are {MOST_WAVES} waves already.")
    wave = MigrationWave(customer=customer, environment=get_environment(customer), created_at=now)
    _write(wave, draft)
    record_change(actor=actor, now=now, target=wave, action="migration_wave.added", after=_told(wave))
    return wave


@transaction.atomic
def change_wave(*, actor: Actor, now: datetime, wave: MigrationWave, draft: WaveDraft, seen: str = "") -> MigrationWave:
    """`seen` is the `stamp_of` what was shown. Raises ChangedMeanwhile, UnableToSaveWave."""
    locked = _lock(actor, wave)
    demand_unchanged(draft_of_wave(locked), seen)
    before = _told(locked)
    _write(locked, draft)
    if before != _told(locked):
        record_change(
            actor=actor, now=now, target=locked, action="migration_wave.changed", before=before, after=_told(locked)
        )
    return locked


@transaction.atomic
def amend_wave(*, actor: Actor, now: datetime, wave: MigrationWave, said: Mapping[str, Any]) -> MigrationWave:
    """This function will change the named parts; all others stay as they stand by then. Raises UnableToSaveWave."""
    draft = replace(draft_of_wave(_lock(actor, wave)), **said)
    return change_wave(actor=actor, now=now, wave=wave, draft=draft)


@transaction.atomic
def remove_wave(*, actor: Actor, now: datetime, wave: MigrationWave) -> None:
    """This function will remove an empty wave. Raises UnableToRemoveWave."""
    locked = _lock(actor, wave)
    if locked.interfaces.exists():
        raise UnableToRemoveWave("Interfaces stand in it. Put them into another wave first.")
    record_change(actor=actor, now=now, target=locked, action="migration_wave.removed", before=_told(locked))
    locked.delete()


def _lock(actor: Actor, wave: MigrationWave) -> MigrationWave:
    actor.require("integrations.manage")
    actor.require_sight(wave.customer_id, MISSING)
    lock_estate(wave.customer_id)
    return get_visible(MigrationWave.objects.select_for_update(), wave.pk, MISSING)


def _write(wave: MigrationWave, draft: WaveDraft) -> None:
    values = draft.values()
    if not 1 <= len(values["name"]) <= 80:
        raise UnableToSaveWave("Give one to 80 characters.", field="name")
    if len(values["goal"]) > 300:
        raise UnableToSaveWave("Take at most 300 characters.", field="goal")
    if values["position"] is None:
        last = MigrationWave.objects.filter(customer=wave.customer).order_by("-position").first()
        values["position"] = wave.position or (last.position + 1 if last else 1)
    if not 1 <= values["position"] <= 999:
        raise UnableToSaveWave("Give a number from 1 to 999.", field="position")
    for name, value in values.items():
        setattr(wave, name, value)
    try:
        with transaction.atomic():
            wave.save()
    except IntegrityError:
        raise UnableToSaveWave("There is a wave of this name already.", field="name") from None


def _told(wave: MigrationWave) -> dict[str, Any]:
    values = draft_of_wave(wave).values()
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
