"""How long what is kept, by class and outcome; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.sync.models import LogClass

SUCCESS, FAILURE = "success", "failure"
OUTCOMES = (SUCCESS, FAILURE)
DEFAULT_DAYS: Mapping[str, Mapping[str, int]] = {
    LogClass.PAYLOADS: {SUCCESS: 30, FAILURE: 90},
    LogClass.RECORDS: {SUCCESS: 180, FAILURE: 365},
    LogClass.CALLS: {SUCCESS: 30, FAILURE: 90},
    LogClass.RUNS: {SUCCESS: 400, FAILURE: 400},
}
# Service levels of the running month and the one before it are counted from runs.
LEAST_DAYS: Mapping[str, int] = {LogClass.RUNS: 70}
MOST_DAYS = 3650


def days_of(kept: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """What is set, and the defaults for the rest."""
    return {
        str(name): {outcome: kept.get(name, {}).get(outcome, days[outcome]) for outcome in OUTCOMES}
        for name, days in DEFAULT_DAYS.items()
    }


def cutoff(days: int, now: datetime) -> datetime:
    return now - timedelta(days=days)
