"""Xero's JSON habits: `/Date(ms+0000)/`, numbers without trailing zeros, the response envelope."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

JsonDict = dict[str, Any]

_MS_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")


def ms_timestamp(moment: datetime) -> str:
    return f"/Date({_milliseconds(moment)}+0000)/"


def ms_date(day: date) -> str:
    return ms_timestamp(datetime(day.year, day.month, day.day, tzinfo=UTC))


def parse_moment(value: str) -> datetime:
    """Read `/Date(…)/` or ISO 8601; times without a zone are UTC, as Xero documents. Raises ValueError."""
    if match := _MS_DATE.match(value):
        return datetime.fromtimestamp(int(match[1]) / 1000, tz=UTC)
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def milliseconds(value: str) -> int:
    """The stored `/Date(…)/` as a sortable number."""
    match = _MS_DATE.match(value)
    return int(match[1]) if match else 0


def date_fields(name: str, day: date) -> JsonDict:
    """Xero repeats every document date as a string."""
    return {f"{name}String": f"{day.isoformat()}T00:00:00", name: ms_date(day)}


def number(amount: Decimal) -> int | float:
    """As Xero prints it: 29, 2.39 – two places hold every amount exactly in the printed form."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def decimal(value: Any) -> Decimal | None:
    """None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        parsed = Decimal(str(value))
    except ArithmeticError:
        return None
    return parsed if parsed.is_finite() else None


def envelope(name: str, elements: list[JsonDict], now: datetime, *, pagination: JsonDict | None = None) -> JsonDict:
    body: JsonDict = {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": "Sandbox",
        "DateTimeUTC": f"/Date({_milliseconds(now)})/",
    }
    if pagination is not None:
        body["pagination"] = pagination
    body[name] = elements
    return body


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
