"""Django's PostgreSQL backend, reading moments with the driver's compiled loader.

Django puts a loader of its own in its place, which hands every timestamp to Python code: fifteen times slower, and a page
of a list holds thousands. Sessions are in UTC (USE_TZ, no TIME_ZONE of the connection), where both give the same values.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.db.backends.postgresql import base
from psycopg import adapters
from psycopg.abc import AdaptContext
from psycopg.adapt import Loader
from psycopg.postgres import types
from psycopg.pq import Format

_compiled: Any = adapters.get_loader(types["timestamptz"].oid, Format.TEXT)


class UtcLoader(Loader):
    """Stands where Django looks for the zone of its loader; what it makes is the compiled one."""

    timezone = UTC

    def __new__(cls, oid: int, context: AdaptContext | None = None) -> Any:
        return _compiled(oid, context)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params["context"].register_loader("timestamptz", UtcLoader)
        return params
