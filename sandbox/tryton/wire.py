"""Tagged values, as Tryton writes and reads them; rows are stored in this form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def tag_date(value: date | str | None) -> Any:
    if value is None:
        return None
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return {"__class__": "date", "year": found.year, "month": found.month, "day": found.day}


def tag_moment(value: datetime) -> dict[str, Any]:
    value = value.astimezone(UTC)
    return {"__class__": "datetime", **{name: getattr(value, name) for name in MOMENT}}


def tag_decimal(value: Decimal | str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": str(value)}


def tag_seconds(seconds: float) -> dict[str, Any]:
    return {"__class__": "timedelta", "seconds": float(seconds)}


def untagged(value: Any) -> Any:
    """A value that compares."""
    if not isinstance(value, dict):
        return value
    kind = value["__class__"]
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "date":
        return date(value["year"], value["month"], value["day"])
    if kind == "datetime":
        return datetime(*(value[name] for name in MOMENT), tzinfo=UTC)
    return value["seconds"]
