"""The demo as continuous integration and a person at a terminal use it, beside the one the other tests look at."""

import signal
import subprocess

import pytest

from tests.browser import stack

pytestmark = pytest.mark.browser

FOLDER = stack.ROOT / "var" / "demo-started"


def start(*arguments: str) -> "subprocess.Popen[str]":
    return stack.start(*arguments, "--quiet-vendors", folder=FOLDER)


def stop(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return process.returncode


def test_it_checks_itself_survives_being_killed_and_keeps_its_data() -> None:
    stack.forget(FOLDER)
    check = start("--check")
    said, _ = check.communicate(timeout=400)
    assert (check.returncode, "Everything works." in said) == (0, True), said

    killed = start()
    stack.read_until_ready(killed)
    killed.kill()
    killed.communicate()
    again = start()
    said = stack.read_until_ready(again)

    assert "First start" not in said
    assert stop(again) == 0
