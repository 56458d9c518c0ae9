"""Conditions that would make every evaluation fail are not handed to the database."""

from __future__ import annotations

import pytest

from apps.core.expressions import compile_one
from apps.core.money import Money
from apps.monitoring.conditions import clauses_of, demand_clauses
from apps.monitoring.hits import _stake
from apps.monitoring.paths import UnableToRead


@pytest.mark.parametrize(
    "condition",
    [
        "record.amount > 1e999999", f"record.amount == {'9' * 200_000}", 'record.status == "a\nb"',
        "record.status in ['a\rb']",
    ],
)  # fmt: skip
def test_what_the_database_cannot_hold_is_refused(condition: str) -> None:
    assert clauses_of(condition) == ([], False)
    with pytest.raises(UnableToRead):
        demand_clauses(condition, "expected")


def test_ordinary_numbers_are_taken() -> None:
    found, is_all = clauses_of("record.amount >= 1.5e3 && record.count != 0")

    assert (is_all, [clause.parameters[-1] for clause in found]) == (True, ["1.5e3", "0"])


@pytest.mark.parametrize(
    ("amount", "stake"),
    [
        ("record.total", Money(500, "EUR")),
        ("{'amount': 1, 'currency': 'EURO'}", None),
        ("{'amount': 1, 'currency': ''}", None),
        ("{'amount': 9223372036854775807, 'currency': 'EUR'}", None),
    ],
)
def test_an_amount_that_no_row_holds_is_none(amount: str, stake: Money | None) -> None:
    record = {"total": {"amount": -500, "currency": "EUR"}}

    assert _stake(compile_one(amount), {"record": record, "settings": {}}) == stake
