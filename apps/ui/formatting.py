"""Numbers, money, time and durations as people read them. Pure: the moment and the locale are arguments."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from apps.core.money import Money

EMPTY = "–"
# A list shows the same few numbers, days and zones again and again, and reading a pattern takes long.
_KEPT = 4096
_MINUS = "−"
_THIN = "\u202f"


@lru_cache(_KEPT)
def money_text(amount: int, currency: str, locale: str = "en") -> str:
    """Format minor units; the currency decides the digits ("JPY" has none, "BHD" three)."""
    text = format_currency(Money(amount, currency).decimal, currency, locale=locale)
    # A currency without a sign of its own shows its code, which must not run into the number.
    return re.sub(r"([A-Z]{3})(?=\d)", "\\1\u00a0", text).replace("-", _MINUS)


def read_money(value: object, currency: str = "") -> tuple[int, str] | None:
    """Read minor units and currency from a money object, a canonical money map or a plain integer."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return int(value["amount"]), str(value["currency"])
    if isinstance(value, int):
        return value, currency
    return int(getattr(value, "amount", 0)), str(getattr(value, "currency", currency))


@lru_cache(_KEPT)
def number_text(value: int | float | Decimal, *, digits: int | None = None, locale: str = "en") -> str:
    pattern = "#,##0.###" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=locale).replace("-", _MINUS)


_IRREGULAR = {"people": "person"}


def noun_text(count: int, plural: str) -> str:
    """The noun as one says it with that number: 1 exception, 2 exceptions, 1 entry."""
    if count != 1:
        return plural
    if plural in _IRREGULAR:
        return _IRREGULAR[plural]
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return plural.removesuffix("es" if plural.endswith(("ches", "shes", "sses", "xes")) else "s")


def compact_text(value: int | float, locale: str = "en") -> str:
    """Shorten large counts for tiles and axes: 12 345 → "12.3k"."""
    size = abs(value)
    for limit, suffix in ((1_000_000_000, "bn"), (1_000_000, "m"), (10_000, "k")):
        if size >= limit:
            unit = 1_000 if suffix == "k" else limit
            return format_decimal(round(value / unit, 1), format="#,##0.#", locale=locale).replace("-", _MINUS) + suffix
    return number_text(value, locale=locale)


def bytes_text(size: int) -> str:
    """Decimal units with one digit below a hundred: "512 B", "4.2 kB", "318 MB"."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def duration_text(seconds: float) -> str:
    """Two units at most: "830 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for (name, size), (next_name, next_size) in pairwise(units):
        if whole >= size:
            rest = whole % size // next_size
            return f"{whole // size} {name} {rest} {next_name}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def relative_text(moment: datetime, now: datetime) -> str:
    """Say how long ago or how soon; beyond 30 days the caller shows the date."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now" if seconds >= 0 else "in a moment"
    text = _largest_unit(size)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _largest_unit(size: float) -> str:
    if size < 3_600:
        return f"{max(1, round(size / 60))} min"
    if size < 86_400:
        return f"{round(size / 3_600)} h"
    days = round(size / 86_400)
    return "1 day" if days == 1 else f"{days} days"


def is_distant(moment: datetime, now: datetime) -> bool:
    return abs(now - moment) > timedelta(days=30)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """As it is where the calendar has no such hour there: systems write 9999-12-31 for "never"."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def exact_text(moment: datetime, zone: tzinfo, locale: str = "en") -> str:
    local = in_zone(moment, zone)
    hour = in_zone(moment, UTC).replace(minute=0, second=0, microsecond=0)
    return f"{date_text(local.date(), locale)}, {local:%H:%M:%S} {_zone_text(hour, zone, locale)}"


@lru_cache(_KEPT)
def _zone_text(hour: datetime, zone: tzinfo, locale: str) -> str:
    """The zone's short name in that hour, given in UTC: local hours repeat when the clocks go back."""
    local = in_zone(hour, zone)
    name = local.tzname() or ""
    # "CET" and "CST" are what people say; zones without such a name are said by their distance.
    return name if name.isalpha() else format_datetime(local, "OOOO", locale=locale)


def short_date_text(moment: datetime, zone: tzinfo, locale: str = "en") -> str:
    return date_text(in_zone(moment, zone).date(), locale)


def delta_text(value: int | float | Decimal, unit: str = "", *, digits: int | None = None, locale: str = "en") -> str:
    """A change with its sign: "+1.4 %", "−3"."""
    sign = "+" if value > 0 else _MINUS if value < 0 else "±"
    text = number_text(abs(Decimal(str(value))), digits=digits, locale=locale)
    return f"{sign}{text}{_THIN}{unit}" if unit else f"{sign}{text}"


def initials_of(name: str) -> str:
    """The first letters of the first and the last word: "Maria de la Cruz" → "MC"."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@lru_cache(_KEPT)
def date_text(value: date, locale: str = "en") -> str:
    return format_date(value, "d MMM y", locale=locale)
