"""Limits of runs and what is kept of the log, as parts of the partner's configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from apps.core.actor import Actor
from apps.flows.definition import Part
from apps.flows.sections import Data, Section, register_section
from apps.sync.retention import days_of
from apps.sync.services.keeping import find_log_settings, update_log_settings
from apps.sync.services.limits import FIELDS, load_limits, save_limits


class LimitsDoc(Part, frozen=True):
    """See `RunLimits`."""

    per_partner: int | None = None
    per_customer: int | None = None
    per_connection: int | None = None
    max_minutes: int = 240
    max_records: int = 2_000_000
    max_failed_percent: int = 60
    drop_percent: int = 80


class LogDoc(Part, frozen=True):
    """See `LogSettings`; days that are not named are as shipped."""

    keeps_payloads: bool = True
    hidden_fields: list[str] = []
    days: dict[Literal["payloads", "records", "calls", "runs"], dict[Literal["success", "failure"], int]] = {}


def describe_limits() -> Data:
    limits = load_limits()
    return {name: getattr(limits, name) for name in FIELDS}


def change_limits(actor: Actor, now: datetime, wanted: LimitsDoc) -> None:
    """Raises UnableToLimit."""
    save_limits(actor=actor, now=now, values=msgspec.to_builtins(wanted))


def describe_log() -> Data:
    kept = find_log_settings()
    return {
        "keeps_payloads": kept.keeps_payloads, "hidden_fields": list(kept.hidden_fields), "days": days_of(kept.days),
    }  # fmt: skip


def normal_log(wanted: LogDoc) -> Data:
    """Every class with its days, and the rules as they are kept."""
    rules = dict.fromkeys(rule.strip().lower() for rule in wanted.hidden_fields if rule.strip())
    days = days_of({str(name): {str(k): v for k, v in found.items()} for name, found in wanted.days.items()})
    return {"keeps_payloads": wanted.keeps_payloads, "hidden_fields": list(rules), "days": days}


def change_log(actor: Actor, now: datetime, wanted: Data) -> None:
    """Raises UnableToKeepLog."""
    update_log_settings(actor=actor, now=now, **wanted)


def register() -> None:
    register_section(
        Section("limits", "Limits of runs", LimitsDoc, "integrations.manage", describe_limits, change_limits)
    )
    register_section(
        Section("log", "Logs and privacy", LogDoc, "security.manage", describe_log, change_log, normal_log)
    )
