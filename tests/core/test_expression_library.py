"""The library's functions for dates, numbers, texts and money: exact results, and bounds whatever they are given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core import expressions
from apps.core.expressions import ExpressionError
from apps.core.expressions.library import LIBRARY
from apps.core.expressions.values import LONGEST_TEXT

RECORD: dict[str, Any] = {
    "day": "2026-01-31", "name": "Doe, Jane, Dr", "big": "x" * 90_000, "none": None, "many": "a" * 5000,
    "total": {"amount": 10_050, "currency": "EUR"}, "paid": {"amount": 50, "currency": "EUR"},
    "dollars": {"amount": 100, "currency": "USD"},
}  # fmt: skip


def value(expression: str) -> Any:
    return expressions.compile_one(expression).evaluate({"record": RECORD})["value"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("add_days(record.day, 14)", "2026-02-14"),
        ("add_days(record.day, -31)", "2025-12-31"),
        ('add_days("2026-03-01T23:00:00Z", "1")', "2026-03-02"),
        ("add_days(record.none, 1)", None),
        ("add_months(record.day, 1)", "2026-02-28"),
        ("add_months(record.day, -1)", "2025-12-31"),
        ('add_months("2024-01-31", 1)', "2024-02-29"),
        ("start_of_month(record.day)", "2026-01-01"),
        ('end_of_month("2026-02-03")', "2026-02-28"),
        ('days_between("2026-01-31", "2026-02-14")', 14),
        ("days_between(record.day, null)", None),
        ('round("2.345", 2)', 2.35),
        ("round(-2.5, 0)", -3),
        ("round(1234.5, 0)", 1235),
        ("round(null, 2)", None),
        ('least("10", 9)', 9),
        ("greatest(record.none, 3)", 3),
        ("greatest(1.5, 1.25)", 1.5),
        ('replace(record.name, ", ", "/")', "Doe/Jane/Dr"),
        ('replace(null, "a", "b")', None),
        ('split_part(record.name, ", ", 2)', "Jane"),
        ('split_part(record.name, ", ", -1)', "Dr"),
        ('split_part(record.name, ", ", 9)', ""),
        ('pad(7, 3, "0")', "007"),
        ('pad("1234", 3, "0")', "1234"),
        ("truncate(record.name, 3)", "Doe"),
        ("add(record.total, record.paid)", {"amount": 10_100, "currency": "EUR"}),
        ("add(record.total, null)", {"amount": 10_050, "currency": "EUR"}),
        ("add(null, null)", None),
        ("subtract(record.total, record.paid)", {"amount": 10_000, "currency": "EUR"}),
        ("subtract(null, record.paid)", {"amount": -50, "currency": "EUR"}),
        ('convert(record.total, "1.085", "USD")', {"amount": 10_904, "currency": "USD"}),
        ('convert(record.total, 160, "jpy")', {"amount": 16_080, "currency": "JPY"}),
        ("percent(record.total, 12.5)", {"amount": 1256, "currency": "EUR"}),
        ("record.name.replace(',', '').split_part(' ', 1)", "Doe"),
        ("size(replace(record.name, 'D', 'd')) > 3 ? round(2.5, 0) : 0", 3),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("add_days(record.day, 1.5)", "days must be a whole number, at most 366000"),
        ("add_days('9999-12-31', 1)", "the day is outside of the calendar"),
        ("add_months('9999-12-31', 1)", "the day is outside of the calendar"),
        ("replace(record.big, 'x', 'yyyy')", "the text would be longer than 100000 characters"),
        ("replace(record.name, '', 'x')", "replace() needs a text to look for"),
        ("pad(1, 5000, '0')", "the width must be a whole number, at most 1000"),
        ("pad(1, 5, 'ab')", "pad() fills with one character"),
        ("split_part(record.name, ',', 0)", "places are counted from 1"),
        ("round(1, 99)", "places must be a whole number, at most 12"),
        ("add(record.total, record.dollars)", "EUR and USD cannot be added; convert one of them first"),
        ("add(record.total, 5)", "this needs money, as money(amount, currency) makes it"),
        ("convert(record.total, 2, 'euro')", "convert() needs a three-letter currency"),
        ("integer('1e999999999')", "1e999999999 is too large or too small"),
        ("decimal('1e-999999')", "1e-999999 is too large or too small"),
        ("money('9e400', 'EUR')", "9e400 is too large or too small"),
    ],
)
def test_refusals(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        value(expression)
    assert raised.value.message == message


NASTY = st.sampled_from(
    [
        "1e999999999",
        "-1e-999999999",
        "0e999999999",
        "/Date(99999999999999999999)/",
        "9" * 90,
        "NaN",
        "\x00",
        "2026-02-30",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=10**300, max_value=10**301), st.floats(), st.text(),
    NASTY, st.text(alphabet="a", min_size=2000, max_size=5000),
)  # fmt: skip
MONEY = st.fixed_dictionaries({"amount": SCALARS, "currency": st.sampled_from(["EUR", "JPY", "", "nope"])})
ANYTHING = st.one_of(
    SCALARS, MONEY, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)
)


@pytest.mark.parametrize("name", sorted(LIBRARY))
@settings(max_examples=25, deadline=None)
@given(arguments=st.lists(ANYTHING, min_size=3, max_size=3))
def test_whatever_it_is_given_a_function_stays_small(name: str, arguments: list[Any]) -> None:
    function = LIBRARY[name]
    count = function.__code__.co_argcount
    try:
        found = function(*arguments[:count])
    except Exception:  # noqa: BLE001 - refusing is an answer
        return

    given_size = len(json.dumps(arguments, default=str))
    assert len(json.dumps(found, default=str)) <= 7 * (given_size + LONGEST_TEXT)


@settings(max_examples=20, deadline=None)
@given(st.integers(min_value=1, max_value=25))
def test_nested_growth_ends_in_a_refusal(depth: int) -> None:
    """Each level would make the text ten times as long."""
    expression = "record.many"
    for _ in range(depth):
        expression = f"replace({expression}, 'a', 'aaaaaaaaaa')"
    source = {"value": expression}

    if depth == 1:
        assert len(expressions.compile(source).evaluate({"record": RECORD})["value"]) == 50_000
        return
    with pytest.raises(ExpressionError, match="longer than 100000 characters"):
        expressions.compile(source).evaluate({"record": RECORD})
