"""Everything the demo runs, under one supervisor."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psycopg

from apps.provisioning.demo import addresses
from apps.provisioning.demo.addresses import FOLDER, ROOT, Ports
from config.local import children, postgres, redis
from config.local.supervisor import ProcessSpec, Supervisor, http_ready

MANAGE = (sys.executable, "-u", str(ROOT / "manage.py"))
CELERY = (sys.executable, "-u", "-m", "celery", "--quiet", "-A", "config.celery", "worker", "--loglevel=WARNING")
QUIET_CELERY = ("--without-gossip", "--without-mingle", "--without-heartbeat")
# What a worker leaves undone is done again at the next start: every task is acknowledged late.
STOP_SECONDS = 1.2


@dataclass(frozen=True)
class Demo:
    """A demo that is up; `env` is what its processes were given."""

    supervisor: Supervisor
    ports: Ports
    env: Mapping[str, str]

    def check(self) -> int:
        """This method will try everything once, as a visitor would; 0 when all of it works."""
        return run_step(self.supervisor, (*MANAGE, "demo_check"), self.env)


@contextmanager
def running(out: TextIO, *, with_life: bool = True) -> Iterator[Demo]:
    """This function will bring up the whole demo for the block. Raises ServiceFailed, or Stopped on a signal."""
    began = time.monotonic()
    with ExitStack() as services:
        ports = addresses.choose_ports()
        # Its own server comes a minute later; another demo started meanwhile would find the port free.
        held = services.enter_context(children.hold_port(ports.web))
        env = _environment(services, ports)
        # Entered last, so that it is left first: nobody may outlive the database.
        supervisor = services.enter_context(Supervisor(out))
        is_new = _is_new()
        if is_new:
            out.write("First start: making the database and a month of history. This takes about a minute.\n")
            out.flush()
            _forget_everything(env["DATABASE_URL"])
        supervisor.start(sandbox_spec(ports))
        supervisor.wait_until_ready()
        _prepare(supervisor, ports, env, is_new=is_new)
        held.close()
        for spec in specs(ports, env, with_life=with_life):
            supervisor.start(spec)
        supervisor.wait_until_ready(90)
        out.write(f"Ready after {time.monotonic() - began:.1f} s.\n")
        yield Demo(supervisor, ports, env)


def _environment(services: ExitStack, ports: Ports) -> dict[str, str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = postgres.DATA / "demo" if FOLDER == ROOT / "var" / "demo" else FOLDER / "postgres"
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.demo",
        "DATABASE_URL": services.enter_context(postgres.running(data)),
        "REDIS_URL": services.enter_context(redis.running()),
        "INTERLACE_PLATFORM_PORT": str(ports.web),
        "INTERLACE_SANDBOX_URL": ports.sandbox_url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:XDG_RUNTIME_DIR,ignore:You're running the worker with superuser privileges",
    }


def _is_new() -> bool:
    """Whether nothing was made yet, making it was interrupted, or it was made by other code."""
    made = addresses.read_json("made.json")
    return made is None or made.get("code") != addresses.code_fingerprint()


def _forget_everything(database_url: str) -> None:
    (FOLDER / "made.json").unlink(missing_ok=True)
    shutil.rmtree(FOLDER / "sandbox", ignore_errors=True)
    server = database_url.replace(f"/{postgres.DATABASE}?", "/postgres?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{postgres.DATABASE}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{postgres.DATABASE}"')
        # Should the machine go down now, everything is made again anyway.
        connection.execute(f'ALTER DATABASE "{postgres.DATABASE}" SET synchronous_commit = off')


def _make_durable(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{postgres.DATABASE}" RESET synchronous_commit')
        connection.execute("CHECKPOINT")


def _prepare(supervisor: Supervisor, ports: Ports, env: Mapping[str, str], *, is_new: bool) -> None:
    made = addresses.read_json("made.json") or {}
    if made.get("bundle") != addresses.bundle_fingerprint() or not (ROOT / "var" / "static").exists():
        _run(supervisor, (*MANAGE, "collectstatic", "--noinput", "--clear", "--verbosity=0"), env)
    if is_new:
        _run(supervisor, (*MANAGE, "demo_seed"), env)
        _make_durable(env["DATABASE_URL"])
    elif made.get("sandbox") != ports.sandbox:
        _run(supervisor, (*MANAGE, "demo_seed", "--move-only"), env)
    addresses.remember_ports(ports)
    addresses.write_json(
        "made.json",
        {
            "code": addresses.code_fingerprint(),
            "bundle": addresses.bundle_fingerprint(),
            "sandbox": ports.sandbox,
        },
    )


def run_step(supervisor: Supervisor, argv: tuple[str, ...], env: Mapping[str, str]) -> int:
    """This function will carry out one step in a process of its own, which a signal to us ends as well; its code."""
    process = children.spawn(list(argv), env={**os.environ, **env})
    try:
        supervisor.watch(lambda: process.poll() is not None)
    finally:
        code = children.stop(process, seconds=STOP_SECONDS)
    return code


def _run(supervisor: Supervisor, argv: tuple[str, ...], env: Mapping[str, str]) -> None:
    code = run_step(supervisor, argv, env)
    if code:
        raise children.ServiceFailed(f"{' '.join(argv[3:])} ended with code {code}")


def sandbox_spec(ports: Ports) -> ProcessSpec:
    argv = (sys.executable, "-u", "-m", "sandbox", "--port", str(ports.sandbox), "--data", str(FOLDER / "sandbox"))
    ready = http_ready(f"{ports.sandbox_url}/health")
    return ProcessSpec("vendors", argv, ready=ready, tier=0, stop_seconds=STOP_SECONDS, cwd=ROOT)


def specs(ports: Ports, env: Mapping[str, str], *, with_life: bool) -> Iterator[ProcessSpec]:
    """Web, dispatcher, both kinds of worker and the vendors' busy users; what makes work is stopped first."""
    yield ProcessSpec(
        "web",
        (
            str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(ports.web), "--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "warning",
            "config.wsgi:application",
        ),
        env=env,
        ready=http_ready(f"http://127.0.0.1:{ports.web}/.well-known/ready", host="localhost"),
        tier=2,
        stop_seconds=STOP_SECONDS,
        cwd=ROOT,
    )  # fmt: skip
    # One process: runs are mostly waiting for vendors, and the demo shares two cores with everything else.
    yield _worker("sync", ("--pool=prefork", "--concurrency=2", "-Q", "sync", "-n", "sync@demo"), env)
    yield _worker("small", ("--pool=threads", "--concurrency=4", "-Q", "small", "-n", "small@demo"), env)
    yield ProcessSpec(
        "dispatch", (*MANAGE, "run_dispatcher", "--skip-checks"), env=env, tier=2, stop_seconds=STOP_SECONDS, cwd=ROOT
    )  # fmt: skip
    if with_life:
        yield ProcessSpec("life", (*MANAGE, "demo_life"), env=env, tier=3, stop_seconds=STOP_SECONDS, cwd=ROOT)


def _worker(name: str, options: tuple[str, ...], env: Mapping[str, str]) -> ProcessSpec:
    return ProcessSpec(
        name, (*CELERY, *options, *QUIET_CELERY), env=env, tier=1, stop_seconds=STOP_SECONDS, cwd=ROOT
    )  # fmt: skip
