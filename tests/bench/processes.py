"""The platform's processes beside the test: `python -m tests.bench.processes dispatcher|sync|small`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

WORKERS = {"sync": ("--pool=prefork", "--concurrency=1"), "small": ("--pool=threads", "--concurrency=2")}


@contextmanager
def running_platform(environment: Mapping[str, str], root: str) -> Iterator[None]:
    """Dispatcher and workers, as in production; the caller runs the web process."""
    env = {**environment, "DJANGO_SETTINGS_MODULE": "tests.bench.settings"}
    processes = [
        subprocess.Popen([sys.executable, "-m", "tests.bench.processes", role], cwd=root, env=env)
        for role in ("dispatcher", *WORKERS)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def main(role: str) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from config.celery import app
    from tests.bench.fast_vendor import register

    register()
    if role == "dispatcher":
        call_command("run_dispatcher")
    else:
        app.worker_main(["--quiet", "worker", "--loglevel=WARNING", "-Q", role, "-n", f"{role}@bench", *WORKERS[role]])


if __name__ == "__main__":
    main(sys.argv[1])
