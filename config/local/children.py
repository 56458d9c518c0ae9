"""Child processes that cannot outlive their parent."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
# Linux allows 108 bytes with the terminating zero in a socket address.
LONGEST_SOCKET_PATH = 107

# Loaded before any fork: a child between fork and exec must not import.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServiceFailed(Exception):
    """A local service did not start or did not become ready."""


def package_folder(package: str) -> Path:
    """This function will find an installed package's folder without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ServiceFailed(f"{package} is missing: install requirements-dev.txt")
    return Path(found.submodule_search_locations[0])


def die_with_parent(death_signal: int = signal.SIGTERM) -> Callable[[], None]:
    """This function will give a `preexec_fn` that has the kernel signal the child when its parent dies, even by SIGKILL."""
    parent = os.getpid()

    def arrange() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:  # the parent died before the request took effect
                os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def identity(user: int | None) -> dict[str, Any]:
    """This function will give the arguments that make a child run as the user, with no group of ours."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def spawn(
    argv: list[str],
    *,
    output: IO[bytes] | int | None = None,
    env: dict[str, str] | None = None,
    death_signal: int = signal.SIGTERM,
    user: int | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """This function will start a child in a session of its own: Ctrl-C reaches the parent only, which stops it in order."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=die_with_parent(death_signal),
        **identity(user),
    )


def stop(process: subprocess.Popen[bytes], stop_signal: int = signal.SIGTERM, seconds: float = 15) -> int:
    """This function will ask the child to end, and end its whole session if it has not after `seconds`."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_session(process)
    return process.wait()


def kill_session(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], what: str, seconds: float = 60) -> None:
    """This function will poll until `ready`; it raises `ServiceFailed` as soon as the process ends or time runs out."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ServiceFailed(f"{what} ended with code {process.returncode} before it was ready")
        if time.monotonic() > deadline:
            raise ServiceFailed(f"{what} was not ready after {seconds:.0f} s")
        time.sleep(0.02)


def socket_dir(data: Path, socket_name: str) -> Path:
    """This function will give the data directory itself, or a short private one where a socket's path would be too long."""
    if len(os.fsencode(data / socket_name)) <= LONGEST_SOCKET_PATH:
        return data
    digest = sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"interlace-{os.getuid()}-{digest}"


def free_port(preferred: int | None = None) -> int:
    """This function will give the preferred port if nobody listens there, else any free one."""
    for candidate in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceFailed("no free port")


def hold_port(port: int) -> socket.socket:
    """This function will keep a port from others until it is closed; what comes there meanwhile is not answered."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    held.listen(0)  # bound only, it would not stand in another's way
    return held
