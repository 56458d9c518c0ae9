"""The tenants' PostgreSQL backend, sparing round trips and the database's planner.

- Moments are read with the driver's compiled loader. Django puts a loader of its own in its place, which hands every
  timestamp to Python code: fifteen times slower, and a page of a list holds thousands. Sessions are in UTC (USE_TZ, no
  TIME_ZONE of the connection), where both give the same values.
- A search path that is in force already is not set again: the server (from 18 on) tells which one is.
- Within `prepared_statements` a statement is planned once for a connection, not every time it is sent.
"""

from __future__ import annotations

import math
import time
from datetime import UTC
from typing import Any

from django.db.backends.postgresql.base import CursorMixin
from django_tenants.postgresql_backend import base
from psycopg import Cursor, OperationalError, adapters
from psycopg.abc import AdaptContext
from psycopg.adapt import Loader
from psycopg.postgres import types
from psycopg.pq import Format
from psycopg_pool import ConnectionPool

# So many statements stay prepared on a connection; the engine has some hundred.
MOST_PREPARED = 250
# They are planned anew so often: a plan made for an empty table does not suit it when it has grown.
PLANS_LAST_SECONDS = 30.0
# A connection that lay in the pool for longer is asked whether it still stands.
TRUSTED_SECONDS = 2.0
_compiled: Any = adapters.get_loader(types["timestamptz"].oid, Format.TEXT)


class UtcLoader(Loader):
    """Stands where Django looks for the zone of its loader; what it makes is the compiled one."""

    timezone = UTC

    def __new__(cls, oid: int, context: AdaptContext | None = None) -> Any:
        return _compiled(oid, context)


class PreparingCursor(CursorMixin, Cursor):
    """Binds parameters at the server and prepares what has any; the driver counts nothing for other cursors."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if params is None:
            return super().execute(query, **options)
        if not hasattr(self.connection, "planned_since"):
            self.connection.planned_since = time.monotonic()  # type: ignore[attr-defined]
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, prepare=True, **options)
        finally:
            self.connection.prepare_threshold = None


def _is_lost(connection: Any) -> bool:
    """Whether the server went away while the connection lay in the pool; then it is closed."""
    if time.monotonic() - getattr(connection, "used_until", math.inf) < TRUSTED_SECONDS:
        return False
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        connection.close()
        return True
    return False


def _forget_old_plans(connection: Any) -> None:
    now = time.monotonic()
    if now - getattr(connection, "planned_since", now) > PLANS_LAST_SECONDS:
        # With a threshold the driver notices that what it knows by name is gone.
        connection.prepare_threshold = 0
        connection.execute("DEALLOCATE ALL")
        connection.prepare_threshold = None
        del connection.planned_since


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    search_path_set_schemas: list[str] | None
    prepares = False

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params["context"].register_loader("timestamptz", UtcLoader)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """With the pool this is asked for at the beginning of every request and task."""
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and _is_lost(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        connection.prepared_max = MOST_PREPARED
        _forget_old_plans(connection)
        return connection

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.used_until = time.monotonic()
        super()._close()

    def create_cursor(self, name: str | None = None) -> Any:
        if self.prepares and name is None:
            return PreparingCursor(self.connection)
        return super().create_cursor(name)

    def _handle_search_path(self, cursor: Any = None) -> None:
        if not self.search_path_set_schemas and not self._setting_search_path and self.schema_name:
            wanted = self._get_cursor_search_paths()
            told = self.connection.info.parameter_status("search_path")
            if told is not None and [name.strip(' "') for name in told.split(",")] == wanted:
                self.search_path_set_schemas = wanted
                return
        super()._handle_search_path(cursor)
