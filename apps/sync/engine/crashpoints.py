"""Named places where chaos tests kill the process. Without the environment variable they do nothing.

`INTERLACE_CRASH_AT=vendor_called` kills at the first time the engine gets there, `vendor_called:3` at the third.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "INTERLACE_CRASH_AT"
POINTS = (
    "page_read", "page_written", "page_committed", "aggregated", "intents_sent", "vendor_called", "confirm_written",
    "confirmed",
)  # fmt: skip
_reached: dict[str, int] = {}


def crash_here(point: str) -> None:
    """This function will kill the process with SIGKILL when the environment names this point."""
    wanted = os.environ.get(VARIABLE)
    if not wanted or wanted.partition(":")[0] != point:
        return
    _reached[wanted] = _reached.get(wanted, 0) + 1
    if _reached[wanted] == int(wanted.partition(":")[2] or 1):
        kill()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
