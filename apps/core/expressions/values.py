"""Reading the values that library functions are given, within bounds: a few letters must not become gigabytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DOTNET_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
EPOCH_MILLIS = re.compile(r"^-?\d{11,}$")
LONGEST_NUMBER = 100
LARGEST_EXPONENT = 24
LONGEST_TEXT = 100_000


def missing(value: Any) -> bool:
    return value is None or value == ""


def exact(value: Any) -> Decimal:
    """Raises ValueError for what is no number, or one of more than 24 places before or behind the point."""
    # Through str(): the shortest text that reads back as the same double, so 0.1 stays 0.1.
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER * 3:
        raise ValueError("the number is too large")
    written = str(value).strip()
    if len(written) > LONGEST_NUMBER:
        raise ValueError("the number is too long")
    if "_" in written:  # Python's way to part thousands, and nobody else's
        raise ValueError(f"{value!r} is not a number")
    try:
        found = Decimal(written)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not found.is_finite():
        raise ValueError(f"{value!r} is not a number")
    # "1e999999999" is short to write, and would fill the memory as a whole number or as plain digits.
    if not found:
        return Decimal(0) if abs(found.as_tuple().exponent) > LARGEST_EXPONENT else found  # type: ignore[arg-type]
    if abs(found.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"{written} is too large or too small")
    return found


def whole(value: Any, what: str, most: int) -> int:
    """A whole number between -most and most. Raises ValueError naming `what`."""
    found = exact(value)
    if found != found.to_integral_value() or abs(found) > most:
        raise ValueError(f"{what} must be a whole number, at most {most}")
    return int(found)


def moment_of(value: Any) -> datetime:
    """A moment from ISO text, "/Date(ms)/" or epoch milliseconds. Raises ValueError."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        dotnet = DOTNET_DATE.match(value)
        if dotnet:
            return EPOCH + timedelta(milliseconds=int(dotnet.group(1)))
        if not EPOCH_MILLIS.match(value):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return EPOCH + timedelta(milliseconds=float(exact(value)))


def bounded(length: int) -> None:
    """Raises ValueError before a text is made that is longer than any system's field."""
    if length > LONGEST_TEXT:
        raise ValueError(f"the text would be longer than {LONGEST_TEXT} characters")
