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


def stream(answers: list[list[str]], headers: dict[str, str] | None = None) -> Any:
    """`answers` are the ids of the pages, whatever is asked for."""
    kind = connector_type("custom-stubborn", parse_definition(SOURCE))
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
