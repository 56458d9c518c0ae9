"""Rows and records of one key: counted once each, the same in every order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.modernization.comparison import Comparison, differs, read_cell, show_value
from apps.modernization.fields import choices_of, guess_columns
from apps.modernization.matching import Matcher, Side
from apps.modernization.spool import MOST_OF_A_KEY, NEW, OLD, Spool, TooManyOfOneKey

CHOICES = choices_of("invoice")
RULES = Comparison(columns={"No": "number", "Amount": "total", "State": "status"}, keys=["number"])
ROWS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(["1", "1.5", ""]), st.sampled_from(["open", "paid"])), max_size=12
)


def side(row, number, *, is_old):
    key, total, status = row
    values = {"total": total, "status": status}
    return key, Side(key, values, line=number if is_old else None, record_id=None if is_old else f"r{number}")


def compared(old, new, rules=RULES):
    matcher = Matcher(rules, CHOICES)
    found = Counter()
    with Spool() as spool:
        spool.add(OLD, [side(row, n, is_old=True) for n, row in enumerate(old)])
        spool.add(NEW, [side(row, n, is_old=False) for n, row in enumerate(new)])
        for one, other in spool.groups():
            found.update((f.kind.value, f.key, f.field, f.old, f.new) for f in matcher.match(one, other))
    return matcher.tally, found


@given(ROWS, ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_every_row_and_record_is_counted_once_in_whatever_order(old, new, dice):
    tally, found = compared(old, new)

    assert tally.equal + tally.different + tally.only_old + tally.twice_old == len(old)
    assert tally.equal + tally.different + tally.only_new + tally.twice_new == len(new)
    assert tally.finding == sum(found.values())
    common = Counter(old) & Counter(new)
    assert tally.equal >= sum(common.values())
    shuffled = [dice.sample(rows, len(rows)) for rows in (old, new)]
    assert compared(*shuffled) == (tally, found)


def test_keys_come_in_the_order_in_which_people_count():
    with Spool() as spool:
        spool.add(OLD, [(key, Side(key, {}, line=1)) for key in ("i-10", "i-2", "i-9 b", "i-9 a", "x")])

        assert [old[0].key for old, _ in spool.groups()] == ["i-2", "i-9 a", "i-9 b", "i-10", "x"]


def test_hours_that_differ_are_told_apart_in_hours():
    rules = Comparison(columns={"Hours": "duration_seconds:hours"})
    matcher = Matcher(rules, choices_of("time_entry"))
    old, new = (Side("a", {"duration_seconds:hours": seconds}) for seconds in ("30006", "30042"))

    (found,) = matcher.match([old], [new])

    assert (found.old, found.new) == ("8.335", "8.345")


@given(ROWS)
@settings(max_examples=30, deadline=None)
def test_the_same_on_both_sides_is_equal_however_often_it_is_there(rows):
    tally, found = compared(rows, rows)

    assert (tally.equal, found) == (len(rows), Counter())


def test_equal_ones_go_together_before_different_ones():
    tally, found = compared(
        [("A", "1", "open"), ("A", "2", "open")], [("A", "2", "open"), ("A", "1", "paid"), ("A", "9", "void")]
    )

    assert (tally.equal, tally.different, tally.twice_new) == (1, 1, 1)
    assert list(found) == [
        ("different", "A", "status", "open", "paid"),
        ("twice_new", "A", "", "", "Total: 9 · Status: void"),
    ]


def test_a_key_that_only_one_side_has_is_alone_once_and_twice_after_that():
    tally, _ = compared([("A", "1", "open"), ("A", "2", "open")], [("B", "1", "open")])

    assert (tally.only_old, tally.twice_old, tally.only_new) == (1, 1, 1)


def test_a_key_that_tells_nothing_apart_is_refused():
    with pytest.raises(TooManyOfOneKey):
        compared([("A", "1", "open")] * (MOST_OF_A_KEY + 1), [])


@pytest.mark.parametrize(
    "token, old, new, rules, expected",
    [
        ("total", "1.50", "1.5", {}, False),
        ("total", "1.51", "1.5", {}, True),
        ("total", "1.51", "1.5", {"amount_tolerance": "0.01"}, False),
        ("total", "", "0", {}, True),
        ("issue_date", "2026-10-01", "2026-10-02", {}, True),
        ("issue_date", "2026-10-01", "2026-10-02", {"day_tolerance": 1}, False),
        ("account.name", "Harbor GmbH", "harbor  gmbh", {}, False),
        ("account.name", "Harbor GmbH", "harbor gmbh", {"ignores_case": False}, True),
        ("account.name", "Harbor GmbH", "HarborGmbH", {"ignores_blanks": False}, True),
        ("status", "", "", {}, False),
    ],
)
def test_what_counts_as_a_difference(token, old, new, rules, expected):
    assert differs(old, new, CHOICES[token], Comparison(**rules)) is expected


@pytest.mark.parametrize(
    "entity, token, cell, value, text",
    [
        ("invoice", "total", "1234.50", {"amount": 123450, "currency": "EUR"}, "1234.5"),
        ("invoice", "total", "1234", {"amount": 1234, "currency": "JPY"}, "1234"),
        ("invoice", "total:minor", "123450", {"amount": 123450, "currency": "EUR"}, "123450"),
        ("invoice", "total:currency", "eur", {"amount": 1, "currency": "EUR"}, "EUR"),
        ("invoice", "issue_date", "2026-10-01T00:00:00", "2026-10-01", "2026-10-01"),
        ("time_entry", "duration_seconds:hours", "7.5", 27000, "27000"),
        ("time_entry", "billable", "yes", True, "true"),
        ("time_entry", "duration_seconds", "60", 60, "60"),
        ("usage_record", "quantity", "3.00", "3", "3"),
    ],
)
def test_both_sides_say_a_value_alike(entity, token, cell, value, text):
    choice = choices_of(entity)[token]

    assert read_cell(f" {cell} ", choice, RULES.file) == text
    assert show_value(value, choice) == text


def test_hours_are_compared_to_the_hundredth():
    choice = choices_of("time_entry")["duration_seconds:hours"]

    assert differs(read_cell("7.33", choice, RULES.file), "26400", choice, RULES) is False
    assert differs(read_cell("7.3", choice, RULES.file), "26400", choice, RULES) is True


def test_columns_are_guessed_by_their_names():
    columns = ["Invoice No", "InvoiceDate", "Customer name", "Gross amount", "status", "Whatever"]

    assert guess_columns(columns, CHOICES) == {
        "Invoice No": "number", "InvoiceDate": "issue_date", "Customer name": "account.name", "Gross amount": "total",
        "status": "status",
    }  # fmt: skip
