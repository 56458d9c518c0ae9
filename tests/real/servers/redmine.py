"""A real Redmine 5.0 from Debian's package, on its own copy of an SQLite database."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from tests.real.servers.base import HERE, HOME, RealServer, Unavailable, await_http, digest, free_port, run, spawn

SEED = HERE / "seed_redmine.rb"
APP = Path("/usr/share/redmine")
PRISTINE = Path("/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default")
PACKAGES = ("redmine", "redmine-sqlite", "ruby-sqlite3", "puma")
DATA = HOME / "redmine"


def start_redmine() -> RealServer:
    """A server on a fresh copy of the seeded database. Raises Unavailable where it cannot be installed."""
    seeded, facts = _prepare()
    database = DATA / f"run-{uuid.uuid4().hex[:8]}.sqlite"
    shutil.copyfile(seeded, database)
    port = free_port()
    log = DATA / "server.log"
    stop_server = spawn(
        ["puma", "-e", "production", "-b", f"tcp://127.0.0.1:{port}", "-t", "2:4", "--dir", APP],
        log=log, cwd=APP, env=_environment(database),
    )  # fmt: skip
    base_url = f"http://127.0.0.1:{port}"

    def stop() -> None:
        stop_server()
        database.unlink(missing_ok=True)

    try:
        await_http(f"{base_url}/login", seconds=60, log=log)
    except RuntimeError:
        stop()
        raise
    return RealServer(
        name="redmine", base_url=base_url, credentials={"api_key": facts["api_key"]}, facts=facts, stop=stop
    )


def _environment(database: Path) -> dict[str, str]:
    """Debian's Redmine with another database: `DATABASE_URL` wins over its database.yml."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(DATA),
        "LANG": "C.UTF-8",
        "RAILS_ENV": "production",
        "REDMINE_INSTANCE": "default",
        "DATABASE_URL": f"sqlite3:{database}",
    }


def _install() -> None:
    if PRISTINE.exists() and APP.exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable("Redmine: needs root and Debian's packages to be installed")
    # Rails would take our own database for its own.
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    quiet = {**own, "DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=300", "-qq", "-y", "--no-install-recommends")
    try:
        run("apt-get", "-qq", "update", env=quiet)
        run("apt-get", *wait, "install", *PACKAGES, env=quiet)
    except RuntimeError:
        # Debian 12's post-install step takes gems without a directory of their own for deleted and fails. Given
        # the (empty) directories, configuring once more succeeds; if it was something else, this fails too.
        if not APP.exists():
            raise Unavailable("Redmine: Debian's packages cannot be fetched here") from None
        script = "Gem::Specification.each{|s| FileUtils.mkdir_p(s.full_gem_path) rescue warn s.full_name}"
        run("ruby", "-rfileutils", "-e", script, env=quiet)
        run("dpkg", "--configure", "-a", env=quiet)


def _prepare() -> tuple[Path, dict[str, Any]]:
    """The seeded database file and what its seed created."""
    _install()
    DATA.mkdir(parents=True, exist_ok=True)
    seeded = DATA / f"seed-{digest(SEED)}.sqlite"
    facts_file = seeded.with_suffix(".json")
    if facts_file.exists():
        return seeded, json.loads(facts_file.read_text())
    shutil.copyfile(PRISTINE, seeded)
    printed = run("bundle", "exec", "rails", "runner", SEED, cwd=APP, env=_environment(seeded))
    facts = json.loads(printed.splitlines()[-1])
    facts_file.write_text(json.dumps(facts))
    return seeded, facts
