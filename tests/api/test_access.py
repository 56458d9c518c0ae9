"""Who may call what, and how refusals read."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from apps.accounts.models import ApiKey
from apps.accounts.services import revoke_api_key
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.tenants.models import Partner
from tests.api.conftest import ApiClient, make_key
from tests.browsing import Browser


def test_it_works(api: ApiClient, brightwater: Customer) -> None:
    response = api.get("/customers")

    assert response.status_code == 200
    assert [row["name"] for row in response.json()["data"]] == ["Brightwater"]


def test_without_a_key_one_is_asked_for_one(partner: Partner) -> None:
    response = ApiClient().get("/customers")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "not_authenticated"


def test_a_key_of_one_partner_is_void_at_another(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    _, secret = make_key(owner_actor, now)

    response = ApiClient(secret, host="globex.localhost").get("/customers")

    assert response.status_code == 401


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_address_with_nothing_behind_it_says_so_to_every_method(partner: Partner, method: str) -> None:
    machine = Browser()
    machine.handler.enforce_csrf_checks = True

    response = getattr(machine, method)("/api/v1/customers/")

    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("change", ["revoked", "expired"])
def test_a_dead_key_is_refused(partner: Partner, owner_actor: Actor, now: datetime, change: str) -> None:
    key, secret = make_key(owner_actor, now)
    if change == "revoked":
        revoke_api_key(actor=owner_actor, now=now, key=key)
    else:
        ApiKey.objects.filter(pk=key.pk).update(expires_at=now - timedelta(days=400))

    assert ApiClient(secret).get("/customers").status_code == 401


def test_a_missing_scope_is_named(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    _, secret = make_key(owner_actor, now, scopes=["runs.view"])

    response = ApiClient(secret).post("/customers", {"name": "Initech"})

    assert response.status_code == 403
    assert "customers.manage" in response.json()["detail"]
    assert Customer.objects.count() == 0


def test_a_customers_key_sees_that_customer_only(bound: ApiClient, brightwater: Customer, stranger: Customer) -> None:
    listed = bound.get("/customers").json()["data"]

    assert [row["id"] for row in listed] == [encode_id("cus", brightwater.pk)]
    assert bound.get(f"/customers/{encode_id('cus', stranger.pk)}").status_code == 404


NOBODY = UUID(int=7)
MISSING = [
    "/customers/cus_123",
    f"/customers/{encode_id('inv', NOBODY)}",
    f"/invoices/{encode_id('inv', NOBODY)}",
    "/no",
]


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_a_problem_too(api: ApiClient, path: str) -> None:
    response = api.get(path)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


def test_bad_input_points_at_the_field(api: ApiClient) -> None:
    response = api.post("/customers", {"name": "", "currency": "euro"})

    assert response.status_code == 400
    assert sorted(error["pointer"] for error in response.json()["errors"]) == ["/currency", "/name"]


def test_broken_json_is_bad_input(api: ApiClient) -> None:
    response = api.client.post("/api/v1/customers", b"{", content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] == "parse_error"


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "!!"}])
def test_bad_paging_is_refused(api: ApiClient, query: dict[str, str]) -> None:
    assert api.get("/customers", **query).status_code == 400


CHOICES = [
    ("/approvals", "status"), ("/exceptions", "status"), ("/failures", "status"), ("/failures", "error_class"),
    ("/legacy-interfaces", "status"), ("/match-questions", "status"), ("/merge-plans", "source"), ("/records", "entity"),
    ("/customers/{customer}/configuration", "environment"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name"), CHOICES)
def test_a_choice_that_is_none_is_refused_by_name(api: ApiClient, brightwater: Customer, path: str, name: str) -> None:
    place = path.format(customer=encode_id("cus", brightwater.pk))

    for choice in ("odd", ""):
        refused = api.get(place, **{name: choice})
        assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (400, [f"/{name}"])
    assert api.get(place).status_code == 200


def test_a_parameter_that_is_none_is_not_passed_over(api: ApiClient) -> None:
    listed, made = (
        api.get("/approvals", state="open", limit="1"),
        api.post("/customers?dry=1", {"name": "Brightwater"}),
    )

    assert (listed.status_code, made.status_code, Customer.objects.count()) == (400, 400, 0)
    assert [error for answer in (listed, made) for error in answer.json()["errors"]] == [
        {
            "pointer": "/state",
            "code": "invalid",
            "detail": "There is no such parameter. Use one of cursor, customer, limit, status.",
        },
        {"pointer": "/dry", "code": "invalid", "detail": "There is no such parameter. This address takes none."},
    ]


def test_a_key_holder_begins_at_the_index(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    _, secret = make_key(owner_actor, now, scopes=["sla.view"])

    found = ApiClient(secret).get("/")

    assert (found.status_code, found.json()) == (
        200,
        {
            "docs": "http://acme.localhost/api/v1/docs",
            "openapi": "http://acme.localhost/api/v1/openapi.json",
            "key": "Robot (API key)",
            "scopes": ["sla.view"],
        },
    )
    assert ApiClient().get("/").status_code == 401
