"""Run a command with a database (and Redis) of its own.

    python -m config.local.with_services [--redis] [--durable] -- pytest -n 2

The command sees DATABASE_URL (and REDIS_URL). One that is already set is used instead of starting a server.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from config.local import children, postgres, redis


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as services:
        env = dict(os.environ)
        if not env.get("DATABASE_URL"):
            env["DATABASE_URL"] = services.enter_context(postgres.running_for_tests(fast=not options.durable))
        if options.redis and not env.get("REDIS_URL"):
            env["REDIS_URL"] = services.enter_context(redis.running())
        return run(options.command, env)


def run(command: list[str], env: dict[str, str]) -> int:
    """This function will run the command in the foreground, pass SIGTERM on and give its exit code as a shell would."""
    # Ctrl-C reaches the command from the terminal by itself; the services must outlast its tidying up.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            command,
            env=env,
            preexec_fn=_prepare_command(),
        )
        try:
            code = process.wait()
        except SystemExit:
            children.stop(process)
            raise
    finally:
        signal.signal(signal.SIGINT, previous)
    return code if code >= 0 else 128 - code


def _prepare_command() -> Callable[[], None]:
    die_with_parent = children.die_with_parent()

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        die_with_parent()

    return prepare


def _leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.local.with_services")
    parser.add_argument("--redis", action="store_true", help="start Redis as well")
    parser.add_argument("--durable", action="store_true", help="keep PostgreSQL's durability on, as in production")
    parser.add_argument("command", nargs="+", metavar="-- command")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except children.ServiceFailed as failure:
        sys.exit(str(failure))
