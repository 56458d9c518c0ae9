"""The whole function library of mapping expressions: the basic ones and those for dates, numbers, texts and money.

Every function passes null through, is free of side effects, and is bounded in time and memory by the size of what it is
given: see `values`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from apps.core.expressions.functions import BASIC, MoneyMap, number, text
from apps.core.expressions.functions import date as day_text
from apps.core.expressions.values import bounded, exact, missing, whole
from apps.core.money import exponent, round_half_up

MOST_DAYS = 366_000
MOST_MONTHS = 12_000
MOST_PLACES = 12
WIDEST_PAD = 1000
MOST_PARTS = 10_000
WIDE = Context(prec=60)  # digits enough for any number that `exact` lets through, with all its places


def add_days(value: Any, days: Any) -> str | None:
    """A day moved by whole days: `add_days("2026-01-31", 14)` → "2026-02-14"."""
    found = _day(value)
    return None if found is None else _checked(lambda: found + timedelta(days=whole(days, "days", MOST_DAYS)))


def add_months(value: Any, months: Any) -> str | None:
    """A day moved by months, to the month's last day where it has fewer: `add_months("2026-01-31", 1)` → "2026-02-28"."""
    found = _day(value)
    if found is None:
        return None
    place = found.year * 12 + found.month - 1 + whole(months, "months", MOST_MONTHS)
    year, month = place // 12, place % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise ValueError("the day is outside of the calendar")
    return date(year, month, min(found.day, calendar.monthrange(year, month)[1])).isoformat()


def start_of_month(value: Any) -> str | None:
    """The first day of the day's month."""
    found = _day(value)
    return None if found is None else found.replace(day=1).isoformat()


def end_of_month(value: Any) -> str | None:
    """The last day of the day's month."""
    found = _day(value)
    return None if found is None else found.replace(day=calendar.monthrange(found.year, found.month)[1]).isoformat()


def days_between(first: Any, second: Any) -> int | None:
    """Days from the first to the second day; negative when the second is earlier."""
    start, end = _day(first), _day(second)
    return None if start is None or end is None else (end - start).days


def rounded(value: Any, places: Any) -> int | float | None:
    """`round(2.345, 2)` → 2.35: half away from zero, at most twelve places."""
    if missing(value):
        return None
    step = Decimal(1).scaleb(-whole(places, "places", MOST_PLACES))
    return number(f"{exact(value).quantize(step, rounding=ROUND_HALF_UP, context=WIDE):f}")


def least(first: Any, second: Any) -> Any:
    """The smaller of two numbers; null counts as absent."""
    return _pick(first, second, lambda a, b: a <= b)


def greatest(first: Any, second: Any) -> Any:
    """The larger of two numbers; null counts as absent."""
    return _pick(first, second, lambda a, b: a >= b)


def replace(value: Any, old: Any, new: Any) -> str | None:
    """A text with every `old` in it replaced: `replace("a-b", "-", " ")` → "a b"."""
    if value is None:
        return None
    whole_text, part, instead = text(value), text(old), text(new)
    if not part:
        raise ValueError("replace() needs a text to look for")
    bounded(len(whole_text) + whole_text.count(part) * max(0, len(instead) - len(part)))
    return whole_text.replace(part, instead)


def split_part(value: Any, separator: Any, place: Any) -> str | None:
    """The part at a place, counted from 1, or from the end with -1; "" where there is none."""
    if value is None:
        return None
    between = text(separator)
    if not between:
        raise ValueError("split_part() needs a separator")
    wanted = whole(place, "the place", MOST_PARTS)
    if wanted == 0:
        raise ValueError("places are counted from 1")
    parts = text(value).split(between)
    inside = abs(wanted) <= len(parts)
    return parts[wanted - 1 if wanted > 0 else wanted] if inside else ""


def pad(value: Any, width: Any, fill: Any) -> str | None:
    """A text filled up on the left: `pad("7", 3, "0")` → "007"; at most 1,000 wide."""
    if value is None:
        return None
    letter = text(fill)
    if len(letter) != 1:
        raise ValueError("pad() fills with one character")
    return text(value).rjust(whole(width, "the width", WIDEST_PAD), letter)


def truncate(value: Any, length: Any) -> str | None:
    """The first characters of a text: `truncate("Initech Inc", 7)` → "Initech"."""
    return None if value is None else text(value)[: max(0, whole(length, "the length", 1_000_000))]


def add(first: Any, second: Any) -> MoneyMap | None:
    """The sum of two amounts of money in one currency; null counts as nothing."""
    return _sum(first, second, 1)


def subtract(first: Any, second: Any) -> MoneyMap | None:
    """The difference of two amounts of money in one currency; null counts as nothing."""
    return _sum(first, second, -1)


def convert(value: Any, rate: Any, currency: Any) -> MoneyMap | None:
    """Money in another currency: `convert(record.total, 1.08, "USD")`, rounded half up to its minor unit."""
    if missing(value) or missing(rate):
        return None
    code = text(currency).strip().upper()
    if len(code) != 3:
        raise ValueError("convert() needs a three-letter currency")
    amount, of = _money(value)
    found = Decimal(amount).scaleb(-exponent(of)) * exact(rate)
    return {"amount": round_half_up(found.scaleb(exponent(code))), "currency": code}


def percent(value: Any, share: Any) -> MoneyMap | None:
    """A share of an amount of money: `percent(record.total, 20)`, rounded half up."""
    if missing(value) or missing(share):
        return None
    amount, of = _money(value)
    return {"amount": round_half_up(Decimal(amount) * exact(share) / 100), "currency": of}


def _day(value: Any) -> date | None:
    found = day_text(value)
    return None if found is None else date.fromisoformat(found)


def _checked(make: Callable[[], date]) -> str:
    try:
        return make().isoformat()
    except OverflowError:
        raise ValueError("the day is outside of the calendar") from None


def _pick(first: Any, second: Any, prefers: Callable[[Decimal, Decimal], bool]) -> Any:
    if missing(first) or missing(second):
        return number(second if missing(first) else first)
    return number(first if prefers(exact(first), exact(second)) else second)


def _sum(first: Any, second: Any, sign: int) -> MoneyMap | None:
    if missing(first) and missing(second):
        return None
    one = _money(first) if not missing(first) else (0, _money(second)[1])
    other = _money(second) if not missing(second) else (0, one[1])
    if one[1] != other[1]:
        raise ValueError(f"{one[1]} and {other[1]} cannot be added; convert one of them first")
    return {"amount": one[0] + sign * other[0], "currency": one[1]}


def _money(value: Any) -> tuple[int, str]:
    if not isinstance(value, dict) or "currency" not in value:
        raise ValueError("this needs money, as money(amount, currency) makes it")
    return int(exact(value.get("amount"))), str(value["currency"])


LIBRARY: dict[str, Callable[..., Any]] = {
    **BASIC,
    "add": add,
    "add_days": add_days,
    "add_months": add_months,
    "convert": convert,
    "days_between": days_between,
    "end_of_month": end_of_month,
    "greatest": greatest,
    "least": least,
    "pad": pad,
    "percent": percent,
    "replace": replace,
    "round": rounded,
    "split_part": split_part,
    "start_of_month": start_of_month,
    "subtract": subtract,
    "truncate": truncate,
}
