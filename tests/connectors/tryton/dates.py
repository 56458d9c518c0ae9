"""The day the tests' invoices bear, asked for when it is needed.

Tryton numbers the invoices of a year in the order of their dates and refuses one dated before the last; so all bear one
day, and a run across midnight goes on with the same. It lies in the middle of last year, whose books are open on the real
server and in the simulator: an earlier day of the same year exists on 1 January too, and no invoice lies in the future.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta


def invoice_day() -> date:
    return date(datetime.now(UTC).year - 1, 7, 1)


def due_day() -> date:
    return invoice_day() + timedelta(days=30)


def day_before() -> date:
    """Earlier than `invoice_day`, in the same series of numbers."""
    return invoice_day().replace(month=1)
