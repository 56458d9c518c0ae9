"""Billing months: half-open, begun at midnight in the account's zone, stored once and never recomputed."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def add_months(day: date, months: int, *, anchor_day: int) -> date:
    """The day `months` later that falls on `anchor_day`, or on the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor_day, calendar.monthrange(year, month + 1)[1]))


def midnight(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`, in UTC (right on days with 23 or 25 hours too)."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def period_around(instant: datetime, anchor: date, zone: str) -> tuple[datetime, datetime]:
    """The billing month `[start, end)` that holds `instant`; months begin on the anchor's day of the month."""
    local_day = instant.astimezone(ZoneInfo(zone)).date()
    start = add_months(local_day.replace(day=1), 0, anchor_day=anchor.day)
    if start > local_day:
        start = add_months(start, -1, anchor_day=anchor.day)
    end = add_months(start, 1, anchor_day=anchor.day)
    return midnight(start, zone), midnight(end, zone)
