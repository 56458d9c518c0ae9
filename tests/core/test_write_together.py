"""Writes that wait for the next statement: their order, their errors, and that none is forgotten."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.bulk import FEW, TOGETHER, commit_without_waiting, copy_rows, execute, fetch_rows, write
from apps.core.planes import public_plane, tenant_plane
from apps.core.prepared import prepared_statements
from apps.core.write_together import writing_together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (number int PRIMARY KEY, word text, list text[]) ON COMMIT DROP")


def add(number: int, word: str = "100 % 'quoted'") -> None:
    write("INSERT INTO told (number, word) VALUES (%s, %s)", [number, word])


def numbers() -> list[int]:
    return [row[0] for row in fetch_rows("SELECT number FROM told ORDER BY number", [])]


def statements(work) -> int:
    seen = []

    def count(execute, *call):
        seen.append(call)
        return execute(*call)

    with connection.execute_wrapper(count):
        work()
    return len(seen)


def test_they_are_there_for_the_next_question():
    with transaction.atomic(), writing_together():
        add(1)
        add(2)

        assert numbers() == [1, 2]
        assert fetch_rows("SELECT word FROM told WHERE number = %s", [1]) == [("100 % 'quoted'",)]


def test_what_waits_at_the_end_is_written():
    with transaction.atomic(), writing_together():
        add(1)

    assert numbers() == [1]


def test_many_take_one_round_trip():
    def work() -> None:
        with writing_together():
            for number in range(10):
                add(number)
            assert execute("UPDATE told SET word = %s WHERE number >= %s", ["%s", 7]) == 3

    with transaction.atomic():
        assert statements(work) == 1
    assert numbers() == list(range(10))


def fail_after(*added: int) -> None:
    with transaction.atomic():
        for number in added:
            add(number)
        raise ValueError("no")


@transaction.atomic
@writing_together()
def add_all(*added: int) -> None:
    for number in added:
        add(number)


def test_an_error_undoes_everything():
    with pytest.raises(IntegrityError):
        add_all(1, 1)

    assert numbers() == []


def test_what_a_savepoint_undoes_is_undone():
    with transaction.atomic(), writing_together():
        add(1)
        with pytest.raises(ValueError, match="no"):
            fail_after(2)
        add(3)

    assert numbers() == [1, 3]


def test_nothing_is_left_of_a_block_that_failed():
    with pytest.raises(ValueError, match="no"):
        writing_together()(fail_after)(1)

    add_all(2)
    assert numbers() == [2]


def touch_nothing() -> None:
    """In a table that only tenants have."""
    write("UPDATE sync_syncrun SET status = status WHERE false", [])


@pytest.mark.parametrize("binding", [nullcontext, prepared_statements])
def test_what_waits_is_written_in_the_plane_that_was_current(binding):
    def look_at_public() -> None:
        with public_plane():
            assert fetch_rows("SELECT count(*) FROM tenants_partner", [])[0][0] > 0

    with binding(), tenant_plane("p_acme"), transaction.atomic():
        look_at_public()
        with writing_together():
            touch_nothing()
            assert numbers() == []
            touch_nothing()
            look_at_public()
            touch_nothing()
            with public_plane():
                write("UPDATE tenants_partner SET name = name WHERE false", [])
            touch_nothing()

        assert numbers() == []


@pytest.mark.parametrize("count", [1, FEW, FEW + 1])
def test_few_rows_and_many_come_to_the_same(count):
    rows = [(number, "tab\t, back\\slash, 100 %", ["a", 'b"c']) for number in range(count)]

    with transaction.atomic(), writing_together():
        add(count)
        copy_rows("told", ("number", "word", "list"), rows)

    assert fetch_rows("SELECT number, word, list FROM told WHERE number < %s ORDER BY number", [count]) == rows
    assert numbers()[-1] == count


def rows(*added: int) -> list[tuple[int, str]]:
    return [(number, "copied") for number in added]


@pytest.mark.parametrize("binding", [nullcontext, prepared_statements])
def test_rows_on_their_way_are_there_for_the_next_question(binding):
    with binding(), transaction.atomic(), writing_together():
        copy_rows("told", ("number", "word"), rows(*range(100)))
        add(100)
        copy_rows("told", ("number", "word"), rows(*range(101, 20_000)))

        assert numbers() == list(range(20_000))


def test_an_error_of_rows_on_their_way_undoes_everything():
    with pytest.raises(IntegrityError), transaction.atomic(), writing_together():
        copy_rows("told", ("number", "word"), rows(*range(50), 7))

    assert numbers() == []


@transaction.atomic
@writing_together()
def copy_and_fail() -> None:
    copy_rows("told", ("number", "word"), rows(*range(50)))
    raise ValueError("no")


def made_until(last: int):
    """Rows made while those before them are on their way already; after the last one there is nothing to make more of."""
    yield from rows(*range(last))
    raise ValueError("no")


def test_a_row_that_cannot_be_made_undoes_everything():
    with pytest.raises(ValueError, match="no"), transaction.atomic(), writing_together():
        copy_rows("told", ("number", "word"), made_until(3 * TOGETHER))

    assert numbers() == []
    add_all(2)
    assert numbers() == [2]


def test_rows_on_their_way_do_not_stand_in_the_way_of_undoing():
    with pytest.raises(ValueError, match="no"):
        copy_and_fail()

    assert numbers() == []


def test_a_transaction_may_commit_without_waiting():
    def waits() -> str:
        return fetch_rows("SHOW synchronous_commit", [])[0][0]

    execute("SET SESSION synchronous_commit = on", [])
    with transaction.atomic(), writing_together():
        commit_without_waiting()

        assert waits() == "off"
