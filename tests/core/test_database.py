from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from psycopg import adapters
from psycopg.postgres import types
from psycopg.pq import Format

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 2, 9, 30, 15, 123456, tzinfo=UTC)


def read(statement: str, *parameters: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def test_a_moment_comes_back_in_utc() -> None:
    given = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))

    found = read("SELECT %s::timestamptz", given)

    assert found == MOMENT
    assert isinstance(found, datetime)
    assert found.tzinfo is UTC


def test_no_moment_is_none() -> None:
    assert read("SELECT NULL::timestamptz") is None


def test_moments_of_a_list_come_back_in_utc() -> None:
    found = read("SELECT ARRAY[%s::timestamptz, NULL]", MOMENT)

    assert found == [MOMENT, None]
    assert isinstance(found, list)
    assert found[0].tzinfo is UTC


def test_the_driver_s_own_loader_reads_them() -> None:
    with connection.cursor() as cursor:
        used = cursor.connection.adapters.get_loader(types["timestamptz"].oid, Format.TEXT)
    own = adapters.get_loader(types["timestamptz"].oid, Format.TEXT)

    assert own is not None
    assert isinstance(used(types["timestamptz"].oid), own)
