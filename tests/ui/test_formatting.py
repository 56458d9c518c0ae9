from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from apps.core.money import Money
from apps.ui import formatting

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "amount,currency,locale,expected",
    [
        (184_250, "EUR", "en", "€1,842.50"),
        (184_250, "EUR", "de", "1.842,50\xa0€"),
        (1_842, "JPY", "en", "¥1,842"),
        (1_500, "KWD", "en", "KWD\xa01.500"),
        (-99, "USD", "en", "−$0.99"),
    ],
)
def test_money_has_the_currencys_digits_and_the_locales_form(amount, currency, locale, expected):
    assert formatting.money_text(amount, currency, locale) == expected


@pytest.mark.parametrize(
    "value,currency,expected",
    [
        (Money(5, "EUR"), "", (5, "EUR")),
        ({"amount": 5, "currency": "USD"}, "", (5, "USD")),
        (5, "GBP", (5, "GBP")),
        (None, "GBP", None),
    ],
)
def test_money_is_read_from_every_shape(value, currency, expected):
    assert formatting.read_money(value, currency) == expected


@pytest.mark.parametrize(
    "seconds,expected",
    [
        (0.83, "830 ms"), (4.2, "4.2 s"), (4, "4 s"), (60, "1 min"), (200, "3 min 20 s"), (7_500, "2 h 5 min"),
        (3_600, "1 h"), (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_duration_uses_two_units_at_most(seconds, expected):
    assert formatting.duration_text(seconds) == expected


@pytest.mark.parametrize(
    "ago,expected",
    [
        (0, "just now"), (44, "just now"), (45, "1 min ago"), (3_599, "60 min ago"), (7_200, "2 h ago"), (86_400, "1 day ago"),
        (-20, "in a moment"), (-3_600, "in 1 h"), (86_400 * 12, "12 days ago"),
    ],
)  # fmt: skip
def test_relative_time(ago, expected):
    assert formatting.relative_text(NOW - timedelta(seconds=ago), NOW) == expected


def test_a_time_at_the_calendars_end_is_shown_as_it_is():
    """Systems write 9999-12-31 for "never"; in zones ahead of it the calendar has no such hour."""
    end = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert formatting.short_date_text(end, ZoneInfo("Europe/Berlin")) == "31 Dec 9999"
    assert formatting.exact_text(end, ZoneInfo("Europe/Berlin")).startswith("31 Dec 9999, 23:59:00")


def test_exact_time_is_in_the_viewers_zone():
    assert formatting.exact_text(NOW, ZoneInfo("Europe/Berlin")) == "2 Nov 2026, 10:00:00 CET"


@pytest.mark.parametrize(
    "value,expected",
    [
        (999, "999"),
        (9_999, "9,999"),
        (12_345, "12.3k"),
        (4_200_000, "4.2m"),
        (3_000_000_000, "3bn"),
        (-12_345, "−12.3k"),
    ],
)
def test_compact_numbers(value, expected):
    assert formatting.compact_text(value) == expected


@pytest.mark.parametrize(
    "value,unit,expected",
    [(1.4, "%", "+1.4\u202f%"), (-3, "", "−3"), (0, "pt", "±0\u202fpt"), (Decimal("0.25"), "", "+0.25")],
)
def test_delta_carries_its_sign(value, unit, expected):
    assert formatting.delta_text(value, unit) == expected


@pytest.mark.parametrize(
    "size,expected", [(512, "512 B"), (4_210, "4.2 kB"), (318_000_000, "318 MB"), (2 * 10**12, "2.0 TB")]
)
def test_bytes(size, expected):
    assert formatting.bytes_text(size) == expected


@pytest.mark.parametrize(
    "name,expected", [("Maria de la Cruz", "MC"), ("maria@acme.example", "ME"), ("Prince", "P"), ("  ", "?")]
)
def test_initials(name, expected):
    assert formatting.initials_of(name) == expected
