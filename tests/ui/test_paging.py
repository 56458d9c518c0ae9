from __future__ import annotations

import pytest
from django.test import RequestFactory

from apps.tenants.models import Partner
from apps.ui.paging import page_queryset


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
