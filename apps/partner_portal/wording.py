"""Stored values as people read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.money import Money
from apps.ui.formatting import money_text


def setting_text(value: Any) -> str:
    if isinstance(value, dict) and {"amount", "currency"} <= set(value):
        return money_text(Money(value["amount"], value["currency"]).amount, value["currency"])
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else str(value)


def paragraphs(text: str) -> list[str]:
    """Files break lines where the editor ends; only empty lines part paragraphs."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def months_days(start: datetime, end: datetime, zone: str) -> tuple[date, date]:
    """The first and the last day of a half-open period, in the zone it was made for."""
    place = ZoneInfo(zone)
    return start.astimezone(place).date(), (end - timedelta(microseconds=1)).astimezone(place).date()
