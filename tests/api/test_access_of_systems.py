"""The partner's apps at vendors and mailed links, without a page: secrets go in and never come out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest

from apps.connectors.models import Connection, ConnectLink, OAuthApp
from apps.connectors.selectors import list_oauth_apps
from apps.connectors.services import save_oauth_app
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.core.actor import Actor
from apps.core.errors import NotPermitted
from apps.core.ids import encode_id
from apps.customers.models import Customer
from apps.notifications.models import OutgoingMail
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_connection

APP = {"client_id": "app-1", "client_secret": "s3cret-of-ours", "webhook_secret": "h00k-of-ours"}


@pytest.fixture
def connection(brightwater: Customer) -> Connection:
    return make_connection(brightwater, "hubspot")


def links_of(connection: Connection) -> str:
    return f"/connections/{encode_id('con', connection.pk)}/connect-links"


def test_an_app_is_entered_and_its_addresses_are_told(api: ApiClient) -> None:
    made = api.put("/oauth-apps/xero", APP)

    app = OAuthApp.objects.get(vendor="xero")
    told = made.json()
    assert made.status_code == 200
    assert told == {
        "vendor": "xero", "client_id": "app-1", "has_webhook_secret": True,
        "redirect_uri": "http://acme.localhost/oauth/callback",
        "webhook_url": f"http://acme.localhost/hooks/{app.webhook_token}/",
        "updated_at": app.updated_at.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert api.get("/oauth-apps/xero").json() == told
    assert api.get("/oauth-apps").json()["data"] == [told]
    assert not [secret for secret in list(APP.values())[1:] if secret in made.content.decode()]
    opened = open_oauth_app("xero")
    assert opened is not None
    assert (opened.client_secret, opened.webhook_secret) == ("s3cret-of-ours", "h00k-of-ours")


def test_a_secret_that_is_left_out_stays(api: ApiClient) -> None:
    api.put("/oauth-apps/xero", APP)

    api.put("/oauth-apps/xero", {"client_id": "app-2"})

    opened = open_oauth_app("xero")
    assert opened is not None
    assert (opened.client_id, opened.client_secret, opened.webhook_secret) == (
        "app-2",
        "s3cret-of-ours",
        "h00k-of-ours",
    )


@pytest.mark.parametrize(
    ("vendor", "body", "status", "pointer"),
    [
        ("xero", {"client_id": "app-1"}, 400, "/client_secret"), ("redmine", APP, 400, "/vendor"),
        ("nowhere", APP, 400, "/vendor"), ("xero", {}, 400, "/client_id"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_app_is_refused(api: ApiClient, vendor: str, body: object, status: int, pointer: str) -> None:
    refused = api.put(f"/oauth-apps/{vendor}", body)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (status, pointer)
    assert api.get(f"/oauth-apps/{vendor}").status_code == 404


def test_a_customers_key_knows_no_app(bound: ApiClient) -> None:
    assert bound.get("/oauth-apps").status_code == 403
    assert bound.put("/oauth-apps/xero", APP).status_code == 403


def test_whoever_sees_one_customer_changes_no_app(owner_actor: Actor, brightwater: Customer, now: datetime) -> None:
    bound = replace(owner_actor, scope=frozenset({brightwater.pk}))

    with pytest.raises(NotPermitted, match="serve all customers"):
        save_oauth_app(actor=bound, now=now, vendor="xero", client_id="app-1", client_secret="s3cret-of-ours")
    with pytest.raises(NotPermitted, match="serve all customers"):
        list_oauth_apps(bound)


def test_a_link_is_mailed_once_for_each_key_and_shows_no_token(api: ApiClient, connection: Connection) -> None:
    body = {"email": "it@brightwater.example", "message": "As administrator, please."}

    first, again = (api.post(links_of(connection), body, key="k1") for _ in range(2))

    assert (first.status_code, again.json()) == (201, first.json())
    link, mail = ConnectLink.objects.get(), OutgoingMail.objects.get(kind="connectors.connect_link")
    assert first.json()["id"] == encode_id("cnl", link.pk)
    token = re.search(r"/connect/([^/\s]+)/", mail.text)
    assert token is not None
    assert token[1] not in first.content.decode() + api.get(links_of(connection)).content.decode()
    told = api.get(links_of(connection)).json()["data"]
    assert [(row["email"], row["sent_by"], row["withdrawn_at"]) for row in told] == [
        ("it@brightwater.example", "Robot (API key)", None)
    ]


def test_a_link_is_withdrawn(api: ApiClient, connection: Connection, now: datetime) -> None:
    made = api.post(links_of(connection), {"email": "it@brightwater.example"}).json()

    withdrawn = api.post(f"{links_of(connection)}/{made['id']}/withdraw")

    assert (withdrawn.status_code, withdrawn.json()["withdrawn_at"] is not None) == (200, True)
    assert ConnectLink.objects.exclude(withdrawn_at=None).count() == 1


def test_links_of_another_customer_are_not_there(bound: ApiClient, api: ApiClient, stranger: Customer) -> None:
    foreign = make_connection(stranger, "hubspot")
    made = api.post(links_of(foreign), {"email": "it@stranger.example"}).json()

    asked = (
        bound.get(links_of(foreign)),
        bound.post(links_of(foreign), {"email": "x@y.example"}),
        bound.post(f"{links_of(foreign)}/{made['id']}/withdraw"),
    )

    assert [answer.status_code for answer in asked] == [404, 404, 404]
    assert ConnectLink.objects.filter(withdrawn_at=None).count() == 1
