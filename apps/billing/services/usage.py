from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection

from apps.billing.meters import get_meter


def record_usage(
    *, subject_key: str, meter: str, quantity: Decimal | int, key: str, occurred_at: datetime, now: datetime
) -> bool:
    """This function will record a quantity once per `key`; False when this key was recorded before.

    One statement, in the caller's transaction: the page that made the usage commits with it or not at all.
    """
    get_meter(meter)
    if quantity < 0:
        raise ValueError("usage is counted up: a quantity is never negative")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_usageevent (key, subject_key, meter, quantity, occurred_at, recorded_at)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING
            """,
            [key, subject_key, meter, quantity, occurred_at, now],
        )
        return bool(cursor.rowcount == 1)
