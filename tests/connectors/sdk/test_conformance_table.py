from __future__ import annotations

from tests.conformance_table import checks, collect, lines

FILE = "tests/connectors/jira/test_conformance.py"
REAL = "tests/real/test_conformance_redmine.py"


def test_each_row_is_a_connector_and_the_worst_outcome_counts():
    reports = [
        (f"{FILE}::TestJira::test_manifest_is_valid", "passed"),
        (
            f"{FILE}::TestJira::test_vendor_trouble_becomes_the_right_error[status-options0-ConfigurationError]",
            "passed",
        ),
        (f"{FILE}::TestJira::test_vendor_trouble_becomes_the_right_error[reset-options4-TransientError]", "failed"),
        (f"{REAL}::TestRealRedmineConformance::test_a_rate_limit_carries_the_vendors_delay", "skipped"),
        (f"{FILE}::TestJira::test_something_of_its_own", "failed"),
        ("tests/connectors/jira/test_traps.py::test_manifest_is_valid", "failed"),
    ]

    results = collect(reports)

    assert results == {
        "Jira": {"test_manifest_is_valid": "passed", "test_vendor_trouble_becomes_the_right_error": "failed"},
        "RealRedmine": {"test_a_rate_limit_carries_the_vendors_delay": "skipped"},
    }


def test_the_table_is_compact_and_explains_itself():
    results = collect([(f"{FILE}::TestJira::{name}", "passed") for name in checks()])

    header, row, *explained = lines(results)

    assert row.split() == ["Jira", *("·" for _ in checks())]
    assert header.split() == [str(number) for number in range(1, len(checks()) + 1)]
    assert max(map(len, explained)) <= 110
    assert f"{len(checks())} {checks()[-1].removeprefix('test_').replace('_', ' ')}" in explained[-1]


def test_checks_that_did_not_run_are_blank():
    header, row, *_ = lines({"Jira": {checks()[-1]: "skipped"}})

    assert row.split() == ["Jira", "-"]
    assert row.rindex("-") == len(header) - 1
