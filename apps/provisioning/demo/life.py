from __future__ import annotations

import signal


def live() -> None:
    signal.pause()
