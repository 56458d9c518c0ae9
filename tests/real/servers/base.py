"""What the real servers share: where they live, how they are started, awaited and stopped."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
HOME = ROOT / "var" / "real"


class Unavailable(Exception):
    """This machine cannot run the server; the message is one line saying why."""


@dataclass(kw_only=True)
class RealServer:
    """A running vendor server. `credentials` are what a connection would hold, `facts` what its seed created."""

    name: str
    base_url: str
    credentials: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    stop: Callable[[], None] = lambda: None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def digest(*paths: Path) -> str:
    """A short mark of what a prepared server was made from, so that a change prepares it anew."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def run(*command: str | Path, **options: Any) -> str:
    """Standard output of a command; a failure carries the end of what it printed."""
    done = subprocess.run(  # noqa: S603 - commands are ours
        [str(part) for part in command],
        check=False,
        text=True,
        capture_output=True,
        **options,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def spawn(command: list[str | Path], *, log: Path, **options: Any) -> Callable[[], None]:
    """Start a process group writing to `log`; the returned call stops it."""
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603 - commands are ours
            [str(part) for part in command],
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )
    return lambda: _terminate(process)


def _terminate(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def await_http(url: str, *, seconds: float, log: Path) -> None:
    """Wait until the address answers anything at all; a server that does not within the time has failed to start."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - loopback
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {seconds:.0f} s: {log.read_text(errors='replace')[-2000:]}")
