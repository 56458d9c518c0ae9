"""Whatever somebody writes into a header, nothing breaks off and nobody waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.connectors.sdk.error_table import ErrorTable, VendorResponse
from apps.connectors.sdk.errors import RateLimited
from apps.connectors.sdk.numbers import unix_moment, whole_number

HUGE = "9" * 5000
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("14999", 14999), (HUGE, None), ("\u00b2", None), ("\u0661", None), ("-1", None), ("1e9", None), ("", None)],
)  # fmt: skip
def test_only_plain_digits_are_a_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", [HUGE, "9" * 15, "now", ""])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert unix_moment(text) is None


def test_a_moment_is_read_in_its_unit() -> None:
    assert unix_moment("1795420800") == unix_moment("1795420800000", per_second=1000) == NOW.replace(hour=8)


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), ("inf", 86_400.0), (HUGE, 86_400.0), ("nan", 0.0), ("-5", 0.0), ("soon", 10.0),
     ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0), ("Fri, 31 Dec 99999 23:59:59 GMT", 10.0)],
)  # fmt: skip
def test_no_wait_is_longer_than_a_day(header: str, wait: float) -> None:
    error = ErrorTable().error_for(VendorResponse(status=429, headers={"retry-after": header}, content=b""), now=NOW)

    assert isinstance(error, RateLimited)
    assert error.retry_after == wait
    assert NOW + timedelta(seconds=error.retry_after) >= NOW
