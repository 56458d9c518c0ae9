"""What a record holds, as a person reads it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from apps.canonical.models import CanonicalRecord, name_of
from apps.connectors.sdk.entities import in_order
from apps.sync.models import RecordFailure, RecordLog
from apps.ui import markup
from apps.ui.differences import compare, field_name, said_text
from apps.ui.formatting import noun_text
from apps.ui.markup import field_value, record_value

LINE = {
    "description": "Consulting <on site>", "quantity": "2.5", "unit_price": {"amount": 12000, "currency": "EUR"},
    "amount": {"amount": 30000, "currency": "EUR"}, "tax": None,
}  # fmt: skip


def test_money_is_said_with_its_currency() -> None:
    assert record_value({"amount": 117750, "currency": "EUR"}) == "€1,177.50"
    assert record_value({"amount": 1177, "currency": "JPY"}) == "¥1,177"
    with override("de"):
        assert record_value({"amount": 117750, "currency": "EUR"}) == "1.177,50\xa0€"


def test_positions_are_a_small_table_without_empty_columns() -> None:
    text = str(record_value([LINE, {**LINE, "description": "Travel", "quantity": "1"}]))

    assert text.count("<tr>") == 3
    stored = {name: LINE[name] for name in ("amount", "quantity", "unit_price", "description")}
    heads = re.findall("<th[^>]*>([^<]*)</th>", str(record_value([stored])))
    assert heads == ["Description", "Quantity", "Unit price", "Amount"]
    assert "Tax" not in text
    assert '<td>Consulting &lt;on site&gt;</td><td>2.5</td><td class="num">€120.00</td>' in text


@pytest.mark.parametrize(
    ("value", "shown"), [(["a", "b"], "a, b"), (True, "yes"), ("2026-10-01", "2026-10-01"), (7, "7")]
)
def test_plain_values_stay_plain(value: object, shown: str) -> None:
    assert record_value(value) == shown
    assert "empty-value" in str(record_value([]))


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("part_paid", "Part paid"),
        ("none", "None"),
        ("2026-10-27", "27 Oct 2026"),
        ("2026-13-27", "2026-13-27"),
        ("Fox", "Fox"),
    ],
)
def test_stored_words_and_dates_are_said_as_people_say_them(stored: str, said: str) -> None:
    assert said_text(stored) == said


@pytest.mark.parametrize(
    ("name", "stored", "said"),
    [
        ("duration_seconds", 5400, "1.5 h"), ("timeSpentSeconds", 3600, "1 h"), ("version", 3600, "3600"),
        ("at", "2026-10-27T08:00:00Z", "27 Oct 2026, 09:00:00 CET"), ("at", "2026-10-27T99:00:00Z", "2026-10-27T99:00:00Z"),
        ("stage", "won", "Won"), ("name", "Fox", "Fox"),
    ],
)  # fmt: skip
def test_a_field_is_said_with_its_unit_and_in_the_persons_zone(name: str, stored: object, said: str) -> None:
    with timezone.override("Europe/Berlin"):
        assert field_value(stored, name) == said
        assert compare({}, {name: stored}, said=True)[0].after == said


def test_a_moment_is_the_day_it_is_where_the_viewer_is() -> None:
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        assert "24 Nov 2026" in markup.day(moment)
    with timezone.override("UTC"):
        assert "23 Nov 2026" in markup.day(moment)
        assert "23 Nov 2026" in markup.day(moment.date())


def test_a_field_said_in_hours_is_not_called_seconds() -> None:
    names = ("duration_seconds", "timeSpentSeconds", "x_region", "seconds", "close_date")
    assert [field_name(name) for name in names] == ["Duration", "Time spent", "Region", "Seconds", "Close date"]


def test_differences_speak_of_money_and_positions_as_one() -> None:
    before = {"total": {"amount": 30000, "currency": "EUR"}, "lines": [LINE], "address": {"city": "Bonn"}}
    theirs = {"amount": "80.00", "quantity": "2", "unit_price": "40.00", "description": "Travel"}
    assert compare({}, {"lines": [theirs]})[0].after == "Travel · 2 × 40.00 · 80.00"
    after = {"total": {"amount": 117750, "currency": "EUR"}, "lines": [], "address": {"city": "Köln"}}

    assert [(c.field, c.before, c.after) for c in compare(before, after)] == [
        ("total", "€300.00", "€1,177.50"), ("lines", "Consulting <on site> · 2.5 × €120.00 · €300.00", ""),
        ("address.city", "Bonn", "Köln"),
    ]  # fmt: skip


def test_a_title_that_says_nothing_names_the_kind() -> None:
    assert name_of("time_entry", "2") == "Time entry 2"
    assert name_of("invoice", "INV-7") == "INV-7"
    entry = CanonicalRecord(entity="time_entry", occurred_on=date(2026, 10, 5))
    assert str(entry) == "Time entry 2026-10-05"
    assert str(CanonicalRecord(entity="invoice", title="2")) == "Invoice 2"
    assert RecordLog(entity="time_entry", title="", external_id="77").name == "Time entry 77"
    assert RecordFailure(object_name="time_entries", record_title="2").name == "Time entry 2"
    assert RecordFailure(object_name="invoices", external_id="9").name == "Invoice 9"
    assert RecordFailure(object_name="projects", record_title="Forge").name == "Forge"


def test_a_systems_own_positions_are_words_not_code() -> None:
    theirs = [
        {
            "Description": "Travel",
            "Quantity": 2,
            "UnitAmount": 40.0,
            "AccountCode": "",
            "tracking": [{"name": "Berlin"}],
        },
        [0, 0, {"product_id": 7, "name": "On site"}],
    ]

    assert [(change.field, change.after) for change in compare({}, {"LineItems": theirs, "is_open": True})] == [
        ("LineItems", "Travel · Quantity: 2 · Unit amount: 40.0 · Tracking: Berlin; 0; 0; On site · Product id: 7"),
        ("is_open", "yes"),
    ]  # fmt: skip


def test_fields_stand_in_the_order_of_the_vocabulary() -> None:
    stored = {"x_region": 1, "total": 2, "lines": [], "number": "INV-1", "status": "open", "x_area": 3}

    assert list(in_order("invoice", stored)) == ["status", "total", "number", "lines", "x_area", "x_region"]
    assert list(in_order("unheard of", {"b": 1, "a": 2})) == ["a", "b"]


@pytest.mark.parametrize(
    ("count", "plural", "said"),
    [(1, "exceptions", "exception"), (0, "exceptions", "exceptions"), (2, "entries", "entries"), (1, "entries", "entry"),
     (1, "people", "person"), (1, "policies", "policy"), (1, "batches", "batch")],
)  # fmt: skip
def test_one_is_singular(count: int, plural: str, said: str) -> None:
    assert noun_text(count, plural) == said
    bar = render_to_string("components/pagination.html", {"total": count, "noun": plural})
    assert f'<span class="num">{count}</span> {said}</span>' in bar
