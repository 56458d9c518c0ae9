"""Numbers that somebody else wrote into a header: anything may stand there, also a number of a million digits."""

from __future__ import annotations

from datetime import UTC, datetime

LONGEST = 15  # digits; beyond, nothing is a count, a wait or a moment


def whole_number(text: str) -> int | None:
    """None for anything but plain digits, and for more of them than make sense."""
    return int(text) if len(text) <= LONGEST and text.isascii() and text.isdecimal() else None


def unix_moment(text: str, *, per_second: int = 1) -> datetime | None:
    """The moment so many seconds (or parts of them) after 1970; None where there is no such moment."""
    number = whole_number(text)
    try:
        return None if number is None else datetime.fromtimestamp(number / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None
