"""The whole OAuth 2 dance against the simulator, and what happens when tokens go bad."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from apps.connectors.sdk import oauth2
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError, TransientError
from apps.connectors.vendors.xero import XeroConnector
from apps.connectors.vendors.xero.manifest import MANIFEST
from tests.connectors.xero.support import connect

REDIRECT = "https://acme.localhost/oauth/callback"


@pytest.fixture
def app(server, control):
    control.credentials(client_id="app-1", client_secret="app-secret-1")
    settings = {"base_url": server.base_url("xero", "acme")}
    return oauth2.OAuth2App.of(MANIFEST, settings=settings, client_id="app-1", client_secret="app-secret-1")


@pytest.fixture
def browser():
    with httpx2.Client(trust_env=False) as client:
        yield client


def consent(browser, app, *, verifier, decision="allow"):
    """Open the page, press a button, and return the query of the redirect."""
    url = oauth2.authorization_url(app, redirect_uri=REDIRECT, state="st-1", verifier=verifier)
    page = browser.get(url)
    assert page.status_code == 200
    assert f'value="{decision}"' in page.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    answer = browser.post(url, data={**fields, "decision": decision})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT)
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def authorize(browser, app):
    verifier = oauth2.new_code_verifier()
    code = consent(browser, app, verifier=verifier)["code"]
    return oauth2.exchange_code(
        browser, app, code=code, redirect_uri=REDIRECT, verifier=verifier, now=datetime.now(UTC)
    )


def connector(server, tokens):
    return XeroConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("xero", "acme")},
            credentials={"access_token": tokens.access_token},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )


def test_consent_leads_to_a_working_connection(server, app, browser):
    tokens = authorize(browser, app)

    assert connector(server, tokens).check().account_name == "Acme Books"
    assert (
        tokens.scope == "offline_access accounting.contacts accounting.transactions accounting.settings.read projects"
    )
    assert timedelta(minutes=29) < tokens.expires_at - datetime.now(UTC) <= timedelta(minutes=30)


def test_denial_returns_to_the_application(app, browser):
    answer = consent(browser, app, verifier=oauth2.new_code_verifier(), decision="deny")

    assert answer == {"error": "access_denied", "state": "st-1"}


def test_addresses_follow_the_connection(server, app):
    assert app.authorize_url == server.base_url("xero", "acme") + "/identity/connect/authorize"
    assert app.token_url == server.base_url("xero", "acme") + "/connect/token"


def test_without_an_override_the_vendor_is_asked():
    app = oauth2.OAuth2App.of(MANIFEST, settings={}, client_id="a", client_secret="b")

    assert app.authorize_url == "https://login.xero.com/identity/connect/authorize"
    assert app.token_url == "https://identity.xero.com/connect/token"


def test_a_refresh_token_works_once_and_again_for_half_an_hour(server, app, browser):
    first, begun = authorize(browser, app), datetime.now(UTC)
    lost = oauth2.refresh_tokens(browser, app, refresh_token=first.refresh_token, now=datetime.now(UTC))
    server.control("xero", "acme").clock((begun + timedelta(minutes=20)).isoformat())
    second = oauth2.refresh_tokens(browser, app, refresh_token=first.refresh_token, now=datetime.now(UTC))
    assert lost.refresh_token != second.refresh_token

    server.control("xero", "acme").clock((begun + timedelta(minutes=31)).isoformat())
    with pytest.raises(ConfigurationError) as caught:
        oauth2.refresh_tokens(browser, app, refresh_token=first.refresh_token, now=datetime.now(UTC))
    third = oauth2.refresh_tokens(browser, app, refresh_token=second.refresh_token, now=datetime.now(UTC))

    assert caught.value.code == "invalid_grant"
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert connector(server, third).check().account_name == "Acme Books"


@pytest.mark.parametrize("wrong", ["verifier", "redirect", "reused code"])
def test_a_stolen_code_is_worthless(app, browser, wrong):
    verifier = oauth2.new_code_verifier()
    code = consent(browser, app, verifier=verifier)["code"]
    now = datetime.now(UTC)
    if wrong == "reused code":
        oauth2.exchange_code(browser, app, code=code, redirect_uri=REDIRECT, verifier=verifier, now=now)
    given = oauth2.new_code_verifier() if wrong == "verifier" else verifier
    redirect = "https://evil.test/cb" if wrong == "redirect" else REDIRECT

    with pytest.raises(ConfigurationError) as caught:
        oauth2.exchange_code(browser, app, code=code, redirect_uri=redirect, verifier=given, now=now)

    assert caught.value.code == "invalid_grant"


def test_a_wrong_application_secret_is_named_as_such(server, app, browser):
    tokens = authorize(browser, app)
    settings = {"base_url": server.base_url("xero", "acme")}
    stranger = oauth2.OAuth2App.of(MANIFEST, settings=settings, client_id="app-1", client_secret="guessed")

    with pytest.raises(ConfigurationError) as caught:
        oauth2.refresh_tokens(browser, stranger, refresh_token=tokens.refresh_token, now=datetime.now(UTC))

    assert caught.value.code == "invalid_client"


def test_an_identity_server_that_is_down_is_worth_another_try(control, app, browser):
    control.fault("status", status=503, path_prefix="/connect/token")

    with pytest.raises(TransientError):
        oauth2.refresh_tokens(browser, app, refresh_token="any", now=datetime.now(UTC))


def test_an_expired_access_token_needs_a_refresh(server, control, app, browser):
    tokens = authorize(browser, app)
    control.clock((datetime.now(UTC) + timedelta(minutes=31)).isoformat())

    with pytest.raises(ConfigurationError) as caught:
        connector(server, tokens).check()

    assert caught.value.status == 401
    assert tokens.access_token not in str(caught.value)


def test_seeded_tokens_need_no_browser(server, control, browser):
    connect(server, "acme")
    control.credentials(access_token="at-1", refresh_token="seed-1", client_id="app-1", client_secret="app-secret-1")
    settings = {"base_url": server.base_url("xero", "acme")}
    app = oauth2.OAuth2App.of(MANIFEST, settings=settings, client_id="app-1", client_secret="app-secret-1")

    tokens = oauth2.refresh_tokens(browser, app, refresh_token="seed-1", now=datetime.now(UTC))

    assert connector(server, tokens).check().account_name == "Acme Books"
    with pytest.raises(ConfigurationError):
        oauth2.refresh_tokens(browser, app, refresh_token="seed-1", now=datetime.now(UTC))
