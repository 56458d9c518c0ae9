"""The page of what connectors cover says what their manifests say."""

from __future__ import annotations

from apps.connectors.sdk.entities import ENTITIES
from tests.coverage_table import BEGIN, DELETIONS_BEGIN, DELETIONS_END, END, PAGE, render, render_deletions
from tests.coverage_table import ENTITIES as SHOWN


def test_the_table_is_the_manifests() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]

    assert shown == render(), "write it anew: python -m tests.coverage_table"


def test_the_table_of_deletions_is_the_manifests() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition(DELETIONS_BEGIN)[2].partition(DELETIONS_END)[0]

    assert shown == render_deletions(), "write it anew: python -m tests.coverage_table"


def test_no_entity_is_left_out() -> None:
    assert set(SHOWN) == set(ENTITIES)
