"""Two planes of one database: the public schema, and one schema per tenant. Only one is ever in the search path.

django-tenants' own `schema_context("public")` leaves public in the path afterwards; a missing tenant table would then
silently resolve to public. Use these two context managers instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as django_connection
from django_tenants.utils import get_public_schema_name

# django-tenants' backend adds set_tenant() and friends, which Django's types do not know.
connection: Any = django_connection


class NoPlane(RuntimeError):
    """Work that belongs to a tenant was about to run without one."""


def current_schema() -> str:
    return str(connection.schema_name)


def require_tenant_schema() -> str:
    """Raises NoPlane in the public plane."""
    schema = current_schema()
    if schema == get_public_schema_name():
        raise NoPlane("this needs a tenant's schema, but public is current")
    return schema


@contextmanager
def _restoring() -> Iterator[None]:
    tenant, include_public = connection.tenant, connection.include_public_schema
    try:
        yield
    finally:
        connection.set_tenant(tenant, include_public=include_public)


@contextmanager
def public_plane() -> Iterator[None]:
    """Within the block only public is in the search path; afterwards exactly what was there before."""
    with _restoring():
        connection.set_schema_to_public()
        yield


@contextmanager
def tenant_plane(schema: str) -> Iterator[None]:
    """Within the block only `schema` is in the search path: a missing table is an error, never a look into public."""
    with _restoring():
        connection.set_schema(schema, include_public=False)
        yield
