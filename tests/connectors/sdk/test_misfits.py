"""What does not fit is said in words, with the path that programs know."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest

from apps.connectors.sdk.entities import InvalidRecord, validate_entity
from apps.connectors.sdk.misfits import describe_misfit

EUR = {"amount": 1250, "currency": "EUR"}
TIME = {"work_date": "2026-11-02", "duration_seconds": 3600}
LINE = {"description": "a", "quantity": "1", "unit_price": EUR, "amount": EUR}
INVOICE = {"status": "open", "currency": "EUR", "total": EUR}


@pytest.mark.parametrize(
    ("entity", "fields", "field", "words"),
    [
        ("time_entry", {**TIME, "duration_seconds": -5400}, "duration_seconds", "Duration must be at least 0"),
        ("time_entry", {**TIME, "work_date": "yesterday"}, "work_date", "Work date must be a date like 2026-11-30"),
        ("account", {"name": 5}, "name", "Name must be a text, not a whole number"),
        ("account", {"name": None}, "name", "Name must be a text, not empty"),
        ("account", {}, "name", "Name is missing"),
        ("account", {"name": "a", "title": "b"}, "title", "There is no field “title”"),
        ("account", {"name": "a", "currency": "euro"}, "currency",
         "Currency must be a currency code of three capital letters, like EUR"),
        ("task", {"name": "a", "status": "closed"}, "status", "Status must be one of open, done; 'closed' is not"),
        ("task", {"name": "a", "status": "open", "estimate_seconds": "3"}, "estimate_seconds",
         "Estimate must be a whole number, not a text"),
        ("payment", {"amount": {**EUR, "amount": 12.5}, "paid_date": "2026-11-02"}, "amount.amount",
         "Amount, amount must be a whole number, not a number with decimals"),
        ("payment", {"amount": "12", "paid_date": "2026-11-02"}, "amount",
         "Amount must be a group of named values, not a text"),
        ("payment", {"amount": {**EUR, "note": ""}, "paid_date": "2026-11-02"}, "amount.note",
         "There is no field “note” in amount"),
        ("usage_record", {"name": "a", "usage_date": "2026-11-02", "quantity": "many"}, "quantity",
         "Quantity must be a number like 12.50"),
        ("invoice", {**INVOICE, "lines": [{**LINE, "quantity": 1}]}, "lines.quantity",
         "Lines, quantity must be a text, not a whole number"),
    ],
)  # fmt: skip
def test_a_record_that_does_not_fit(entity: str, fields: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        validate_entity(entity, fields)

    assert (refused.value.field, str(refused.value)) == (field, words)


@pytest.mark.parametrize(
    ("kind", "value", "field", "words"),
    [
        ("integer", "many", "x_head_count", "Head count must be a whole number, not a text"),
        (
            "money",
            {**EUR, "amount": "1"},
            "x_head_count.amount",
            "Head count, amount must be a whole number, not a text",
        ),
        ("money", {"amount": 1}, "x_head_count.currency", "Head count, currency is missing"),
        ("money", {**EUR, "note": ""}, "x_head_count.note", "There is no field “note” in head count"),
    ],
)
def test_a_custom_field_that_does_not_fit(kind: str, value: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        validate_entity("account", {"name": "a", "x_head_count": value}, lambda: {"x_head_count": kind})

    assert (refused.value.field, str(refused.value)) == (field, words)


@pytest.mark.parametrize(
    ("shape", "value", "words"),
    [
        (datetime, "soon", "It must be a moment like 2026-11-30T09:00:00Z"),
        (list, 7, "It must be a list, not a whole number"),
        (int | float, "7", "It must be a whole number or a number, not a text"),
        (Annotated[str, msgspec.Meta(min_length=1)], "", "It must not be empty"),
        (Annotated[str, msgspec.Meta(max_length=3)], "four", "It must have at most 3 characters"),
        (Annotated[list, msgspec.Meta(max_length=1)], [1, 2], "It must have at most 1 entries"),
    ],
)
def test_a_value_on_its_own(shape: Any, value: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, shape, strict=True)

    assert describe_misfit(refused.value, shape) == ("", words)
