"""The function library of mapping expressions. Every function passes null through, so that missing stays missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from apps.core.money import exponent, round_half_up

MoneyMap = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DOTNET_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
EPOCH_MILLIS = re.compile(r"^-?\d{11,}$")
ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}")
SECONDS_PER_HOUR = Decimal(3600)


def money(amount: Any, currency: Any) -> MoneyMap | None:
    """`money("12.34", "EUR")` → {"amount": 1234, "currency": "EUR"}; rounded half up to the currency's minor unit."""
    if _missing(amount):
        return None
    if isinstance(amount, dict):
        return amount
    code = str(currency or "").strip().upper()
    if len(code) != 3:
        raise ValueError("money() needs a three-letter currency")
    return {"amount": round_half_up(_exact(amount).scaleb(exponent(code))), "currency": code}


def decimal(value: Any) -> str | None:
    """`decimal({"amount": 1234, "currency": "EUR"})` → "12.34"; a plain number keeps its own places."""
    if _missing(value):
        return None
    if isinstance(value, dict):
        places = exponent(value["currency"])
        return f"{Decimal(value['amount']).scaleb(-places):.{places}f}"
    return f"{_exact(value):f}"


def currency(value: Any) -> str | None:
    """The currency code of a money map."""
    return None if value is None else str(value["currency"])


def date(value: Any) -> str | None:
    """The calendar day as written: an ISO moment keeps the day of its own offset; epoch milliseconds are read as UTC."""
    if _missing(value):
        return None
    if isinstance(value, str) and ISO_DATE.match(value):
        return datetime.fromisoformat(value[:10]).date().isoformat()
    return _moment(value).date().isoformat()


def moment(value: Any) -> str | None:
    """`datetime(...)` of the library: ISO 8601 in UTC, milliseconds only where there are any; no offset means UTC."""
    if _missing(value):
        return None
    found = _moment(value).astimezone(UTC)
    precision = "milliseconds" if found.microsecond else "seconds"
    return found.isoformat(timespec=precision).replace("+00:00", "Z")


def text(value: Any) -> str:
    """A string; "" for null. Whole doubles lose their ".0"."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    return str(value)


def integer(value: Any) -> int | None:
    """A whole number; "3.0" is 3, "3.5" is refused rather than rounded silently."""
    if _missing(value):
        return None
    exact = _exact(value)
    if exact != exact.to_integral_value():
        raise ValueError(f"{value!r} is not a whole number")
    return int(exact)


def number(value: Any) -> int | float | None:
    if _missing(value):
        return None
    exact = _exact(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def coalesce(first: Any, second: Any) -> Any:
    """`first`, or `second` when it is null or empty text."""
    return second if first is None or first == "" else first


def lookup(table: Any, key: Any, default: Any) -> Any:
    """The entry of a map literal: `lookup({"closedwon": "won"}, record.stage, "open")`."""
    return default if key is None else table.get(key, default)


def get(source: Any, path: str) -> Any:
    """The value at a dotted path, null when any part is missing; numbers index lists."""
    for part in path.split("."):
        if isinstance(source, dict):
            source = source.get(part)
        elif isinstance(source, list) and part.isdigit() and int(part) < len(source):
            source = source[int(part)]
        else:
            return None
    return source


def lower(value: Any) -> str | None:
    return None if value is None else text(value).lower()


def upper(value: Any) -> str | None:
    return None if value is None else text(value).upper()


def trim(value: Any) -> str | None:
    return None if value is None else text(value).strip()


def hours(value: Any) -> str | None:
    """Seconds as decimal hours: 11700 → "3.25". Four places, so that `seconds(hours(n)) == n` for every whole n."""
    if _missing(value):
        return None
    found = (_exact(value) / SECONDS_PER_HOUR).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    return f"{found:f}".rstrip("0").rstrip(".")


def seconds(value: Any) -> int | None:
    """Decimal hours as whole seconds: "3.25" → 11700."""
    return None if _missing(value) else round_half_up(_exact(value) * SECONDS_PER_HOUR)


def _missing(value: Any) -> bool:
    return value is None or value == ""


def _exact(value: Any) -> Decimal:
    # Through str(): the shortest text that reads back as the same double, so 0.1 stays 0.1.
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is not a number")
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not found.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return found


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        dotnet = DOTNET_DATE.match(value)
        if dotnet:
            return EPOCH + timedelta(milliseconds=int(dotnet.group(1)))
        if not EPOCH_MILLIS.match(value):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return EPOCH + timedelta(milliseconds=float(_exact(value)))


LIBRARY: dict[str, Callable[..., Any]] = {
    "money": money,
    "decimal": decimal,
    "currency": currency,
    "date": date,
    "datetime": moment,
    "text": text,
    "integer": integer,
    "number": number,
    "coalesce": coalesce,
    "lookup": lookup,
    "get": get,
    "lower": lower,
    "upper": upper,
    "trim": trim,
    "hours": hours,
    "seconds": seconds,
}
