"""Several people at the same moment: each in a thread with a connection of its own, and what they do is committed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection

from apps.core.errors import AnticipatedError
from apps.core.planes import tenant_plane

SCHEMA, LONGEST_WAIT = "p_acme", 20


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What each is told; empty where it was done."""
    told = ["?"] * len(acts)
    start = threading.Barrier(len(acts), timeout=LONGEST_WAIT)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            with tenant_plane(SCHEMA):
                start.wait()
                act()
            told[number] = ""
        except AnticipatedError as error:
            told[number] = error.user_message
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST_WAIT)
    return told
