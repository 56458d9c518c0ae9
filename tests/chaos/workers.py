"""The test's side of the workers: orders, and death at a crash point or at a moment."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL


class Workers:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.kills = 0
        self.faults = 0
        self.pid = 0  # of the worker that is at it
        self._expect("ready")

    def work(self, schema: str, now: datetime, *, crash_at: str = "", kill_after: float | None = None) -> int:
        """One worker takes what is due; returns its exit code, `KILLED` when it was killed."""
        order = {"schema": schema, "now": now.isoformat(), "crash_at": crash_at}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.pid = pid = int(self._expect("pid"))
        if kill_after is not None and not select.select([self._process.stdout], [], [], kill_after)[0]:
            # The forker reaps its child only after this read: the id cannot belong to somebody else yet, or the child
            # is a zombie, whom the signal does not disturb.
            os.kill(pid, signal.SIGKILL)
        code = int(self._expect("end"))
        assert code in (0, KILLED), "a worker failed: see its trace above"
        self.kills += code == KILLED
        return code

    def _expect(self, word: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().split()
        assert line, "the forker of workers died"
        assert line[0] == word, line
        return line[-1]


@contextmanager
def running_workers() -> Iterator[Workers]:
    """Workers on the database of this test session."""
    database = settings.DATABASES["default"]
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.worker"], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "DATABASE_URL": url},
    )  # fmt: skip
    try:
        yield Workers(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()
