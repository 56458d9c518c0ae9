from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from django.test import RequestFactory

from apps.tenants.models import Partner
from apps.ui.paging import decode_cursor, page_queryset


@pytest.mark.django_db
def test_pages_forth_and_back_meet_every_row_once():
    def page(url: str):
        return page_queryset(
            Partner.objects.filter(slug__in=["acme", "globex", "platform"]),
            RequestFactory().get(url),
            order=("-created_at", "slug"),
            size=2,
        )

    first = page("/?state=open")
    second = page(first.next_url)
    back = page(second.previous_url)

    assert [row.slug for row in first] == ["acme", "globex"]
    assert [row.slug for row in second] == ["platform"]
    assert [row.slug for row in back] == ["acme", "globex"]
    assert (first.previous_url, second.next_url, back.previous_url) == ("", "", "")
    assert first.next_url.startswith("/?state=open&cursor=")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "place",
    [
        '[false, "x", "y"]', '[false, null, "y"]', '[false, [1], {"a": 1}]', '[false, NaN, "y"]', "[" * 2500,
        '[true, "9999-99-99", "y"]', '[false, "2026-11-02T09:00:00Z", "\\u0000"]', '[false, "y"]', "{}", "5",
        '[false, "2026-11-02T09:00:00Z", "\\ud800"]',
    ],
)  # fmt: skip
def test_a_place_that_is_made_up_is_the_beginning(place: str):
    cursor = urlsafe_b64encode(place.encode()).decode().rstrip("=")
    rows = Partner.objects.filter(slug__in=["acme", "globex"])

    page = page_queryset(rows, RequestFactory().get(f"/?cursor={cursor}"), order=("-created_at", "slug"))

    assert ([row.slug for row in page], page.previous_url) == (["acme", "globex"], "")


@pytest.mark.parametrize("value", ["1e400", "NaN", "null", "[1]", '"\\u0000"'])
def test_what_no_column_holds_is_no_place(value: str):
    assert decode_cursor(urlsafe_b64encode(f"[false, {value}]".encode()).decode()) is None
