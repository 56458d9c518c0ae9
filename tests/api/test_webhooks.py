"""Endpoints and their deliveries over the API."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.accounts.policies import API_SCOPES, PARTNER_WIDE_SCOPES
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.events.models import IdempotencyRecord
from apps.notifications.models import WebhookDelivery, WebhookEndpoint
from apps.notifications.services import endpoints
from tests.api.conftest import ApiClient, make_key
from tests.notifications.conftest import happen

URL = "https://hooks.example.com/in"


def test_an_endpoint_is_added_changed_paused_and_removed(api: ApiClient) -> None:
    made = api.post("/webhook-endpoints", {"url": URL, "events": ["opportunity.won"], "description": "Warehouse"})

    assert made.status_code == 201
    body = made.json()
    assert (body["url"], body["events"], body["status"], body["customer"]) == (URL, ["opportunity.won"], "active", None)
    assert body["secret"].startswith("whsec_")
    path = f"/webhook-endpoints/{body['id']}"
    assert "secret" not in api.get(path).json()
    assert api.patch(path, {"events": []}).json()["events"] == []
    assert api.post(f"{path}/pause").json()["status"] == "paused"
    assert api.post(f"{path}/test").status_code == 409
    assert api.post(f"{path}/resume").json()["status"] == "active"
    assert [row["id"] for row in api.get("/webhook-endpoints").json()["data"]] == [body["id"]]
    assert api.client.delete(f"/api/v1{path}").status_code == 204
    assert WebhookEndpoint.objects.count() == 0


def test_bad_input_is_refused(api: ApiClient) -> None:
    for given, pointer in (
        ({"url": "nowhere"}, "/url"),
        ({"url": "https://name:word@example.com/"}, "/url"),
        ({"url": URL, "events": ["deal.won"]}, "/events"),
    ):
        answer = api.post("/webhook-endpoints", given)
        assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])
    assert WebhookEndpoint.objects.count() == 0


def test_a_secret_is_told_once_even_to_a_repeated_request(api: ApiClient) -> None:
    first, again = (api.post("/webhook-endpoints", {"url": URL}, key="k").json() for _ in range(2))

    assert (again["id"], again["secret"]) == (first["id"], None)
    assert first["secret"] not in str(IdempotencyRecord.objects.get().body)
    path = f"/webhook-endpoints/{first['id']}/rotate"
    rotated, repeated = (api.post(path, {"overlap_hours": 0}, key="r").json() for _ in range(2))
    assert rotated["secret"] != first["secret"]
    assert repeated == {"secret": None}


def test_deliveries_are_read_and_sent_again(api: ApiClient, now: datetime) -> None:
    endpoint = api.post("/webhook-endpoints", {"url": URL}).json()
    message_id = happen(now)
    WebhookDelivery.objects.update(status="failed", next_at=None, last_error="Answered 500.")
    path = f"/webhook-endpoints/{endpoint['id']}"

    listed = api.get(f"{path}/deliveries", status="failed").json()["data"]

    assert [(row["message_id"], row["event_type"]) for row in listed] == [(message_id, "billing.invoice.paid")]
    assert api.get(f"{path}/deliveries", status="odd").status_code == 400
    assert api.get(f"{path}/deliveries", event="opportunity.won").json()["data"] == []
    detail = api.get(f"/webhook-deliveries/{listed[0]['id']}").json()
    assert (detail["log"], detail["body"][:31]) == ([], '{"type":"billing.invoice.paid",')
    assert api.post(f"/webhook-deliveries/{listed[0]['id']}/replay").json()["status"] == "waiting"
    assert api.post(f"{path}/replay", {"statuses": ["waiting"]}).status_code == 400
    WebhookDelivery.objects.update(status="delivered")
    assert api.post(f"{path}/replay", {}).json() == {"deliveries": 0}
    assert api.post(f"{path}/replay", {"statuses": ["delivered"]}).json() == {"deliveries": 1}


def test_a_customers_key_has_endpoints_of_its_own(
    api: ApiClient, bound: ApiClient, brightwater: Customer, stranger: Customer
) -> None:
    foreign = api.post("/webhook-endpoints", {"url": URL}).json()["id"]

    own = bound.post("/webhook-endpoints", {"url": URL}).json()

    assert own["customer"] == encode_id("cus", brightwater.pk)
    assert [row["id"] for row in bound.get("/webhook-endpoints").json()["data"]] == [own["id"]]
    assert bound.get(f"/webhook-endpoints/{foreign}").status_code == 404
    other = {"url": URL, "customer": encode_id("cus", stranger.pk)}
    assert bound.post("/webhook-endpoints", other).status_code == 404
    assert bound.post("/webhook-endpoints", {"url": URL, "events": ["customers.customer.created"]}).status_code == 400


def test_a_customers_key_takes_no_room_of_the_partners(
    api: ApiClient, bound: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_OF_A_CUSTOMER", 1)
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1)

    answers = [client.post("/webhook-endpoints", {"url": URL}).status_code for client in (bound, bound, api, api)]

    assert answers == [201, 400, 201, 400]


def test_scopes_are_asked_for(owner_actor: Actor, now: datetime, api: ApiClient) -> None:
    assert {"webhooks.view", "webhooks.manage"} <= set(API_SCOPES) - PARTNER_WIDE_SCOPES
    reader = ApiClient(make_key(owner_actor, now, scopes=["webhooks.view"])[1])

    assert reader.get("/webhook-endpoints").status_code == 200
    assert reader.post("/webhook-endpoints", {"url": URL}).status_code == 403
    assert WebhookEndpoint.objects.count() == 0
