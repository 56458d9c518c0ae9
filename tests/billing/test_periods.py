"""Billing months are half-open, seamless, and begin at local midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.periods import add_months, midnight, period_around

CASES = [
    ("UTC", "UTC", datetime(2026, 11, 15, tzinfo=UTC), date(2026, 1, 1),
     datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ("month with the end of summer time", "Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC), date(2026, 1, 1),
     datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)),
    ("anniversary on the 31st in a short month", "UTC", datetime(2026, 2, 28, 1, tzinfo=UTC), date(2026, 1, 31),
     datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)),
    ("the instant before local midnight belongs to the month before", "America/New_York",
     datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC), date(2026, 1, 1),
     datetime(2026, 10, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize("case,zone,instant,anchor,start,end", CASES, ids=[case[0] for case in CASES])
def test_period_around(case: str, zone: str, instant: datetime, anchor: date, start: datetime, end: datetime) -> None:
    assert period_around(instant, anchor, zone) == (start, end)


zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Apia"]
)


@given(
    instant=st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),
    anchor=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
    zone=zones,
)
def test_periods_hold_their_instant_and_join_without_gap(instant: datetime, anchor: date, zone: str) -> None:
    start, end = period_around(instant, anchor, zone)

    assert start <= instant < end
    assert period_around(end, anchor, zone)[0] == end
    assert period_around(start - timedelta(microseconds=1), anchor, zone)[1] == start


def test_add_months_keeps_the_anchor_day_after_a_short_month() -> None:
    february = add_months(date(2026, 1, 31), 1, anchor_day=31)

    assert february == date(2026, 2, 28)
    assert add_months(february, 1, anchor_day=31) == date(2026, 3, 31)


def test_midnight_on_the_day_clocks_go_back_is_the_first_one() -> None:
    assert midnight(date(2026, 10, 25), "Europe/Berlin") == datetime(2026, 10, 24, 22, tzinfo=UTC)
