"""Prepared statements: the same answers, planned once; and no search path set that is in force already."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.bulk import execute, fetch_rows, write
from apps.core.planes import public_plane, tenant_plane
from apps.core.prepared import prepared_statements
from apps.core.write_together import writing_together
from apps.tenants.models import Partner
from config.database import base

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (number int PRIMARY KEY, word text) ON COMMIT DROP")


def add(number: int, word: str = "100 % 'quoted'") -> None:
    write("INSERT INTO told (number, word) VALUES (%s, %s)", [number, word])


def prepared() -> list[str]:
    found = fetch_rows("SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO told%%'", [])
    return [row[0] for row in found]


def paths_set(work: Any) -> int:
    seen: list[str] = []

    def note(send: Any, statement: str, *call: Any) -> Any:
        seen.append(statement)
        return send(statement, *call)

    with connection.execute_wrapper(note):
        work()
    return len([statement for statement in seen if statement.startswith("SET search_path")])


def test_a_statement_is_prepared_once_and_answers_every_time() -> None:
    with prepared_statements():
        for number in range(3):
            execute("INSERT INTO told (number, word) VALUES (%s, %s)", [number, "x"])

        assert fetch_rows("SELECT number FROM told WHERE number = ANY(%s) ORDER BY number", [[0, 2]]) == [(0,), (2,)]

    assert prepared().count("INSERT INTO told (number, word) VALUES ($1, $2)") == 1


def test_outside_of_the_block_nothing_is_prepared() -> None:
    execute("INSERT INTO told (number, word) VALUES (%s, %s)", [1, "x"])

    assert prepared() == []


def test_waiting_writes_are_sent_in_order_and_seen_by_the_next_question() -> None:
    with prepared_statements(), transaction.atomic(), writing_together():
        add(1)
        add(2)
        assert execute("UPDATE told SET word = %s WHERE number >= %s", ["%s", 2]) == 1

        assert fetch_rows("SELECT number, word FROM told ORDER BY number", []) == [(1, "100 % 'quoted'"), (2, "%s")]


def test_an_error_of_a_waiting_write_comes_up_with_the_next_statement() -> None:
    def add_twice() -> None:
        with prepared_statements(), transaction.atomic(), writing_together():
            add(1)
            add(1)
            fetch_rows("SELECT 1", [])

    with pytest.raises(IntegrityError):
        add_twice()
    assert fetch_rows("SELECT count(*) FROM told", []) == [(0,)]


def test_after_a_rollback_statements_are_prepared_again() -> None:
    with prepared_statements():
        for number in (1, 1, 2):
            try:
                with transaction.atomic():
                    execute("INSERT INTO told (number, word) VALUES (%s, %s)", [number, "x"])
            except IntegrityError:
                assert number == 1

    assert fetch_rows("SELECT number FROM told ORDER BY number", []) == [(1,), (2,)]


def test_plans_are_forgotten_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    with prepared_statements():
        execute("INSERT INTO told (number, word) VALUES (%s, %s)", [1, "x"])
        driver: Any = connection.connection
        monkeypatch.setattr(base, "PLANS_LAST_SECONDS", -1.0)

        base._forget_old_plans(driver)

        assert prepared() == []
        execute("INSERT INTO told (number, word) VALUES (%s, %s)", [2, "x"])
        assert prepared() == ["INSERT INTO told (number, word) VALUES ($1, $2)"]


def test_a_connection_that_the_server_ended_is_noticed_when_it_lay_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = connection.get_connection_params()
    link = psycopg.connect(**{**parameters, "autocommit": True})
    assert base._is_lost(link) is False  # just made
    execute("SELECT pg_terminate_backend(%s)", [link.info.backend_pid])

    link.used_until = time.monotonic()
    assert base._is_lost(link) is False  # trusted, as it was in use a moment ago
    link.used_until -= 60

    assert base._is_lost(link) is True
    assert link.closed


def test_a_search_path_in_force_is_not_set_again(partner: Partner, other_partner: Partner) -> None:
    def ask(*schemas: str) -> None:
        for schema in schemas:
            with tenant_plane(schema):
                assert fetch_rows("SELECT current_schema()", []) == [(schema,)]

    ask(partner.schema_name)
    assert paths_set(lambda: ask(partner.schema_name, partner.schema_name)) == 0
    assert paths_set(lambda: ask(other_partner.schema_name, partner.schema_name)) == 2


def test_a_search_path_taken_back_with_its_transaction_is_set_again(partner: Partner) -> None:
    def leave() -> None:
        with public_plane(), transaction.atomic():
            fetch_rows("SELECT 1", [])
            raise ValueError

    with tenant_plane(partner.schema_name):
        fetch_rows("SELECT 1", [])
        with pytest.raises(ValueError, match=r"^$"):
            leave()
        assert fetch_rows("SELECT current_schema()", []) == [(partner.schema_name,)]
    with public_plane():
        assert fetch_rows("SELECT current_schema()", []) == [("public",)]
