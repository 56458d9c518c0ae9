"""Creating, reading and paging customers; repeating a POST."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.events.models import IdempotencyRecord
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_customer

NEW = {"name": "Initech", "currency": "USD", "time_zone": "America/Chicago"}


def test_a_customer_is_created_with_its_environments(api: ApiClient) -> None:
    response = api.post("/customers", NEW)

    assert response.status_code == 201
    customer = Customer.objects.get()
    assert response.json()["id"] == encode_id("cus", customer.pk)
    assert (customer.name, customer.currency, customer.time_zone) == ("Initech", "USD", "America/Chicago")
    assert sorted(customer.environments.values_list("kind", flat=True)) == ["production", "sandbox"]


def test_a_repeat_with_the_same_key_does_nothing_again(api: ApiClient) -> None:
    first = api.post("/customers", NEW, key="order-7")
    again = api.post("/customers", NEW, key="order-7")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert Customer.objects.count() == 1


def test_the_same_key_for_another_request_is_refused(api: ApiClient) -> None:
    api.post("/customers", NEW, key="order-7")

    response = api.post("/customers", {**NEW, "name": "Other"}, key="order-7")

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("key", ["a\x00b", "\x7f", "\u00e9", "k" * 201])
def test_a_key_that_no_row_holds_is_refused(api: ApiClient, key: str) -> None:
    response = api.post("/customers", NEW, key=key)

    assert (response.status_code, Customer.objects.count()) == (422, 0)


def test_a_key_is_free_again_after_a_refusal(api: ApiClient) -> None:
    assert api.post("/customers", {**NEW, "time_zone": "Nowhere"}, key="order-7").status_code == 400

    assert api.post("/customers", NEW, key="order-7").status_code == 201


def test_a_request_under_way_is_not_made_twice(api: ApiClient) -> None:
    api.post("/customers", NEW, key="order-7")
    IdempotencyRecord.objects.update(status=None, body=None)

    response = api.post("/customers", NEW, key="order-7")

    assert response.status_code == 409
    assert response.json()["code"] == "request_in_progress"
    assert Customer.objects.count() == 1


def test_a_key_is_forgotten_after_a_day(api: ApiClient, now: datetime) -> None:
    api.post("/customers", NEW, key="order-7")
    record = IdempotencyRecord.objects.get()
    IdempotencyRecord.objects.update(created_at=record.created_at - timedelta(hours=25))

    response = api.post("/customers", {**NEW, "name": "Second"}, key="order-7")

    assert response.status_code == 201
    assert Customer.objects.count() == 2


def test_pages_join_without_gap_or_repeat_while_rows_are_added(api: ApiClient) -> None:
    for number in range(5):
        make_customer(f"Customer {number}")
    first = api.get("/customers", limit="2").json()
    make_customer("Newcomer")

    second = api.get("/customers", limit="2", cursor=first["next_cursor"]).json()
    third = api.get("/customers", limit="2", cursor=second["next_cursor"]).json()

    names = [row["name"] for page in (first, second, third) for row in page["data"]]
    assert names == [f"Customer {number}" for number in (4, 3, 2, 1, 0)]
    assert third["next_cursor"] is None


def test_a_change_touches_only_what_is_given(api: ApiClient, brightwater: Customer) -> None:
    response = api.patch(f"/customers/{encode_id('cus', brightwater.pk)}", {"contact_name": "Bea"})

    assert response.status_code == 200
    brightwater.refresh_from_db()
    assert (brightwater.contact_name, brightwater.name) == ("Bea", "Brightwater")


@pytest.mark.parametrize("method", ["put", "delete"])
def test_other_methods_are_refused(api: ApiClient, brightwater: Customer, method: str) -> None:
    response = getattr(api.client, method)(f"/api/v1/customers/{encode_id('cus', brightwater.pk)}")

    assert response.status_code in (403, 405)
    assert Customer.objects.count() == 1
