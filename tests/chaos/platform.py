"""The platform's processes, each killed and started at will: `python -m tests.chaos.platform` reads orders.

An order is a line: "start <role>" answers "pid <n>"; "wait <n>" answers "end <exit code>" once that process is gone.
Roles: dispatcher, sync, small, web <port>. Everything is imported once, each start is a fork.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from typing import Any

from config.local import children


def main() -> None:
    import django

    django.setup()
    from tests.chaos.worker import _warm_up

    _warm_up()
    importlib.import_module("celery.bin.celery")
    importlib.import_module("celery.apps.worker")
    importlib.import_module("config.wsgi")
    _say("ready")
    for line in sys.stdin:
        order, *rest = line.split()
        if order == "start":
            _start(rest)
        else:
            _, status = os.waitpid(int(rest[0]), 0)
            _say(f"end {os.waitstatus_to_exitcode(status)}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _start(role: list[str]) -> None:
    die_with_parent = children.die_with_parent(signal.SIGKILL)
    pid = os.fork()
    if pid:
        _say(f"pid {pid}")
        return
    die_with_parent()
    sys.stdin = open(os.devnull)  # noqa: SIM115 - for as long as the process lives
    os.dup2(os.open("var/chaos.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    os.dup2(1, 2)
    try:
        _run(*role)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _run(role: str, port: str = "0") -> None:
    if role == "web":
        _serve(int(port))
    elif role == "dispatcher":
        from django.core.management import call_command

        call_command("run_dispatcher")
    else:
        from config.celery import app

        name = f"{role}-{os.getpid()}@chaos"
        app.worker_main(["--quiet", "worker", "--loglevel=WARNING", "-Q", role, "-n", name, "--pool=solo",
                         "--without-gossip", "--without-mingle"])  # fmt: skip


def _serve(port: int) -> None:
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    from config.wsgi import application

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            """Nothing is printed."""

    ThreadedWSGIServer.allow_reuse_address = True
    ThreadedWSGIServer("127.0.0.1", port, application, handler=Quiet).serve_forever()


if __name__ == "__main__":
    main()
