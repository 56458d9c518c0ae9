"""Objectives in the words of a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from apps.sla.measures import ObjectiveKey


def name_objective(key: ObjectiveKey, threshold_seconds: int = 0) -> str:
    names = {
        ObjectiveKey.RUN_SUCCESS: "Successful runs",
        ObjectiveKey.RECORD_SUCCESS: "Records kept in step",
        ObjectiveKey.FRESHNESS: f"In step within {describe_seconds(threshold_seconds)}",
    }
    return names[key]


def explain_objective(key: ObjectiveKey, threshold_seconds: int = 0) -> str:
    """How the figure is calculated, in one sentence."""
    texts = {
        ObjectiveKey.RUN_SUCCESS: "Runs that completed, out of all runs that ended. Runs a person canceled are left out.",
        ObjectiveKey.RECORD_SUCCESS: "Records written or found unchanged, out of those and the ones that failed.",
        ObjectiveKey.FRESHNESS: (
            "Share of the time in which each flow's last completed run lay no further back than "
            f"{describe_seconds(threshold_seconds)}."
        ),
    }
    return texts[key]


def describe_seconds(seconds: int) -> str:
    """`5400` → `1 h 30 min`."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"


def describe_result(row: dict[str, Any]) -> str:
    """A stored result in one phrase: `99.98 %, target 99.5 %`."""
    achieved = f"{row['achieved']} %" if row["achieved"] else "no data"
    return f"{achieved}, target {row['target']} %"


def month_name(instant: datetime, zone: str) -> str:
    """`October 2026`, of the month that `instant` falls in over there; in the language of the words around it."""
    return str(format_date(instant.astimezone(ZoneInfo(zone)), "MMMM y", locale="en"))
