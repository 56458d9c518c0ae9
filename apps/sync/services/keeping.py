"""What the partner decides about its log, and the clearing away that follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.dispatch.services import schedule
from apps.sync.engine.hashing import digest
from apps.sync.models import LogClass, LogSettings
from apps.sync.retention import LEAST_DAYS, MOST_DAYS, OUTCOMES, days_of

PURGE_KIND, PURGE_KEY = "logs.purge", "logs"
PURGE_EVERY = timedelta(days=1)
MOST_RULES = 200
_RULE = re.compile(r"[a-z0-9_*?.\-]{1,80}")


class UnableToKeepLog(AnticipatedError):
    """The settings of the log are not as they can be."""

    code = "unable_to_keep_log"


class SettingsChanged(Conflict):
    """Somebody saved other settings since these were shown."""


@transaction.atomic
def update_log_settings(
    *,
    actor: Actor,
    now: datetime,
    hidden_fields: Iterable[str] | None = None,
    keeps_payloads: bool | None = None,
    days: Mapping[str, Mapping[str, int]] | None = None,
    seen: str = "",
) -> LogSettings:
    """This function will set what is named: what is hidden and how long what is kept; all else stays as it is.

    Rules hold for what is written from now on; what is too old goes with the next clearing. `seen` is the `stamp` of the
    settings that were shown: those that somebody changed since are not overwritten. Raises SettingsChanged,
    UnableToKeepLog (field: hidden_fields or a class and outcome).
    """
    _demand(actor)
    kept = _lock_settings(now)
    if seen and seen != stamp_of(kept):
        raise SettingsChanged(
            "Somebody else has changed these settings meanwhile. Load the page again, and change it there."
        )
    before = _told(kept)
    if hidden_fields is not None:
        kept.hidden_fields = _read_rules(hidden_fields)
    if keeps_payloads is not None:
        kept.keeps_payloads = keeps_payloads
    kept.days, kept.updated_at = _read_days(_merged(kept.days, days or {})), now
    kept.purged_through = {}  # a shorter time may reach rows that were passed over
    kept.save()
    _note(actor, now, before, kept)
    schedule(kind=PURGE_KIND, key=PURGE_KEY, due_at=now)
    return kept


@transaction.atomic
def keep_connection_payloads(*, actor: Actor, now: datetime, connection: Connection, is_kept: bool) -> LogSettings:
    """This function will have field values of what this connection reads and writes kept in the log, or not."""
    _demand(actor)
    kept = _lock_settings(now)
    before = _told(kept)
    others = [pk for pk in kept.payload_free_connections if pk != connection.pk]
    kept.payload_free_connections = others if is_kept else [*others, connection.pk]
    kept.updated_at = now
    kept.save()
    _note(actor, now, before, kept)
    return kept


def _demand(actor: Actor) -> None:
    actor.require("security.manage")
    actor.require_sight_of_all("The log's settings hold for all customers. Ask somebody who sees them all.")


def _lock_settings(now: datetime) -> LogSettings:
    LogSettings.objects.bulk_create([LogSettings(updated_at=now)], ignore_conflicts=True)
    return LogSettings.objects.select_for_update().get()


def _read_rules(given: Iterable[str]) -> list[str]:
    rules = list(dict.fromkeys(rule.strip().lower() for rule in given if rule.strip()))
    for rule in rules:
        if not _RULE.fullmatch(rule) or not rule.strip("*?."):
            raise UnableToKeepLog(
                f"“{rule[:80]}” is no field. Write one a line, such as email or contact.*phone*.", field="hidden_fields"
            )
    if len(rules) > MOST_RULES:
        raise UnableToKeepLog(f"At most {MOST_RULES} fields can be named.", field="hidden_fields")
    return rules


def _read_days(given: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    days = days_of(given)
    for name, by_outcome in days.items():
        least = LEAST_DAYS.get(name, 1)
        for outcome in OUTCOMES:
            if not least <= by_outcome[outcome] <= MOST_DAYS:
                label = LogClass(name).label.lower()
                raise UnableToKeepLog(f"Keep {label} for {least} to {MOST_DAYS:,} days.", field=f"{name}_{outcome}")
    return days


def _merged(
    kept: Mapping[str, Mapping[str, int]], wanted: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    return {name: {**days, **wanted.get(name, {})} for name, days in days_of(kept).items()}


def stamp_of(kept: LogSettings) -> str:
    """Stands for what one form shows: it changes when somebody changes any of it."""
    return digest([kept.hidden_fields, kept.keeps_payloads, days_of(kept.days)])


def _told(kept: LogSettings) -> dict[str, object]:
    return {
        "hidden_fields": kept.hidden_fields,
        "keeps_payloads": kept.keeps_payloads,
        "payload_free_connections": [str(pk) for pk in kept.payload_free_connections],
        "days": days_of(kept.days),
    }


def _note(actor: Actor, now: datetime, before: dict[str, object], kept: LogSettings) -> None:
    record_audit(
        actor=actor, action="logs.settings_changed", target_key="log_settings", target_label="Logs and privacy", now=now,
        before=before, after=_told(kept),
    )  # fmt: skip


def find_log_settings() -> LogSettings:
    """The partner's, or the defaults (unsaved)."""
    return LogSettings.objects.first() or LogSettings()


def keeps_payloads_of(connection_id: UUID) -> bool:
    kept = find_log_settings()
    return kept.keeps_payloads and connection_id not in kept.payload_free_connections
