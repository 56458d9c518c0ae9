"""Texts and calendars written to break their reader."""

from __future__ import annotations

import pytest

from apps.flows.sources import InvalidSource, read_document
from apps.flows.states import UnableToStart, read_starts
from apps.flows.triggers import is_cron


@pytest.mark.parametrize(
    "text",
    [
        "a: !!int ''", "a: !!bool maybe", "a: !!timestamp never", "a: !!binary aGk=", "a: !!set {b}", "a: !own b",
        "a: .inf", "a: -.inf", "a: .nan", f"a: {2**63}", f"a: 1{'0' * 5000}", r'a: "\0"', r'a: "\uD800"', r'"\0": a',
        "a: " + "[" * 5000, "a: &b [1]\nc: *b",
    ],
)  # fmt: skip
def test_yaml_that_would_break_what_reads_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidSource):
        read_document(text)


def test_what_only_looks_like_it_is_read() -> None:
    text = "a: 1\nb: 1.5\nc: 'x !!int \U0001f600'\nd: true\ne: on\nf: ~\ng: 12:30\nh: " + "1:" * 400 + "1.0"

    assert read_document(text).data == {
        "a": 1,
        "b": 1.5,
        "c": "x !!int \U0001f600",
        "d": True,
        "e": "on",
        "f": None,
        "g": "12:30",
        "h": "1:" * 400 + "1.0",
    }


@pytest.mark.parametrize("cron", ["R R * * *", "R(0-30) * * * *", "0 h * * *", "0 0 30 2 *", "0," * 60 + "1 * * * *"])
def test_times_that_never_come_or_are_others_each_time_are_refused(cron: str) -> None:
    assert is_cron(cron) is False


@pytest.mark.parametrize("cron", ["0 9 * MAR THU,FRI", "*/5 * * * *", "0 0 29 2 *", "0 0 L * *"])
def test_times_that_come_are_taken(cron: str) -> None:
    assert is_cron(cron) is True


def test_a_flow_that_runs_once_in_an_age_is_refused() -> None:
    with pytest.raises(UnableToStart, match="at most a year"):
        read_starts([{"every": 10**15}], set())
