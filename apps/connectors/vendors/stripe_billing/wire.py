"""Stripe's habits on the wire: bracketed forms, moments in seconds, amounts in units that are not quite ISO's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.connectors.sdk.errors import RecordRejected

# Stripe counts these in hundredths although they have no smaller unit (its documentation of special cases).
IN_HUNDREDTHS = ("ISK", "UGX")


def bracketed(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"items": [{"price": "p"}]}` → `{"items[0][price]": "p"}`; None is left out, an empty text clears a field."""
    found: dict[str, str] = {}
    for name, value in values.items():
        place = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            found |= bracketed(value, place)
        elif isinstance(value, list | tuple):
            found |= bracketed({str(number): entry for number, entry in enumerate(value)}, place)
        elif isinstance(value, bool):
            found[place] = "true" if value else "false"
        elif value is not None:
            found[place] = str(value)
    return found


def minor_units(amount: int | None, currency: str) -> int | None:
    """Stripe's integer as ISO 4217 counts."""
    return amount // 100 if amount is not None and currency.upper() in IN_HUNDREDTHS else amount


def stripe_units(money: Mapping[str, Any]) -> int:
    """A canonical amount as Stripe counts."""
    factor = 100 if str(money["currency"]).upper() in IN_HUNDREDTHS else 1
    return int(money["amount"]) * factor


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


def idempotency_key(key: str, step: str, values: Mapping[str, Any]) -> str:
    """One key per call of an intent, bound to what is sent: a key that comes back with other parameters is refused."""
    digest = hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{key}-{step}-{digest[:24]}"
