"""The published description: valid OpenAPI 3.1, complete, in nobody's name but the partner's."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from apps.api.v1.urls import urlpatterns
from apps.tenants.models import Partner
from tests.browsing import Browser

OWN_PAGES = {"openapi", "docs", "unknown"}


@pytest.fixture
def description(partner: Partner, client: Browser) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return dict(response.json())


def test_it_is_valid(description: dict[str, Any]) -> None:
    validate(description)

    assert description["openapi"] == "3.1.0"
    assert "Interlace" not in str(description)


def test_every_endpoint_is_in_it(description: dict[str, Any]) -> None:
    assert len(description["paths"]) == len([p for p in urlpatterns if p.name not in OWN_PAGES])


def test_every_operation_names_its_scope_and_its_errors(description: dict[str, Any]) -> None:
    operations = [
        (f"{method} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]

    assert [name for name, operation in operations if "Scope: `" not in operation["description"]] == []
    assert [name for name, operation in operations if "401" not in operation["responses"]] == []


def test_the_reference_is_a_page_in_the_partners_brand(partner: Partner, client: Browser) -> None:
    page = client.get("/api/v1/docs").content.decode()

    assert "/api/v1/customers" in page
    assert "Interlace" not in page


def test_the_reference_tells_what_a_body_holds(partner: Partner, client: Browser) -> None:
    page = client.get("/api/v1/docs").content.decode()

    assert "<code>flow</code> (required) Id of the flow: flw_ and 32 hex digits." in page
    assert "/api/v1/customers \\\n" in page


def test_the_reference_tells_the_only_values_there_are_and_shows_a_body(partner: Partner, client: Browser) -> None:
    page = client.get("/api/v1/docs").content.decode()

    assert "One of <code>new</code>, <code>everything</code>, <code>period</code>, <code>record</code>." in page
    assert "<code>trigger</code> (query)  One of <code>api</code>, <code>backfill</code>" in page
    assert "&quot;first_day&quot;: &quot;2026-11-01&quot;" in page


def test_every_list_that_can_be_cut_to_a_customer_says_so(description: dict[str, Any]) -> None:
    cut = {
        f"/api/v1/{path.pattern._route}"
        for path in urlpatterns
        if (view := getattr(path.callback, "view_class", None)) and hasattr(view, "get")
        and {"of_customer", "asked_customer"} & set(view.get.__code__.co_names)
    }  # fmt: skip
    said = {
        path
        for path, methods in description["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", [])
        if (parameter["name"], parameter["in"]) == ("customer", "query")
    }

    assert "/api/v1/records" in cut
    assert cut - said == set()


def test_no_two_operations_have_one_name(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for methods in description["paths"].values() for operation in methods.values()]

    assert len(names) == len(set(names))
    assert [name for name in names if name[-1].isdigit()] == []
    assert description["paths"]["/api/v1/customers"]["get"]["operationId"] == "customers_list"
