"""A real BottleCRM 1.35 on an embedded PostgreSQL, in an environment of a newer Python than ours."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

from config.local import postgres
from tests.real.servers.base import HERE, HOME, RealServer, Unavailable, await_http, digest, free_port, run, spawn

REQUIREMENTS = HERE.parent / "requirements-bottlecrm.txt"
SEED = HERE / "seed_bottlecrm.py"
VENV = HOME / "bottlecrm-venv"
DATA = HOME / "bottlecrm"
# Its row-level security binds everybody but the owner of the cluster.
ROLE = "bottlecrm"
OLDEST = (3, 12)


def start_bottlecrm() -> RealServer:
    """A server on a fresh copy of the seeded database. Raises Unavailable where it cannot be installed."""
    with contextlib.ExitStack() as cleanup:
        url = cleanup.enter_context(postgres.running(HOME / "bottlecrm-postgres", fast=True))
        template, facts = _prepare(url)
        database = f"bottlecrm_{uuid.uuid4().hex[:8]}"
        _copy(url, template, database)
        cleanup.callback(_sql, url, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        port = free_port()
        base_url = f"http://127.0.0.1:{port}"
        log = DATA / "server.log"
        command: list[str | Path] = [VENV / "bin" / "gunicorn", "crm.wsgi:application", "-b", f"127.0.0.1:{port}"]
        stop = spawn([*command, "-w", "1", "--threads", "4"], log=log, cwd=DATA, env=_environment(url, database))
        cleanup.callback(stop)
        await_http(f"{base_url}/healthz/", seconds=60, log=log)
        return RealServer(
            name="bottlecrm",
            base_url=base_url,
            credentials={"api_key": facts["api_key"]},
            facts={
                **facts,
                "environment": _environment(url, database),
                "database_url": urlsplit(url)._replace(path=f"/{database}").geturl(),
            },
            stop=cleanup.pop_all().close,
        )


def run_inside(server: RealServer, script: str) -> str:
    """What a script prints in the server's environment and database: the hands its web page would be."""
    return run(VENV / "bin" / "python", "-c", script, cwd=DATA, env=server.facts["environment"])


def stamps_of(server: RealServer) -> dict[str, list[str]]:
    """Every record that a sink of ours may touch and when it was last touched, which no answer of its API tells."""
    with psycopg.connect(server.facts["database_url"]) as connection:
        return {
            table: [str(row) for row in connection.execute(f"SELECT id, updated_at FROM {table} ORDER BY id")]
            for table in ("accounts", "contacts", "opportunity", "custom_field_definition")
        }


def _sql(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def _exists(url: str, query: str, name: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute(query, [name]).fetchone() is not None  # type: ignore[call-overload]


def _environment(url: str, database: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin", "HOME": str(DATA), "LANG": "C.UTF-8", "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "local-only-" * 5, "ENV_TYPE": "dev", "DEBUG": "False", "ALLOWED_HOSTS": "127.0.0.1",
        "DBHOST": parse_qs(urlsplit(url).query)["host"][0], "DBPORT": "5432", "DBNAME": database, "DBUSER": ROLE,
        "DBPASSWORD": "unused", "CELERY_BROKER_URL": "memory://", "CELERY_RESULT_BACKEND": "cache+memory://",
        "DOMAIN_NAME": "http://127.0.0.1",
    }  # fmt: skip


def _install() -> None:
    mark = VENV / f".installed-{digest(REQUIREMENTS)}"
    if mark.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise Unavailable("BottleCRM: uv, which installs it, is not there")
    run(uv, "venv", "--quiet", "--python", find_python(), VENV)
    run(uv, "pip", "install", "--quiet", "--python", VENV / "bin" / "python", "--require-hashes", "-r", REQUIREMENTS)
    mark.touch()


def find_python() -> str:
    """An interpreter BottleCRM runs on, newest first. Raises Unavailable."""
    for path in _interpreters():
        asked = subprocess.run(  # noqa: S603 - an interpreter
            [path, "-c", "import sys; print(*sys.version_info[:2])"], check=False, capture_output=True, text=True
        )
        if asked.returncode == 0 and tuple(map(int, asked.stdout.split())) >= OLDEST:
            return path
    raise Unavailable("BottleCRM: needs Python 3.12 or later, and none is on the PATH or among pyenv's versions")


def _interpreters() -> Iterator[str]:
    names = ("python3.14", "python3.13", "python3.12")
    yield from filter(None, map(shutil.which, names))
    roots = [Path(os.environ["PYENV_ROOT"])] if "PYENV_ROOT" in os.environ else []
    for root in (*roots, Path.home() / ".pyenv"):
        yield from (str(path) for name in names for path in sorted(root.glob(f"versions/*/bin/{name}"), reverse=True))
    if sys.version_info >= OLDEST:
        yield sys.executable


def _prepare(url: str) -> tuple[str, dict[str, Any]]:
    """The name of the seeded template database and what its seed created."""
    _install()
    DATA.mkdir(parents=True, exist_ok=True)
    template = f"bottlecrm_seed_{digest(REQUIREMENTS, SEED)}"
    facts_file = DATA / f"{template}.json"
    if facts_file.exists() and _has_database(url, template):
        return template, json.loads(facts_file.read_text())
    _copy(url, _migrated(url), template)
    printed = run(VENV / "bin" / "python", SEED, cwd=DATA, env=_environment(url, template))
    facts: dict[str, Any] = json.loads(printed.splitlines()[-1])
    facts_file.write_text(json.dumps(facts))
    return template, facts


def _migrated(url: str) -> str:
    """The name of a database with all tables and nothing in it: two minutes' work, done once for each version."""
    finished = f"bottlecrm_empty_{digest(REQUIREMENTS)}"
    if _has_database(url, finished):
        return finished
    if not _exists(url, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
        _sql(url, f"CREATE ROLE {ROLE} LOGIN")
    building = f"{finished}_building"
    _copy(url, "template1", building)
    run(VENV / "bin" / "django-admin", "migrate", "--no-input", "-v0", cwd=DATA, env=_environment(url, building))
    # Its name says that it is whole: one that was interrupted is begun again.
    _sql(url, f"ALTER DATABASE {building} RENAME TO {finished}")
    return finished


def _copy(url: str, source: str, target: str) -> None:
    _sql(url, f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
    _sql(url, f"CREATE DATABASE {target} TEMPLATE {source} OWNER {ROLE}")


def _has_database(url: str, name: str) -> bool:
    return _exists(url, "SELECT 1 FROM pg_database WHERE datname = %s", name)
