from __future__ import annotations

from tests.api.conftest import ApiClient


def test_every_event_is_listed_with_its_schema(api: ApiClient) -> None:
    listed = {row["name"]: row for row in api.get("/event-types").json()}

    won = listed["opportunity.won"]
    assert (won["version"], won["description"]) == (1, "A deal was won.")
    assert won["data_schema"]["required"] == ["is_production", "record_id", "title"]
    assert "connectors.webhook.received" not in listed
    assert "customers.customer.created" in listed


def test_a_customers_key_sees_what_customers_are_told(bound: ApiClient) -> None:
    names = {row["name"] for row in bound.get("/event-types").json()}

    assert "opportunity.won" in names
    assert "customers.customer.created" not in names
