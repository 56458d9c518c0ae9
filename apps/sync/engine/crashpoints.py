"""Named places where chaos tests kill the process. Without the environment variable they do nothing."""

from __future__ import annotations

import os
import signal

VARIABLE = "INTERLACE_CRASH_AT"
POINTS = (
    "page_read", "page_written", "page_committed", "intents_sent", "vendor_called", "confirm_written", "confirmed",
    "aggregated",
)  # fmt: skip


def crash_here(point: str) -> None:
    """This function will kill the process with SIGKILL when the environment names this point."""
    if os.environ.get(VARIABLE) == point:
        os.kill(os.getpid(), signal.SIGKILL)
