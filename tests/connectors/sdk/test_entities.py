"""The canonical vocabulary: what a mapping may produce and what is refused."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from apps.canonical.models import Entity
from apps.connectors.sdk.entities import ENTITIES, REFERENCES, InvalidRecord, json_schema, validate_entity

EUR = {"amount": 1250, "currency": "EUR"}
PAYMENT = {"amount": EUR, "paid_date": "2026-11-22"}
LINE = {"description": "a", "quantity": "1", "unit_price": EUR, "amount": EUR}
INVOICE = {"status": "open", "currency": "EUR", "total": EUR}


def test_every_entity_is_stored_and_refers_to_entities() -> None:
    targets = {target for references in REFERENCES.values() for target in references.values()}

    assert set(Entity.values) == set(ENTITIES) == set(REFERENCES)
    assert targets <= set(ENTITIES)


@pytest.mark.parametrize(
    ("entity", "good", "field", "bad"),
    [
        ("account", {"name": "a"}, "name", 1),
        ("account", {"name": "a"}, "currency", "euro"),
        ("payment", PAYMENT, "amount", {"amount": 12.5, "currency": "EUR"}),
        ("payment", PAYMENT, "amount", {"amount": 12, "currency": "EUR", "note": ""}),
        ("payment", PAYMENT, "amount", "12.50"),
        ("payment", PAYMENT, "paid_date", "2026-11-22T00:00:00Z"),
        ("task", {"name": "a", "status": "open"}, "estimate_seconds", "3"),
        ("task", {"name": "a", "status": "open"}, "estimate_seconds", True),
        ("task", {"name": "a", "status": "open"}, "status", "closed"),
        ("usage_record", {"name": "a", "usage_date": "2026-11-22", "quantity": "3.25"}, "quantity", 3.25),
        ("invoice", {**INVOICE, "lines": [LINE]}, "lines", [{"sku": "a"}]),
        ("invoice", {**INVOICE, "lines": []}, "lines", [{**LINE, "quantity": 1.5}]),
    ],
)
def test_what_is_not_of_its_kind_is_refused(entity: str, good: dict[str, Any], field: str, bad: Any) -> None:
    validate_entity(entity, good)

    with pytest.raises(InvalidRecord) as refused:
        validate_entity(entity, {**good, field: bad})

    assert refused.value.field.partition(".")[0] == field


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidRecord, match="There is no field “unheard_of”"):
        validate_entity("account", {"name": "a", "unheard_of": "b"})


def test_a_missing_required_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidRecord, match="Paid date is missing"):
        validate_entity("payment", {"amount": EUR})


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_the_published_schema_is_valid_and_refuses_strangers(entity: str) -> None:
    schema = json_schema(entity)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:canonical:{entity}:1"
    assert not jsonschema.Draft202012Validator(schema).is_valid({"unheard_of": 1})
