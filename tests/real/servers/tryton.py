"""A real Tryton 8.2 server on an embedded PostgreSQL, in its own environment."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from config.local import postgres
from tests.real.servers.base import HERE, HOME, RealServer, Unavailable, await_http, digest, free_port, run, spawn

REQUIREMENTS = HERE.parent / "requirements-tryton.txt"
SEED = HERE / "seed_tryton.py"
VENV = HOME / "tryton-venv"
DATA = HOME / "tryton"
ADMIN_PASSWORD = "admin"  # noqa: S105 - a server that lives for one test run on the loopback interface
MODULES = (
    "company",
    "currency",
    "party",
    "account",
    "account_invoice",
    "timesheet",
    "project",
    "sale",
    "sale_subscription",
)


def start_tryton() -> RealServer:
    """A server on a fresh copy of the seeded database. Raises Unavailable where it cannot be installed."""
    with contextlib.ExitStack() as cleanup:
        url = cleanup.enter_context(postgres.running(HOME / "tryton-postgres", fast=True))
        template, facts = _prepare(url)
        database = f"tryton_{uuid.uuid4().hex[:8]}"
        _sql(url, f"CREATE DATABASE {database} TEMPLATE {template}")
        cleanup.callback(_sql, url, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        port = free_port()
        config = _write_config(url, port=port)
        cleanup.callback(config.unlink)
        log = DATA / "server.log"
        cleanup.callback(spawn([VENV / "bin" / "trytond", "-c", config], log=log))
        base_url = f"http://127.0.0.1:{port}/{database}"
        await_http(f"{base_url}/rest/model/party.party", seconds=60, log=log)
        return RealServer(
            name="tryton",
            base_url=base_url,
            credentials={"api_key": facts["api_key"]},
            facts=facts,
            stop=cleanup.pop_all().close,
        )


def _sql(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def _exists(url: str, database: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def _write_config(url: str, *, port: int) -> Path:
    """Tryton puts the database's name into the address and keeps its query, which names the socket."""
    DATA.mkdir(parents=True, exist_ok=True)
    config = DATA / f"trytond-{port}.conf"
    address = urlsplit(url)._replace(path="/").geturl()
    config.write_text(f"[database]\nuri = {address}\npath = {DATA}/files\n[web]\nlisten = 127.0.0.1:{port}\n")
    return config


def _install() -> None:
    mark = VENV / f".installed-{digest(REQUIREMENTS)}"
    if mark.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise Unavailable("Tryton: uv, which installs it, is not there")
    run(uv, "venv", "--quiet", "--python", sys.executable, VENV)
    run(uv, "pip", "install", "--quiet", "--python", VENV / "bin" / "python", "--require-hashes", "-r", REQUIREMENTS)
    mark.touch()


def _prepare(url: str) -> tuple[str, dict[str, Any]]:
    """The name of the seeded template database and what its seed created."""
    _install()
    template = f"tryton_seed_{digest(REQUIREMENTS, SEED)}"
    facts_file = DATA / f"{template}.json"
    if facts_file.exists() and _exists(url, template):
        return template, json.loads(facts_file.read_text())
    config = _write_config(url, port=free_port())
    password = DATA / "admin-password"
    password.write_text(ADMIN_PASSWORD)
    _sql(url, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")
    _sql(url, f"CREATE DATABASE {template}")
    run(
        VENV / "bin" / "trytond-admin", "-c", config, "-d", template, "--all", "--email", "admin@example.com",
        "--activate-dependencies", "-u", *MODULES, env={"TRYTONPASSFILE": str(password), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    printed = run(VENV / "bin" / "python", SEED, template, config)
    facts = json.loads(printed.splitlines()[-1])
    facts_file.write_text(json.dumps(facts))
    config.unlink()
    return template, facts
