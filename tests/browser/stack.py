"""The whole demo as its own processes, made anew, with a small month."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.provisioning.demo.cast import PARTNERS, PartnerCast

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "demo-tests"
SITE = re.compile(r"http://([\w-]+)\.localhost:(\d+)/manage/")
VENDORS = re.compile(r"sandbox on (http://[\w.]+:\d+)")
# What the test run set up for itself is not the demo's.
OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE")
STOP_SECONDS = 30


class DemoFailed(RuntimeError):
    """The demo ended before it was ready; the message is what it said."""


@dataclass(frozen=True)
class Site:
    """One partner's host in the running demo, with somebody from either side who may sign in there."""

    cast: PartnerCast
    port: int
    vendors_url: str = ""

    @property
    def base(self) -> str:
        return f"http://{self.cast.slug}.localhost:{self.port}"

    @property
    def owner(self) -> str:
        return self.cast.owner.email

    @property
    def customer(self) -> str:
        return self.cast.customers[0].contact.email


@dataclass(frozen=True)
class BackOffice:
    """The platform's own host in the running demo."""

    port: int

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"


def start(*arguments: str, small: bool = True, folder: Path = FOLDER) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env["INTERLACE_DEMO_DIR"] = str(folder)
    if small:
        env["INTERLACE_DEMO_SMALL"] = "1"
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", "demo", *arguments],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def forget(folder: Path = FOLDER) -> None:
    """This function will have the next start make everything anew."""
    (folder / "made.json").unlink(missing_ok=True)


@contextmanager
def running_demo(*, small: bool = True) -> Iterator[dict[str, Site]]:
    """This function will run the demo for the block and give its sites by partner. Raises DemoFailed."""
    forget()
    process = start("--quiet-vendors", small=small)
    try:
        yield sites_of(read_until_ready(process))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STOP_SECONDS)


def read_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Begin at"):
            return said
    raise DemoFailed(said)


def sites_of(said: str) -> dict[str, Site]:
    ports = {slug: int(port) for slug, port in SITE.findall(said)}
    vendors = VENDORS.search(said)
    return {cast.slug: Site(cast, ports[cast.slug], vendors.group(1) if vendors else "") for cast in PARTNERS}
