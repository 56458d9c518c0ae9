"""When Python looks for garbage that counting references does not find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A page of a thousand records is some fifty thousand containers, hardly one of them in a circle.
RARELY = (100_000, 50, 100)


@contextmanager
def rare_collections() -> Iterator[None]:
    """For work that makes very many short-lived objects: looking through them took a third of its time."""
    before = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
