"""A customer's administrator connects a system again, by consent or by key; nobody else can."""

from __future__ import annotations

import pytest

from apps.connectors import registry
from apps.connectors.models import Connection, ConnectionStatus, Credential, PendingAuthorization
from apps.connectors.services import save_oauth_app
from apps.connectors.services.credentials import open_credential
from apps.core.actor import Actor
from tests.browsing import Browser
from tests.connectors.connections.fakes import FAKES, GOOD_KEY
from tests.factories.delivery import make_connection
from tests.factories.world import World
from tests.functional.conftest import SignIn


@pytest.fixture(autouse=True)
def vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry.connectors(), **FAKES}
    monkeypatch.setattr(registry, "connectors", lambda: known)


def waiting(world: World, vendor: str) -> Connection:
    made = make_connection(world.customer, vendor, name=f"Our {vendor}", status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    made.account_id = {"ledger": "acct-1", "cloud": "org-1"}[vendor]
    made.save(update_fields=["account_id"])
    return made


@pytest.fixture
def app(harbor: World, owner_actor: Actor, now: object) -> None:
    save_oauth_app(
        actor=owner_actor, now=now, vendor="cloud", client_id="our-app", client_secret="app-secret-123456",
        webhook_secret="hook-secret-123456",
    )  # type: ignore[arg-type]  # fmt: skip


def test_a_new_key_is_checked_and_kept(harbor: World, browse: SignIn) -> None:
    connection = waiting(harbor, "ledger")
    address = f"/connections/{connection.pk}/"

    response = browse(harbor.admin).post(f"{address}secrets/", {"api_key": GOOD_KEY})

    assert (response.status_code, response["Location"]) == (302, address)
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.ACTIVE
    assert open_credential(Credential.objects.get(connection=connection)) == {"api_key": GOOD_KEY}


def test_a_wrong_key_is_said_at_its_field_and_replaces_nothing(harbor: World, browse: SignIn) -> None:
    connection = waiting(harbor, "ledger")

    response = browse(harbor.admin).post(f"/connections/{connection.pk}/secrets/", {"api_key": "wrong-key-123"})

    assert response.status_code == 422
    assert "refused these credentials" in response.content.decode()
    assert "wrong-key-123" not in response.content.decode()
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert Credential.objects.filter(connection=connection).count() == 0


def test_consent_sends_the_browser_to_the_vendor(harbor: World, app: None, browse: SignIn) -> None:
    connection = waiting(harbor, "cloud")
    address = f"/connections/{connection.pk}/authorize/"

    plain = browse(harbor.admin).post(address)
    scripted = browse(harbor.admin).post(address, headers={"HX-Request": "true"})

    assert plain.status_code == 200
    assert "/oauth/start?to=" in plain.content.decode()
    assert scripted.status_code == 204
    assert "client_id=our-app" in browse(harbor.admin).get(scripted["HX-Redirect"])["Location"]
    told = Browser().get(scripted["HX-Redirect"])
    assert told.status_code == 200
    assert "Continue only if you began this yourself" in told.content.decode()
    pending = PendingAuthorization.objects.filter(connection=connection)
    assert set(pending.values_list("return_path", flat=True)) == {f"/connections/{connection.pk}/"}


def test_without_the_partners_app_the_reason_is_told(harbor: World, browse: SignIn) -> None:
    connection = waiting(harbor, "cloud")
    browser = browse(harbor.admin)

    response = browser.post(f"/connections/{connection.pk}/authorize/")

    assert (response.status_code, response["Location"]) == (302, f"/connections/{connection.pk}/")
    assert "cannot be connected yet: we have to finish its setup." in browser.get(response["Location"]).content.decode()
    assert PendingAuthorization.objects.count() == 0


@pytest.mark.parametrize("step", ["authorize", "secrets"])
def test_viewers_and_strangers_change_nothing(
    harbor: World, stranger: World, app: None, browse: SignIn, step: str
) -> None:
    connection = waiting(harbor, "ledger" if step == "secrets" else "cloud")
    address, given = f"/connections/{connection.pk}/{step}/", {"api_key": GOOD_KEY}

    answers = [
        browse(harbor.viewer).post(address, given).status_code,
        browse(stranger.admin).post(address, given).status_code,
        Browser().post(address, given).status_code,
    ]

    assert answers == [403, 404, 302]
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.NEEDS_REAUTHORIZATION
    assert PendingAuthorization.objects.count() == Credential.objects.filter(connection=connection).count() == 0


def test_a_viewer_is_told_who_can(harbor: World, browse: SignIn) -> None:
    connection = waiting(harbor, "ledger")

    body = browse(harbor.viewer).get(f"/connections/{connection.pk}/").content.decode()

    assert "An administrator of your team can connect it" in body
    assert 'name="api_key"' not in body


def test_stored_secrets_and_settings_are_never_shown(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.admin).get(f"/connections/{harbor.connections['delivery'].pk}/").content.decode()

    assert "old-key-123456" not in body
    assert "redmine.example.com" not in body
