from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from apps.billing.meters import get_meter
from apps.core.bulk import execute, write

_RECORD = """
INSERT INTO billing_usageevent (key, subject_key, meter, quantity, occurred_at, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING
"""
_RECORD_ALL = """
INSERT INTO billing_usageevent (key, subject_key, meter, quantity, occurred_at, recorded_at)
SELECT key, subject_key, meter, quantity, occurred_at, %s
FROM jsonb_to_recordset(%s::jsonb) AS new(
    key text, subject_key text, meter text, quantity numeric, occurred_at timestamptz)
ON CONFLICT (key) DO NOTHING
"""


class UsageEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of a meter used by an account, named by a key that is its own for all time."""

    key: str
    subject_key: str
    meter: str
    quantity: Decimal
    occurred_at: datetime


def record_usages(*, entries: Sequence[UsageEntry], now: datetime) -> int:
    """This function will record a batch in one statement, each key once; returns how many were new."""
    for meter in {entry.meter for entry in entries}:
        get_meter(meter)
    if any(entry.quantity < 0 for entry in entries):
        raise ValueError("usage is counted up: a quantity is never negative")
    return execute(_RECORD_ALL, [now, msgspec.json.encode(entries).decode()])


def record_usage(
    *, subject_key: str, meter: str, quantity: Decimal | int, key: str, occurred_at: datetime, now: datetime
) -> bool:
    """This function will record a quantity once per `key`; False when this key was recorded before.

    One statement, in the caller's transaction: the page that made the usage commits with it or not at all.
    """
    _demand_sound(meter, quantity)
    return execute(_RECORD, [key, subject_key, meter, quantity, occurred_at, now]) == 1


def note_usage(
    *, subject_key: str, meter: str, quantity: Decimal | int, key: str, occurred_at: datetime, now: datetime
) -> None:
    """This function will do the same where nobody asks whether it counted: it may travel with the next statement."""
    _demand_sound(meter, quantity)
    write(_RECORD, [key, subject_key, meter, quantity, occurred_at, now])


def _demand_sound(meter: str, quantity: Decimal | int) -> None:
    get_meter(meter)
    if quantity < 0:
        raise ValueError("usage is counted up: a quantity is never negative")
