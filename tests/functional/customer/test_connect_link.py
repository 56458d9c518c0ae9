"""Somebody without an account gives access to their own system by a mailed link, once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.connectors import registry
from apps.connectors.models import Connection, ConnectionStatus, ConnectLink, Credential
from apps.connectors.sdk.oauth2 import TokenSet
from apps.connectors.services import (
    UnableToAuthorize,
    authorizations,
    begin_consent_by_link,
    complete_authorization,
    create_pending_connection,
    save_oauth_app,
    send_connect_link,
    withdraw_connect_link,
)
from apps.connectors.services.credentials import open_secrets
from apps.core import clock
from apps.core.actor import Actor
from apps.core.planes import tenant_plane
from apps.customers.models import EnvironmentKind
from apps.customers.selectors import get_environment
from apps.notifications.models import OutgoingMail
from tests.browsing import Browser
from tests.connectors.connections.fakes import FAKES, GOOD_KEY
from tests.factories.world import World, make_staff
from tests.functional.conftest import SignIn


@pytest.fixture(autouse=True)
def vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry.connectors(), **FAKES}
    monkeypatch.setattr(registry, "connectors", lambda: known)


def pending(world: World, actor: Actor, vendor: str) -> Connection:
    return create_pending_connection(
        actor=actor, now=clock.now(), environment=get_environment(world.customer, EnvironmentKind.PRODUCTION),
        vendor=vendor, name=f"Our {vendor}", settings={},
    )  # fmt: skip


def mailed_path(actor: Actor, connection: Connection) -> str:
    """The address in the newest mail."""
    send_connect_link(
        actor=actor, now=clock.now(), connection=connection, email="It@Customer.example", message="We begin on Monday."
    )
    mail = OutgoingMail.objects.filter(kind="connectors.connect_link").latest("created_at", "pk")
    assert (mail.recipient, mail.is_secret) == ("it@customer.example", True)
    found = re.search(r"https?://acme\.localhost[^/]*(/connect/\S+/)", mail.text)
    assert found
    return found[1]


def test_a_key_is_entered_by_the_customer_once(harbor: World, owner_actor: Actor) -> None:
    connection = pending(harbor, owner_actor, "ledger")
    path = mailed_path(owner_actor, connection)
    browser = Browser()

    page = browser.get(path).content.decode()
    refused = browser.post(path, {"api_key": "wrong-key-123"})
    accepted = browser.post(path, {"api_key": GOOD_KEY})
    after = browser.get(path)

    assert "We begin on Monday." in page
    assert (refused.status_code, accepted.status_code, accepted["Location"]) == (422, 302, path)
    assert "refused these credentials" in refused.content.decode()
    assert "wrong-key-123" not in refused.content.decode()
    assert (after.status_code, "Ledger is connected" in after.content.decode()) == (200, True)
    connection.refresh_from_db()
    assert (connection.status, connection.account_name) == (ConnectionStatus.ACTIVE, "Initech Books")
    assert open_secrets(connection) == {"api_key": GOOD_KEY}
    assert browser.post(path, {"api_key": GOOD_KEY}).status_code == 200
    assert Credential.objects.get(connection=connection).version == 1


def test_a_consent_begins_from_the_link(harbor: World, owner_actor: Actor) -> None:
    save_oauth_app(actor=owner_actor, now=clock.now(), vendor="cloud", client_id="our-app", client_secret="shh-123456")
    path = mailed_path(owner_actor, pending(harbor, owner_actor, "cloud"))

    sent = Browser().post(path, headers={"HX-Request": "true"})

    assert sent.status_code == 204
    assert sent["HX-Redirect"].startswith("http://acme.localhost/oauth/start?to=")


def test_a_withdrawn_link_also_ends_the_consent_it_began(
    harbor: World, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    save_oauth_app(actor=owner_actor, now=now, vendor="cloud", client_id="our-app", client_secret="shh-123456")
    connection = pending(harbor, owner_actor, "cloud")
    token = mailed_path(owner_actor, connection).split("/")[2]
    address = begin_consent_by_link(token=token, now=now, return_path="/")
    withdraw_connect_link(actor=owner_actor, now=now, link=connection.connect_links.get())
    granted = TokenSet(access_token="access-1", refresh_token="refresh-1")
    monkeypatch.setattr(authorizations, "exchange_code", lambda *args, **kwargs: granted)

    with pytest.raises(UnableToAuthorize, match="replaced or withdrawn"):
        complete_authorization(now=now, state=parse_qs(urlsplit(address).query)["state"][0], code="code-1")

    connection.refresh_from_db()
    assert (connection.status, connection.account_id) == (ConnectionStatus.PENDING, "")


def test_links_that_do_not_work_say_why(harbor: World, owner_actor: Actor) -> None:
    connection = pending(harbor, owner_actor, "ledger")
    replaced = mailed_path(owner_actor, connection)
    withdrawn = mailed_path(owner_actor, connection)
    withdraw_connect_link(actor=owner_actor, now=clock.now(), link=ConnectLink.objects.latest("created_at", "pk"))
    old = mailed_path(owner_actor, connection)
    ConnectLink.objects.filter(withdrawn_at=None, connection=connection).update(
        expires_at=clock.now() - timedelta(seconds=1)
    )

    answers = {path: Browser().post(path, {"api_key": GOOD_KEY}) for path in (replaced, withdrawn, old, "/connect/x/")}

    assert [answer.status_code for answer in answers.values()] == [410] * 4
    assert "was replaced or withdrawn" in answers[replaced].content.decode()
    assert "was replaced or withdrawn" in answers[withdrawn].content.decode()
    assert "older than a week" in answers[old].content.decode()
    assert "There is no such link" in answers["/connect/x/"].content.decode()
    assert Credential.objects.filter(connection=connection).count() == 0


def test_a_link_of_one_partner_is_unknown_at_another(harbor: World, other_partner: object, owner_actor: Actor) -> None:
    path = mailed_path(owner_actor, pending(harbor, owner_actor, "ledger"))

    with tenant_plane("p_globex"):
        answer = Browser(host="globex.localhost").get(path)

    assert answer.status_code == 410


def test_the_partner_asks_while_connecting(harbor: World, browse: SignIn, now: datetime) -> None:
    owner = browse(make_staff(now, "owner"))
    address = f"/manage/customers/{harbor.customer.pk}/connect/ledger/"

    missing = owner.post(address, {"name": "Books", "environment": "production", "given_by": "link"})
    asked = owner.post(
        address,
        {
            "name": "Books",
            "environment": "production",
            "given_by": "link",
            "email": "it@customer.example",
            "message": "",
        },
    )

    assert missing.context["form"].errors == {"email": ["Enter the address the link goes to."]}
    connection = Connection.objects.get(name="Books")
    assert asked["Location"] == f"/manage/connections/{connection.pk}/"
    assert (connection.status, connection.connect_links.get().email) == (
        ConnectionStatus.PENDING,
        "it@customer.example",
    )
    assert "A link is on its way to it@customer.example" in owner.get(asked["Location"]).content.decode()


def test_moment_of_use_is_kept(harbor: World, owner_actor: Actor, now: datetime) -> None:
    path = mailed_path(owner_actor, pending(harbor, owner_actor, "ledger"))

    with clock.moved_clock(clock.now()):
        Browser().post(path, {"api_key": GOOD_KEY})
        used = ConnectLink.objects.exclude(used_at=None).get()
        assert used.used_at == clock.now()
