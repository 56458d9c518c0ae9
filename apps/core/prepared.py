"""Statements that the database plans once for a connection, for work that sends the same ones again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.core.planes import connection


@contextmanager
def prepared_statements() -> Iterator[None]:
    """Within the block parameters are bound at the server: a parameter whose type nothing tells needs a cast.

    Planning the engine's statements anew took several times as long as carrying them out.
    """
    before = connection.prepares
    connection.prepares = True
    try:
        yield
    finally:
        connection.prepares = before
