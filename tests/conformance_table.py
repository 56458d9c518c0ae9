"""One table at the end of a run: what each connector showed in the suite they all inherit.

Built from the reports alone, so it is the same whether one process ran the tests or several did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from apps.connectors.sdk.conformance.declarations import DeclarationsConformance
from apps.connectors.sdk.conformance.reading import ReadingConformance
from apps.connectors.sdk.conformance.trouble import TroubleConformance
from apps.connectors.sdk.conformance.writing import WritingConformance

SUITE = (DeclarationsConformance, ReadingConformance, WritingConformance, TroubleConformance)
NODE = re.compile(
    r"(?P<file>[^:]*test_conformance\w*\.py)::Test(?P<name>\w+?)(?:Conformance)?::(?P<check>test_\w+)(?:\[.*)?$"
)
MARKS = {"failed": "F", "skipped": "-", "passed": "·"}
WIDTH = 100

Results = dict[str, dict[str, str]]


def checks() -> list[str]:
    """The checks of the suite, in the order they are written."""
    return [name for part in SUITE for name in vars(part) if name.startswith("test_")]


def collect(reports: Iterable[tuple[str, str]]) -> Results:
    """Connector → check → outcome, from pairs of node id and outcome; of several parameters the worst counts."""
    known, ranks = set(checks()), list(MARKS)
    found: Results = {}
    for node_id, outcome in reports:
        match = NODE.search(node_id)
        if match is None or match["check"] not in known or outcome not in ranks:
            continue
        row = found.setdefault(match["name"], {})
        row[match["check"]] = min(outcome, row.get(match["check"], outcome), key=ranks.index)
    return found


def lines(results: Results) -> list[str]:
    """The table and its legend."""
    columns = checks()
    width = max(map(len, results), default=0)
    header = " ".join(f"{number:2}" for number in range(1, len(columns) + 1))
    rows = [
        f"{name:{width}}  " + " ".join(f" {MARKS.get(results[name].get(column, ''), ' ')}" for column in columns)
        for name in sorted(results, key=str.lower)
    ]
    return [f"{'':{width}}  {header}", *rows, *legend(columns)]


def legend(columns: list[str]) -> list[str]:
    """What the numbers stand for, as many to a line as fit."""
    told = [f"{number} {name.removeprefix('test_').replace('_', ' ')}" for number, name in enumerate(columns, 1)]
    found = ["· passed, F failed, - not offered by this server, blank: not run"]
    line = ""
    for text in told:
        if line and len(line) + len(text) + 3 > WIDTH:
            found.append(line)
            line = ""
        line = f"{line} | {text}" if line else text
    return [*found, line]


def print_table(reporter: pytest.TerminalReporter) -> None:
    reports = [
        (report.nodeid, outcome)
        for outcome in MARKS
        for report in reporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport)
    ]
    errors = [(report.nodeid, "failed") for report in reporter.stats.get("error", [])]
    results = collect([*reports, *errors])
    if results:
        reporter.section("connectors × conformance checks", sep="-")
        for line in lines(results):
            reporter.write_line(line)
