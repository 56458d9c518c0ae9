"""The kit's vocabulary is the canonical model's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from apps.canonical.entities import ENTITIES
from apps.connectors.sdk.canonical_fields import FIELDS, REQUIRED, problem

EUR = {"amount": 1250, "currency": "EUR"}


def test_every_entity_has_the_same_fields_as_the_canonical_model() -> None:
    canonical = {name: {field.name for field in msgspec.structs.fields(entity)} for name, entity in ENTITIES.items()}

    assert {name: set(fields) for name, fields in FIELDS.items()} == canonical


def test_the_same_fields_are_required() -> None:
    canonical = {
        name: {field.name for field in msgspec.structs.fields(entity) if field.required}
        for name, entity in ENTITIES.items()
    }

    assert {name: set(fields) for name, fields in REQUIRED.items()} == canonical


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "a", 1),
        ("money", EUR, {"amount": 12.5, "currency": "EUR"}),
        ("money", EUR, {"amount": 12, "currency": "euro"}),
        ("money", EUR, "12.50"),
        ("date", "2026-11-22", "2026-11-22T00:00:00Z"),
        ("datetime", "2026-11-22T01:02:03Z", "2026-11-22 01:02:03"),
        ("integer", 3, "3"),
        ("integer", 3, True),
        ("boolean", False, 0),
        ("quantity", "3.25", 3.25),
        (("open", "won"), "won", "closed"),
        ("lines", [{"description": "a", "quantity": "1", "amount": EUR}], [{"sku": "a"}]),
        ("lines", [], [{"quantity": 1.5}]),
    ],
)
def test_kinds_tell_good_from_bad(kind: Any, good: Any, bad: Any) -> None:
    assert problem(kind, None) is None
    assert problem(kind, good) is None
    assert problem(kind, bad) is not None
