"""What the database can decide of a condition, and what it must leave to the expression."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.core.bulk import json_text
from apps.core.expressions import compile_one
from apps.monitoring.conditions import clauses_of, demand_clauses
from apps.monitoring.paths import UnableToRead, choices_from, read_ways

RECORD = {
    "status": "paid", "billable": True, "total": {"amount": 1200, "currency": "EUR"}, "day": "2026-10-19", "note": None,
    "count": 3,
}  # fmt: skip
DECIDED = [
    ('record.status == "paid"', True),
    ("record.status == 'open'", False),
    ('record.status != "void"', True),
    ('record.status in ["open", "paid"]', True),
    ('record.status in ["open"]', False),
    ("record.billable", True),
    ("record.billable == true", True),
    ("record.billable == false", False),
    ("record.note == null", True),
    ("record.note != null", False),
    ("record.total.amount > 1000", True),
    ("record.total.amount <= 1000", False),
    ("record.count == 3", True),
    ('record.day < "2026-10-20"', True),
    ('record.day >= "2026-10-20"', False),
    ('(record.status == "paid") && record.billable && record.count > 2', True),
]
LEFT = [
    'record.status == "paid" || record.billable',
    'record.billable ? true : record.status == "paid"',
    'lower(record.status) == "paid"',
    "record.total.amount == record.count",
    "!record.billable",
    "record.time_amount != null",
    'record.status.startsWith("pa")',
    'record.status in ["open", record.note]',
]


@pytest.mark.django_db
@pytest.mark.parametrize(("condition", "wanted"), DECIDED, ids=[condition for condition, _ in DECIDED])
def test_database_and_expression_agree(condition: str, wanted: bool) -> None:
    found, is_all = clauses_of(condition)
    where = " AND ".join(clause.sql.replace("{}", "%s::jsonb") for clause in found)
    parameters: list[object] = []
    for clause in found:
        values = list(clause.parameters)
        # A number is looked at twice: for its kind, and for its value.
        for _ in range(clause.sql.count("{}")):
            parameters += [json_text(RECORD), values.pop(0)]
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {where}", parameters)  # type: ignore[arg-type]
        decided = cursor.fetchone()[0]

    assert is_all
    assert decided is wanted
    assert compile_one(condition).evaluate({"record": RECORD})["value"] is wanted


@pytest.mark.parametrize("condition", LEFT)
def test_the_rest_is_left_to_the_expression(condition: str) -> None:
    found, is_all = clauses_of(condition)

    assert (found, is_all) == ([], False)


def test_what_can_be_decided_is_even_beside_what_cannot() -> None:
    found, is_all = clauses_of('record.status == "paid" && lower(record.note) == "x"')

    assert (len(found), is_all) == (1, False)


def test_a_linked_record_must_be_decided_by_the_database() -> None:
    assert [clause.root for clause in demand_clauses('shown.status == "paid" && record.total != null', "e")] == [
        "shown",
        "record",
    ]
    with pytest.raises(UnableToRead) as refused:
        demand_clauses('lower(record.status) == "paid"', "expected")
    assert refused.value.field == "expected"


def test_ways_are_read_as_people_write_them() -> None:
    ways = read_ways("contract.project | opportunity/contract.opportunity", "project", "expectation")

    assert [[(s.name, s.is_forward, s.entity) for s in way] for way in ways] == [
        [("project", False, "contract")],
        [("opportunity", True, "opportunity"), ("opportunity", False, "contract")],
    ]
    assert read_ways(" ", "project", "expectation") == ()
    assert choices_from("invoice")[:3] == ["account", "project", "subscription"]
    assert "time_entry.invoice" in choices_from("invoice")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("invoice", "“invoice” leads nowhere from a project. From there one gets to: account, opportunity,"),
        ("contract.account", "“contract.account” leads nowhere from a project."),
        ("account/opportunity.account/project.opportunity/account", "A way has at most 3 steps."),
        ("account|account|account|account|account", "Name at most 4 ways."),
        ("account/", "“” leads nowhere from an account."),
    ],
)
def test_bad_ways_are_told(text: str, said: str) -> None:
    with pytest.raises(UnableToRead) as refused:
        read_ways(text, "project", "expectation")

    assert refused.value.user_message.startswith(said)
