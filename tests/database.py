"""The database of a test process: migrated once for a set of migrations, then copied by every process and every run.

The server of a working copy keeps its data between runs, so the database that was made first stays there as a template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from django.test.utils import setup_databases
from psycopg import sql

from apps.provisioning.schema_template import migrations_fingerprint

PREFIX = "ready_"
# One process makes the template, the others wait for it. The number only has to be nobody else's.
LOCK = 7_310_045


@contextmanager
def own_database(fill: Callable[[], None]) -> Iterator[None]:
    """This function will point Django at a database of this process's own that `fill` has filled, and drop it at the end."""
    settings = connection.settings_dict
    before = settings["NAME"]
    name = settings["TEST"].get("NAME") or f"test_{before}"
    connection.close()
    with _maintenance() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            if not (ready := _find_ready(server)):
                ready = _make_ready(server, fill)
            _run(server, "CREATE DATABASE {} TEMPLATE {}", name, ready)
        finally:
            server.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    settings["NAME"] = name
    yield
    connection.close()
    settings["NAME"] = before
    with _maintenance() as server:
        _run(server, "DROP DATABASE {} WITH (FORCE)", name)


def _maintenance() -> psycopg.Connection[Any]:
    settings = connection.settings_dict
    given = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    return psycopg.connect(
        dbname="postgres", autocommit=True, **{name: value for name, value in given.items() if value}
    )


def _run(server: psycopg.Connection[Any], statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _ready_name() -> str:
    """Another set of migrations, or other rows to begin with, is another database."""
    rows = (Path(__file__).with_name(name).read_bytes() for name in ("conftest.py", "database.py"))
    return PREFIX + sha256(b"".join([migrations_fingerprint().encode(), *rows])).hexdigest()[:24]


def _find_ready(server: psycopg.Connection[Any]) -> str:
    found = server.execute("SELECT datname FROM pg_database WHERE datname = %s", [_ready_name()]).fetchone()
    return found[0] if found else ""


def _make_ready(server: psycopg.Connection[Any], fill: Callable[[], None]) -> str:
    """Under another name until it is whole: a broken-off start leaves nothing that looks ready."""
    made = setup_databases(verbosity=0, interactive=False, aliases=["default"])
    fill()
    connection.close()
    name, ready = connection.settings_dict["NAME"], _ready_name()
    for (old,) in server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX]).fetchall():
        _run(server, "DROP DATABASE {}", old)
    _run(server, "ALTER DATABASE {} RENAME TO {}", name, ready)
    connection.settings_dict["NAME"] = made[0][1]
    return ready
