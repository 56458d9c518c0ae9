"""Systems that were written down wrongly, or that do not do what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.declared import connector_type, parse_definition
from apps.connectors.sdk.errors import FatalError

SOURCE = """
name: Stubborn
domain: delivery
base_url: https://stubborn.example.com
auth: {kind: none}
check: {path: /me}
paging: {kind: page, parameter: page, size_parameter: per_page, size: 2, pages_header: x-pages}
objects:
  - name: people
    label: People
    entity: resource
    list: {path: /people}
    fields: {name: record.name}
"""


def stream(answers: list[list[str]], headers: dict[str, str] | None = None, source: str = SOURCE) -> Any:
    """`answers` are the ids of the pages, whatever is asked for."""
    kind = connector_type("custom-stubborn", parse_definition(source))
    connector: Any = kind(ConnectionContext(settings={}, credentials={}, now=lambda: datetime.now(UTC)))
    left = iter(answers)

    def send(call: object) -> object:
        rows = [{"id": found, "name": found} for found in next(left)]
        return SimpleNamespace(data=rows, headers=headers or {})

    connector.client = SimpleNamespace(send=send)
    return connector.stream("people")


def test_a_system_that_ignores_the_page_is_noticed() -> None:
    """It would give its first page for ever."""
    with pytest.raises(FatalError) as told:
        list(stream([["1", "2"], ["1", "2"]]).read(checkpoint=None))

    assert told.value.code == "paging"
    assert "is “page” right?" in told.value.message


@pytest.mark.parametrize("header", ["9" * 5000, "many", ""])
def test_a_count_of_pages_that_is_none_is_not_believed(header: str) -> None:
    pages = list(stream([["1", "2"], ["3"], []], {"x-pages": header}).read(checkpoint=None))

    assert [[record.external_id for record in page.records] for page in pages] == [["1", "2"], ["3"], []]


@pytest.mark.parametrize(
    "given", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+01:00", "0000-00-00", "soon", 10**20, {"at": 1}]
)
def test_a_stamp_that_is_no_moment_holds_up_no_other_record(given: object) -> None:
    people = stream([], source=SOURCE.replace("    list:", "    modified: changed\n    list:"))

    odd, good = people.record({"id": "1", "changed": given}), people.record({"id": "2", "changed": "2026-11-24"})

    assert (odd.modified_at, odd.problem) == (None, f"changed: {str(given)[:40]!r} is no moment.")
    assert (good.modified_at, good.problem) == (datetime(2026, 11, 24, tzinfo=UTC), "")
