"""Chargebee's forms: the index of a list comes last, in brackets of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import JsonDict


def indexed(values: Mapping[str, Any]) -> dict[str, str]:
    """`{"charges": [{"amount": 5}]}` → `{"charges[amount][0]": "5"}`; None is left out, an empty text clears a field."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, list):
            for number, entry in enumerate(value):
                found |= {f"{name}[{part}][{number}]": _word(word) for part, word in entry.items() if word is not None}
        elif isinstance(value, Mapping):
            found |= {f"{name}[{part}]": _word(word) for part, word in value.items() if word is not None}
        elif value is not None:
            found[name] = _word(value)
    return found


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def moment(seconds: int | None) -> str | None:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat() if seconds is not None else None


def seconds_of(day: str | None) -> int | None:
    """Midnight UTC of a date. Raises RecordRejected."""
    if not day:
        return None
    try:
        return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise RecordRejected(f"{day} is not a date", code="bad_date") from None


def money(amount: int | None, currency: str) -> JsonDict | None:
    return None if amount is None else {"amount": amount, "currency": currency}
