"""The demo as continuous integration and a person at a terminal use it."""

import signal
import time

import pytest

from tests.browser import stack

pytestmark = pytest.mark.browser

LONGEST_STOP, LONGEST_SECOND_START = 8.0, 20.0


def test_it_checks_itself_stops_in_order_and_starts_again_quickly():
    """Runs before the session's demo in a folder of the same name would; hence in one test."""
    stack.forget()
    check = stack.start("--check", "--quiet-vendors")
    said, _ = check.communicate(timeout=400)
    assert (check.returncode, "Everything works." in said) == (0, True), said

    began = time.monotonic()
    again = stack.start("--quiet-vendors")
    stack.read_until_ready(again)
    started_after = time.monotonic() - began
    began = time.monotonic()
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)

    assert again.returncode == 0
    assert time.monotonic() - began < LONGEST_STOP
    assert started_after < LONGEST_SECOND_START


def test_killed_demo_leaves_nothing_running_and_starts_again():
    killed = stack.start("--quiet-vendors")
    stack.read_until_ready(killed)
    killed.kill()
    killed.communicate()

    again = stack.start("--quiet-vendors")
    said = stack.read_until_ready(again)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)

    assert "First start" not in said
    assert again.returncode == 0
