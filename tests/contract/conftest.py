from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.recorder import RecordingSandbox, recording_sandbox

FIGURES: list[str] = []
NOT_RUN: set[str] = set()


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Path:
    """The folder of descriptions and recordings."""
    folder = os.environ.get("INTERLACE_EVIDENCE", "")
    if folder and (Path(folder) / "specs").is_dir():
        return Path(folder)
    if os.environ.get("CI") == "true":
        pytest.fail("INTERLACE_EVIDENCE names no folder with specs/ and fixtures/")
    NOT_RUN.add(request.node.nodeid)
    pytest.skip("INTERLACE_EVIDENCE is not set")


@pytest.fixture
def figures() -> list[str]:
    """Lines for the end of the run."""
    return FIGURES


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordingSandbox]:
    with recording_sandbox(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in FIGURES:
        terminalreporter.write_line(f"contract: {line}")
    if NOT_RUN:
        terminalreporter.write_line(f"contract: {len(NOT_RUN)} checks did not run (INTERLACE_EVIDENCE is not set)")
