from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import ApiKey
from apps.accounts.services import (
    ApiKeyRefused,
    UnableToCreateApiKey,
    authenticate_api_key,
    create_api_key,
    revoke_api_key,
)
from apps.audit.models import AuditEvent
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.core.planes import tenant_plane
from apps.tenants.models import Partner
from tests.accounts.conftest import PASSWORD


def make(actor: Actor, now: datetime, **options: object) -> tuple[ApiKey, str]:
    return create_api_key(actor=actor, now=now, **{"name": "Export", "scopes": ["runs.view"], **options})


def test_it_works(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    key, secret = make(owner_actor, now, scopes=["runs.view", "customers.view", "runs.view"])

    actor = authenticate_api_key(secret, now)

    assert (actor.kind, actor.id, actor.label) == (ActorKind.API_KEY, str(key.pk), "Export (API key)")
    assert (actor.permissions, actor.scope) == (frozenset({"runs.view", "customers.view"}), None)
    assert secret.startswith(f"pk_{key.prefix}_")
    hidden = secret.removeprefix(f"pk_{key.prefix}_")
    assert hidden not in str(ApiKey.objects.get().__dict__)
    event = AuditEvent.objects.get(action="api_key.created")
    assert hidden not in str(event.__dict__)


def test_a_key_of_one_customer_sees_that_one(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    customer = uuid4()
    _, secret = make(owner_actor, now, customer_id=customer)

    assert authenticate_api_key(secret, now).scope == frozenset({customer})


def test_a_key_is_void_at_another_partner_even_as_a_copied_row(partner, other_partner, owner_actor, now) -> None:
    key, secret = make(owner_actor, now)

    with tenant_plane(other_partner.schema_name):
        with pytest.raises(ApiKeyRefused):
            authenticate_api_key(secret, now)
        key.save(force_insert=True)
        with pytest.raises(ApiKeyRefused):
            authenticate_api_key(secret, now)
    assert authenticate_api_key(secret, now).id == str(key.pk)


@pytest.mark.parametrize("change", ["", "x", "pk__", "pk_00000000_secret", "sk_{rest}", "{raw}x", "pk_{prefix}_"])
def test_anything_else_is_refused_alike(partner: Partner, owner_actor: Actor, now: datetime, change: str) -> None:
    key, raw = make(owner_actor, now)
    wrong = change.format(raw=raw, rest=raw[3:], prefix=key.prefix)

    with pytest.raises(ApiKeyRefused) as refused:
        authenticate_api_key(wrong, now)
    assert refused.value.status == 401


def test_it_ends_when_revoked_or_expired(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    key, secret = make(owner_actor, now, expires_at=now + timedelta(days=30))

    assert authenticate_api_key(secret, now + timedelta(days=30, seconds=-1)).id == str(key.pk)
    with pytest.raises(ApiKeyRefused):
        authenticate_api_key(secret, now + timedelta(days=30))
    revoke_api_key(actor=owner_actor, now=now, key=key)
    with pytest.raises(ApiKeyRefused):
        authenticate_api_key(secret, now)


def test_its_use_is_noted_once_a_minute(partner: Partner, owner_actor: Actor, now: datetime) -> None:
    _, secret = make(owner_actor, now)
    for seconds, noted in [(0, 0), (30, 0), (60, 0), (61, 61)]:
        authenticate_api_key(secret, now + timedelta(seconds=seconds))
        assert ApiKey.objects.get().last_used_at == now + timedelta(seconds=noted)


@pytest.mark.parametrize(
    "field, options",
    [
        ("name", {"name": " "}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["team.manage"]}),
        ("scopes", {"scopes": ["customers.manage"], "customer_id": uuid4()}),
        ("expires_at", {"expires_at": datetime(2020, 1, 1).astimezone()}),
    ],
)
def test_what_does_not_fit_is_refused(partner, owner_actor: Actor, now: datetime, field: str, options: dict) -> None:
    with pytest.raises(UnableToCreateApiKey) as refused:
        make(owner_actor, now, **options)

    assert refused.value.field == field
    assert ApiKey.objects.count() == 0


def test_a_key_cannot_do_more_than_its_maker(partner: Partner, now: datetime) -> None:
    maker = Actor(ActorKind.USER, "m", "Max", frozenset({"keys.manage", "runs.view"}), scope=None)

    with pytest.raises(UnableToCreateApiKey, match="more than you can"):
        make(maker, now, scopes=["runs.view", "billing.view"])
    with pytest.raises(NotPermitted):
        make(Actor(ActorKind.USER, "n", "Nora", frozenset({"runs.view"}), scope=None), now)


def test_the_page_shows_the_secret_once(partner: Partner, make_staff, now: datetime) -> None:
    make_staff()
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/accounts/login/", {"login": "olive@acme.example", "password": PASSWORD})

    made = browser.post("/manage/settings/api-keys/new/", {"name": "Export", "scopes": ["runs.view"], "lifetime": "30"})

    body = made.content.decode()
    with tenant_plane("p_acme"):
        key = ApiKey.objects.get()
        assert (key.expires_at - key.created_at) == timedelta(days=30)
    assert f"pk_{key.prefix}_" in body
    assert "no-store" in made["Cache-Control"]
    listing = browser.get("/manage/settings/api-keys/").content.decode()
    assert f"pk_{key.prefix}_… · by Olive" in listing

    browser.post(f"/manage/settings/api-keys/{key.pk}/revoke/")
    assert "Revoked" in browser.get("/manage/settings/api-keys/").content.decode()
