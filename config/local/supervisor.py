"""Runs named processes in the foreground as one: all up, or all down.

    with Supervisor(sys.stdout) as supervisor:
        supervisor.start(ProcessSpec("web", argv, ready=http_ready(url), tier=2))
        supervisor.wait_until_ready()
        sys.exit(supervisor.run())

One thread reads every process's output and watches it: forking beside threads is not safe. Processes end tier by tier,
highest first, when one of them dies, on Ctrl-C or on SIGTERM; a second Ctrl-C kills what is left.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import TextIO
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from config.local import children

POLL_SECONDS = 0.05
COLORS = (36, 33, 32, 35, 34, 31)


@dataclass(frozen=True)
class ProcessSpec:
    """One process to run; `env` is added to ours. The highest `tier` is stopped first, equal tiers together."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    tier: int = 0
    stop_seconds: float = 15
    cwd: Path | None = None


class ProcessEnded(children.ServiceFailed):
    """A supervised process ended although nobody asked it to."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended with code {code}")
        self.code = code


class Stopped(children.ServiceFailed):
    """A signal asked us to stop while processes were still starting."""


class _Child:
    def __init__(self, spec: ProcessSpec, number: int) -> None:
        self.spec = spec
        self.color = COLORS[number % len(COLORS)]
        self.is_ready = spec.ready is None
        self.rest = b""
        self.process = children.spawn(
            list(spec.argv), output=subprocess.PIPE, env={**os.environ, **spec.env}, cwd=spec.cwd
        )
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.pipe = self.process.stdout
        os.set_blocking(self.pipe.fileno(), False)


class Supervisor:
    """Starts processes, shows their output line by line with the name in front, and stops them in order."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.children: list[_Child] = []
        self.stop_signal: int | None = None
        self._signals = 0
        self._selector = selectors.DefaultSelector()
        self._previous: dict[int, object] = {}
        self._width = 8

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._selector.close()

    def start(self, spec: ProcessSpec) -> None:
        child = _Child(spec, len(self.children))
        self.children.append(child)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)
        self._width = max(self._width, len(spec.name))

    def wait_until_ready(self, seconds: float = 60) -> None:
        """This function will return once every process started so far is ready, and raise if one ends or time runs out."""
        deadline = time.monotonic() + seconds
        while waiting := [child for child in self.children if not child.is_ready]:
            self._turn()
            for child in waiting:
                assert child.spec.ready is not None  # noqa: S101 - otherwise it was ready from the start
                child.is_ready = child.spec.ready()
            if time.monotonic() > deadline:
                names = ", ".join(child.spec.name for child in waiting)
                raise children.ServiceFailed(f"not ready after {seconds:.0f} s: {names}")
            if self.stop_signal is not None:
                raise Stopped(f"stopped by {signal.Signals(self.stop_signal).name}")

    def watch(self, until: Callable[[], bool]) -> None:
        """This function will watch until `until` is true. Raises ProcessEnded, and Stopped on a signal."""
        while not until():
            self._turn()
            if self.stop_signal is not None:
                raise Stopped(f"stopped by {signal.Signals(self.stop_signal).name}")

    def run(self) -> int:
        """This function will watch until a signal comes (0) or a process ends (its code, never 0), then stop the others."""
        try:
            while self.stop_signal is None:
                self._turn()
        except ProcessEnded as ended:
            self._say("interlace", f"{ended}; stopping the others")
            return ended.code if ended.code > 0 else 1
        finally:
            self.stop()
        return 0

    def stop(self) -> None:
        """This function will end all processes, the highest tier first; again is harmless."""
        for tier in sorted({child.spec.tier for child in self.children}, reverse=True):
            self._stop_together([child for child in self.children if child.spec.tier == tier])
        for child in self.children:
            self._read(child)
            self._forget(child)
        self.children.clear()

    def _stop_together(self, group: list[_Child]) -> None:
        for child in group:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + max(child.spec.stop_seconds for child in group)
        signals_before = self._signals
        while any(child.process.poll() is None for child in group):
            self._read_for(POLL_SECONDS)
            if time.monotonic() > deadline or self._signals > signals_before:
                break
        # Also where it ended by itself: it may have left children of its own in its session.
        for child in group:
            children.kill_session(child.process)
            child.process.wait()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_signal = number
        self._signals += 1

    def _turn(self) -> None:
        self._read_for(POLL_SECONDS)
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                self._read(child)
                raise ProcessEnded(child.spec.name, code)

    def _read_for(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, child: _Child) -> None:
        try:
            chunk = os.read(child.pipe.fileno(), 65536)
        except (BlockingIOError, ValueError):
            return
        if not chunk:
            self._forget(child)
            return
        *lines, child.rest = (child.rest + chunk).split(b"\n")
        for line in lines:
            self._say(child.spec.name, line.decode(errors="replace"), child.color)

    def _forget(self, child: _Child) -> None:
        if child.rest:
            self._say(child.spec.name, child.rest.decode(errors="replace"), child.color)
            child.rest = b""
        if not child.pipe.closed:
            self._selector.unregister(child.pipe)
            child.pipe.close()

    def _say(self, name: str, line: str, color: int = 0) -> None:
        label = f"{name:<{self._width}} |"
        if self.out.isatty():
            label = f"\x1b[{color}m{label}\x1b[0m"
        self.out.write(f"{label} {line}\n")
        self.out.flush()


def http_ready(url: str, host: str | None = None) -> Callable[[], bool]:
    """This function will give a check that is true once the URL answers with anything below 500."""
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Host", host)] if host else []

    def ready() -> bool:
        try:
            opener.open(url, timeout=2).close()
        except HTTPError as error:
            return error.code < 500
        except (URLError, OSError):
            return False
        return True

    return ready
