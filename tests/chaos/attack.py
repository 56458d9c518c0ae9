"""The platform of the long story: its processes, Redis and database connections, and everything that befalls them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from config.local import children
from config.local.redis import EXECUTABLE, _options
from tests.real.servers.base import free_port

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("dispatcher", "sync", "sync", "small", "web")
_SESSIONS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class Broker:
    """A Redis of our own, to be emptied, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.client = Redis(unix_socket_path=str(self.socket))
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        self.process = children.spawn([str(EXECUTABLE), *_options(self.socket)], output=subprocess.DEVNULL)
        children.wait_for(self._answers, self.process, "Redis", seconds=20)

    def _answers(self) -> bool:
        with suppress(RedisError):
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.client.connection_pool.disconnect()


class Platform:
    """Every process by its place; `strike` kills something, and starts it again."""

    def __init__(self, forker: subprocess.Popen[str], broker: Broker, chance: random.Random) -> None:
        self.forker, self.broker, self.chance = forker, broker, chance
        self.kills: Counter[str] = Counter()
        self.port = free_port()
        self._expect("ready")
        self.pids = [self._start(role) for role in ROLES]

    def strike(self) -> str:
        """One blow by chance; returns what was hit."""
        blows = ("worker", "worker", "worker", "dispatcher", "web", "database", "database", "flush", "broker")
        blow = self.chance.choice(blows)
        if blow == "database":
            self._end_session()
        elif blow == "flush":
            self.broker.client.flushall()
        elif blow == "broker":
            self.broker.kill()
            self.broker.start()
        else:
            role = self.chance.choice(("sync", "sync", "small")) if blow == "worker" else blow
            self._kill(self.chance.choice([n for n, name in enumerate(ROLES) if name == role]))
        self.kills[blow] += 1
        return blow

    def _end_session(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_SESSIONS)
            pids = sorted(row[0] for row in cursor.fetchall())
            if pids:
                cursor.execute("SELECT pg_terminate_backend(%s)", [self.chance.choice(pids)])

    def _kill(self, place: int) -> None:
        os.kill(self.pids[place], signal.SIGKILL)
        self._order(f"wait {self.pids[place]}")
        self._expect("end")
        self.pids[place] = self._start(ROLES[place])

    def revive(self) -> list[str]:
        """This function will start what died by itself; returns what did: a process that gives up is a finding."""
        died = []
        for place, pid in enumerate(self.pids):
            if _is_dead(pid):
                died.append(ROLES[place])
                self._order(f"wait {pid}")
                self._expect("end")
                self.pids[place] = self._start(ROLES[place])
        return died

    def stop(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _start(self, role: str) -> int:
        self._order(f"start {role}" + (f" {self.port}" if role == "web" else ""))
        return int(self._expect("pid"))

    def _order(self, line: str) -> None:
        assert self.forker.stdin is not None
        self.forker.stdin.write(f"{line}\n")
        self.forker.stdin.flush()

    def _expect(self, word: str) -> str:
        assert self.forker.stdout is not None
        line = self.forker.stdout.readline().split()
        assert line, "the forker of the platform died"
        assert line[0] == word, line
        return line[-1]


def _is_dead(pid: int) -> bool:
    """Gone, or a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextmanager
def running_platform(folder: Path, chance: random.Random) -> Iterator[Platform]:
    broker = Broker(folder)
    database = settings.DATABASES["default"]
    env = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": broker.url,
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
    }
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "chaos.log").write_text("")
    forker = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.platform"], cwd=ROOT, text=True, bufsize=1, env=env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    platform = None
    try:
        platform = Platform(forker, broker, chance)
        yield platform
    finally:
        if platform is not None:
            platform.stop()
        assert forker.stdin is not None
        forker.stdin.close()
        forker.kill()
        forker.wait(timeout=30)
        broker.kill()
