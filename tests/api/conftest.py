from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.accounts.models import ApiKey
from apps.accounts.policies import API_SCOPES, PARTNER_WIDE_SCOPES
from apps.accounts.services import create_api_key
from apps.core.actor import Actor
from apps.customers.models import Customer
from apps.tenants.models import Partner
from tests.browsing import Browser
from tests.factories.delivery import make_customer


class ApiClient:
    """A machine with an API key at a partner's host."""

    def __init__(self, secret: str = "", host: str = "acme.localhost") -> None:
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        self.client = Browser(host, **headers)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1{path}", body or {}, content_type="application/json", headers=headers)

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(f"/api/v1{path}", body, content_type="application/json")

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(f"/api/v1{path}", body, content_type="application/json")


def make_key(owner: Actor, now: datetime, **fields: Any) -> tuple[ApiKey, str]:
    defaults: dict[str, Any] = {"name": "Robot", "scopes": sorted(API_SCOPES)}
    return create_api_key(actor=owner, now=now, **{**defaults, **fields})


@pytest.fixture
def api(partner: Partner, owner_actor: Actor, now: datetime) -> ApiClient:
    """A key with every scope, over all customers."""
    return ApiClient(make_key(owner_actor, now)[1])


@pytest.fixture
def brightwater(partner: Partner) -> Customer:
    return make_customer("Brightwater")


@pytest.fixture
def stranger(partner: Partner) -> Customer:
    return make_customer("Stranger")


@pytest.fixture
def bound(owner_actor: Actor, now: datetime, brightwater: Customer) -> ApiClient:
    """A key of the customer Brightwater."""
    scopes = sorted(set(API_SCOPES) - PARTNER_WIDE_SCOPES)
    return ApiClient(make_key(owner_actor, now, scopes=scopes, customer_id=brightwater.pk)[1])
