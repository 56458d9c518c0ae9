"""Conditions that would make every evaluation fail are not handed to the database."""

from __future__ import annotations

import pytest

from apps.monitoring.conditions import clauses_of, demand_clauses
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
