"""Tryton's JSON: decimals, dates, moments and durations travel as objects tagged with `__class__`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

MOMENT_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def plain(value: Any) -> Any:
    """The value in ordinary JSON: decimals and dates as strings, durations as whole seconds where they are whole.

    Nested reads arrive under names with a trailing dot (`lines.`); they are given their own name.
    """
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    tag = value.get("__class__")
    if tag == "Decimal":
        return value["decimal"]
    if tag == "date":
        return date(value["year"], value["month"], value["day"]).isoformat()
    if tag == "datetime":
        return datetime(**{name: value[name] for name in MOMENT_PARTS}, tzinfo=UTC).isoformat()
    if tag == "timedelta":
        seconds = value["seconds"]
        return int(seconds) if seconds == int(seconds) else seconds
    return {name.removesuffix("."): plain(item) for name, item in value.items()}


def wire_date(text: str) -> dict[str, Any]:
    found = date.fromisoformat(text[:10])
    return {"__class__": "date", "year": found.year, "month": found.month, "day": found.day}


def wire_moment(moment: datetime) -> dict[str, Any]:
    """Tryton keeps moments in UTC without saying so."""
    moment = moment.astimezone(UTC)
    return {"__class__": "datetime", **{name: getattr(moment, name) for name in MOMENT_PARTS}}


def wire_decimal(value: Decimal | str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": str(value)}


def wire_seconds(seconds: int) -> dict[str, Any]:
    return {"__class__": "timedelta", "seconds": seconds}
