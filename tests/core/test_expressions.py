"""Mapping expressions: exact results, clear refusals."""

from __future__ import annotations

import sys
from typing import Any

import cel
import pytest

from apps.core import expressions
from apps.core.expressions import ExpressionError
from apps.core.expressions.guards import guard_lists
from apps.core.expressions.library import LIBRARY
from apps.core.expressions.program import MappingProgram

RECORD: dict[str, Any] = {
    "id": "77",
    "properties": {"name": "  Initech ", "amount": "1250.5", "stage": "closedwon", "empty": "", "none": None},
    "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
    "float": 0.1,
    "whole": 3.0,
}


def value(expression: str, **context: Any) -> Any:
    return expressions.compile_one(expression).evaluate({"record": RECORD, **context})["value"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('money("12.34", "EUR")', {"amount": 1234, "currency": "EUR"}),
        ('money("12.345", "EUR")', {"amount": 1235, "currency": "EUR"}),
        ('money("-12.345", "EUR")', {"amount": -1235, "currency": "EUR"}),
        ('money(record.properties.amount, "eur")', {"amount": 125050, "currency": "EUR"}),
        ('money("1200", "JPY")', {"amount": 1200, "currency": "JPY"}),
        ('money("1.2345", "KWD")', {"amount": 1235, "currency": "KWD"}),
        ('money(record.float, "USD")', {"amount": 10, "currency": "USD"}),
        ('money(record.properties.empty, "EUR")', None),
        ("money(null, null)", None),
        ('decimal(money("1250.5", "EUR"))', "1250.50"),
        ('decimal(money("1200", "JPY"))', "1200"),
        ('decimal("7.10")', "7.10"),
        ("decimal(null)", None),
        ('currency(money("1", "CHF"))', "CHF"),
        ("currency(null)", None),
        ('date("2026-11-22")', "2026-11-22"),
        ('date("2026-12-31T23:30:00-05:00")', "2026-12-31"),
        ('date("/Date(1518685950940+0000)/")', "2018-02-15"),
        ("date(1518685950940)", "2018-02-15"),
        ('date("1518685950940")', "2018-02-15"),
        ('date("")', None),
        ('datetime("2026-11-22T21:30:00+02:00")', "2026-11-22T19:30:00Z"),
        ('datetime("2026-11-22T21:30:00.120Z")', "2026-11-22T21:30:00.120Z"),
        ('datetime("2026-11-22 21:30:00")', "2026-11-22T21:30:00Z"),
        ('datetime("/Date(1518685950940+0000)/")', "2018-02-15T09:12:30.940Z"),
        ("datetime(null)", None),
        ("text(null)", ""),
        ("text(12)", "12"),
        ("text(record.whole)", "3"),
        ("text(true)", "true"),
        ('integer("3.0")', 3),
        ("integer(null)", None),
        ('number("2.50")', 2.5),
        ('number("2.0")', 2),
        ('coalesce(record.properties.empty, "x")', "x"),
        ("coalesce(0, 5)", 0),
        ('lookup({"closedwon": "won"}, record.properties.stage, "open")', "won"),
        ('lookup({"closedwon": "won"}, "zzz", "open")', "open"),
        ('lookup({"a": "b"}, null, "open")', "open"),
        ('get(record, "properties.stage")', "closedwon"),
        ('get(record, "properties.zip")', None),
        ('get(record, "id.deeper")', None),
        ('get(record, "lines.1.sku")', "b"),
        ('get(record, "lines.2.sku")', None),
        ('lower("AbC")', "abc"),
        ('upper("AbC")', "ABC"),
        ("upper(null)", None),
        ("trim(record.properties.name)", "Initech"),
        ("record.properties.name.trim().upper()", "INITECH"),
        ("hours(11700)", "3.25"),
        ("hours(7200)", "2"),
        ("hours(0)", "0"),
        ("hours(null)", None),
        ('seconds("3.25")', 11700),
        ("seconds(hours(1))", 1),
        ("seconds(null)", None),
        ('get(record, "properties.stage") == "closedwon" ? "won" : "open"', "won"),
        ('has(record.zip) ? record.zip : "none"', "none"),
        ('has(record.zip) ? money(record.zip, "EUR") : null', None),
        ('record.lines.filter(l, l.n > 1).map(l, l.sku + "!")', ["b!"]),
        ('record.lines.map(l, {"sku": upper(l.sku)})', [{"sku": "A"}, {"sku": "B"}]),
        ('timestamp("2026-01-02T03:04:05Z")', "2026-01-02T03:04:05Z"),
        ('duration("90s")', 90),
        ('"a//b" + text(1) // comment', "a//b1"),
    ],
)
def test_expression_gives_the_exact_value(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("record.zip", "'zip' is missing; test with has(...) or read it with get(...)"),
        ("text(record.zip)", "'zip' is missing; test with has(...) or read it with get(...)"),
        ('money("abc", "EUR")', "'abc' is not a number"),
        ('money("NaN", "EUR")', "'NaN' is not a number"),
        ('money("1_000", "EUR")', "'1_000' is not a number"),
        ('money("1,234.50", "EUR")', "'1,234.50' is not a number"),
        ('money("1", "")', "money() needs a three-letter currency"),
        ('integer("3.5")', "'3.5' is not a whole number"),
        ('1 + integer("3.5")', "'3.5' is not a whole number"),
        ("1 / 0", "division by zero in CEL expression"),
    ],
)
def test_a_failing_field_is_named_with_its_reason(expression: str, message: str) -> None:
    program = expressions.compile({"fine": '"x"', "broken": expression})

    with pytest.raises(ExpressionError) as caught:
        program.evaluate({"record": RECORD})

    assert (caught.value.field, caught.value.message) == ("broken", message)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "the expression is empty"),
        ('"' + "a" * 2048 + '"', "the expression is longer than 2048 bytes"),
        ("nosuch(record)", "unknown function 'nosuch'"),
        ("custmer.name", "unknown name 'custmer'"),
        ("record.a.map(x, record.b.map(y, y))", "a loop (map, filter, all, exists) inside a loop is not allowed"),
        ("record.a.all(x, [x].exists(y, y))", "a loop (map, filter, all, exists) inside a loop is not allowed"),
        # A raw text ends at its backslash and quote: nothing may hide behind it.
        (
            r'size(record.b.map(x, x)) + size(r"\") + size(record.a.map(x, record.a.map(x, x))) + size(r"\")',
            "a loop (map, filter, all, exists) inside a loop is not allowed",
        ),
        (
            r"size(record.b.map(x, x)) + size(bR'\') + size(record.a.map(x, record.a.map(x, x))) + size(bR'\')",
            "a loop (map, filter, all, exists) inside a loop is not allowed",
        ),
        ("record.a.map(record, record)", "'record' cannot be a loop variable"),
        ("(" * 41 + "1" + ")" * 41, "the expression is nested too deeply"),
        ('"""a""" + "b"', "triple-quoted text is not allowed"),
        ("record.", "at character 8: no viable alternative at input"),
        ("trim(record.a", "at character 14: the expression ends too early"),
    ],
)
def test_an_unbounded_or_wrong_expression_is_refused_when_saved(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        expressions.compile({"fine": '"x"', "broken": expression})

    assert caught.value.field == "broken"
    assert caught.value.message.startswith(message)


def test_a_loop_over_more_than_a_thousand_items_is_refused() -> None:
    program = expressions.compile({"n": "size(record.items.filter(x, x > 0))"})

    assert program.evaluate({"record": {"items": [1] * 1000}}) == {"n": 1000}
    with pytest.raises(ExpressionError, match="a list has more than 1000 items"):
        program.evaluate({"record": {"items": [1] * 1001}})


@pytest.mark.parametrize(
    "expression",
    [
        'record.id == "77" && record.whole != null',
        '!(record.id == "77")',
        'record.id == "1" || record.id == "77" ? "yes" : "no"',
        'record.whole == "3"',
        "record.properties.none == null",
        '(record.id == "1" ? "a" : record.id == "77" ? "b" : "c") + "!"',
        'text(record.id) + " " + text(record.whole)',
        'record.id == "77" ? record.missing : "x"',
        'record.id == "1" ? record.missing : "x"',
        'record.whole ? "a" : "b"',
        "record.id && true",
        'record.id == "1" && record.whole',
        'record.whole + "a"',
        '"a" + record.properties.none',
        "record.whole + record.whole",
        "record.id + record.id",
        '"a" == "a" == true',
        "0012",
        "[0x1F, .5, 12U, 0x1Fu]",
        "text(0012) + text(0x1F)",
        "{0012: 1}",
    ],
)
def test_what_runs_outside_the_engine_means_the_same(expression: str) -> None:
    context = {"record": RECORD, "refs": {}, "settings": {}, "connection": {}}

    def in_engine() -> Any:
        try:
            return cel.evaluate(expression, cel.Context(variables=context, functions=LIBRARY))
        except Exception:
            return "refused"

    def ours() -> Any:
        try:
            return value(expression)
        except ExpressionError:
            return "refused"

    assert ours() == in_engine()


def test_fields_keep_the_order_they_were_written_in() -> None:
    program = expressions.compile({"z": "1 + 1", "a": "text(1)", "m": '"x" + "y"'})

    assert list(program.evaluate({"record": {}}).items()) == [("z", 2), ("a", "1"), ("m", "xy")]


def test_all_four_variables_are_known_and_may_be_absent() -> None:
    program = expressions.compile(
        {"r": 'get(refs, "account")', "s": 'get(settings, "a.b")', "c": 'coalesce(get(connection, "x"), "d")'}
    )

    assert program.evaluate({"record": {}, "refs": {"account": "9"}}) == {"r": "9", "s": None, "c": "d"}


def test_lifted_calls_give_what_the_engine_gives() -> None:
    source = 'text(get(record, "id")) + "-" + coalesce(get(record, "zip"), "none")'
    program: MappingProgram = expressions.compile({"lifted": source, "kept": 'record["id"].trim() + "-" + "none"'})

    assert program.evaluate({"record": RECORD}) == {"lifted": "77-none", "kept": "77-none"}


@pytest.mark.parametrize(
    ("expression", "message", "is_demand"),
    [
        ('demand(record.properties.none, "No phase.")', "No phase.", True),
        ('record.lines.map(line, demand(line.n > 1 ? line.sku : null, "No article."))', "No article.", True),
        ("integer(record.properties.amount)", "'1250.5' is not a whole number", False),
    ],
    ids=["outside the engine", "in the engine", "no demand"],
)
def test_a_demand_that_is_not_met_is_told_from_a_mistake(expression: str, message: str, is_demand: bool) -> None:
    with pytest.raises(ExpressionError) as refused:
        value(expression)

    assert (refused.value.message, refused.value.is_demand) == (message, is_demand)


def test_data_nested_deeper_than_calls_may_be_stop_no_loop_beside_them() -> None:
    deep: list[Any] = []
    for _ in range(5 * sys.getrecursionlimit()):
        deep = [deep]

    assert value("record.map(one, one + 1)", record=[1], config={"deep": deep}) == [2]
    with pytest.raises(ValueError, match="a list has more than"):
        guard_lists([deep, {"long": [0] * 1001}])
