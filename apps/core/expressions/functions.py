"""The function library of mapping expressions. Every function passes null through, so that missing stays missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from apps.core.expressions.values import exact, missing, moment_of
from apps.core.money import exponent, round_half_up

MoneyMap = dict[str, Any]
ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}")
SECONDS_PER_HOUR = Decimal(3600)


def money(amount: Any, currency: Any) -> MoneyMap | None:
    """`money("12.34", "EUR")` → {"amount": 1234, "currency": "EUR"}; rounded half up to the currency's minor unit."""
    if missing(amount):
        return None
    if isinstance(amount, dict):
        return amount
    code = str(currency or "").strip().upper()
    if len(code) != 3:
        raise ValueError("money() needs a three-letter currency")
    return {"amount": round_half_up(exact(amount).scaleb(exponent(code))), "currency": code}


def decimal(value: Any) -> str | None:
    """`decimal({"amount": 1234, "currency": "EUR"})` → "12.34"; a plain number keeps its own places."""
    if missing(value):
        return None
    if isinstance(value, dict):
        places = exponent(value["currency"])
        return f"{Decimal(value['amount']).scaleb(-places):.{places}f}"
    return f"{exact(value):f}"


def currency(value: Any) -> str | None:
    """The currency code of a money map."""
    return None if value is None else str(value["currency"])


def date(value: Any) -> str | None:
    """The calendar day as written: an ISO moment keeps the day of its own offset; epoch milliseconds are read as UTC."""
    if missing(value):
        return None
    if isinstance(value, str) and ISO_DATE.match(value):
        return datetime.fromisoformat(value[:10]).date().isoformat()
    return moment_of(value).date().isoformat()


def moment(value: Any) -> str | None:
    """`datetime(...)` of the library: ISO 8601 in UTC, milliseconds only where there are any; no offset means UTC."""
    if missing(value):
        return None
    found = moment_of(value).astimezone(UTC)
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
    if missing(value):
        return None
    found = exact(value)
    if found != found.to_integral_value():
        raise ValueError(f"{value!r} is not a whole number")
    return int(found)


def number(value: Any) -> int | float | None:
    if missing(value):
        return None
    found = exact(value)
    return int(found) if found == found.to_integral_value() else float(found)


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
    if missing(value):
        return None
    found = (exact(value) / SECONDS_PER_HOUR).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    return f"{found:f}".rstrip("0").rstrip(".")


def seconds(value: Any) -> int | None:
    """Decimal hours as whole seconds: "3.25" → 11700."""
    return None if missing(value) else round_half_up(exact(value) * SECONDS_PER_HOUR)


def listed(table: Any, key: Any) -> str | None:
    """The entry of a list that a person wrote, `key = value` a line, null when there is none; case does not count."""
    wanted = text(key).strip().lower()
    for line in text(table).replace(";", "\n").splitlines():
        name, _, value = line.partition("=")
        if wanted and name.strip().lower() == wanted:
            return value.strip()
    return None


class DemandNotMet(ValueError):
    """What whoever wrote the expression demands of a record; the message is theirs."""


def demand(value: Any, message: Any) -> Any:
    """The value; when it is null or empty text, the record fails with the message."""
    if value is None or value == "":
        raise DemandNotMet(text(message))
    return value


BASIC: dict[str, Callable[..., Any]] = {
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
    "listed": listed,
    "demand": demand,
}
