"""Consent at Intuit, against the simulator: the redirect names the company, the refresh token rotates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from apps.connectors.sdk import oauth2
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.vendors.quickbooks import QuickBooksConnector
from apps.connectors.vendors.quickbooks.manifest import MANIFEST
from sandbox.quickbooks.company import realm_of

REDIRECT = "https://acme.localhost/oauth/callback"


@pytest.fixture
def app(server, control):
    control.credentials(client_id="app-1", client_secret="secret-1")
    settings = {"base_url": server.base_url("quickbooks", "acme")}
    return oauth2.OAuth2App.of(MANIFEST, settings=settings, client_id="app-1", client_secret="secret-1")


@pytest.fixture
def browser():
    with httpx2.Client(trust_env=False) as client:
        yield client


def consent(browser, app, verifier):
    """Open the page, agree, and return the query of the redirect."""
    url = oauth2.authorization_url(app, redirect_uri=REDIRECT, state="st-1", verifier=verifier)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', browser.get(url).text))
    answer = browser.post(url, data={**fields, "decision": "allow"})
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_consent_leads_to_a_working_connection(server, app, browser):
    verifier = oauth2.new_code_verifier()
    answer = consent(browser, app, verifier)
    given = {"redirect_uri": REDIRECT, "verifier": verifier, "now": datetime.now(UTC)}
    tokens = oauth2.exchange_code(browser, app, code=answer["code"], **given)
    connector = QuickBooksConnector(
        ConnectionContext(
            settings={"base_url": server.base_url("quickbooks", "acme"), "realm_id": answer["realmId"]},
            credentials={"access_token": tokens.access_token},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )

    found = connector.check()

    assert (found.account_id, found.account_name) == (realm_of("acme"), "Acme Company")
    renewed = oauth2.refresh_tokens(browser, app, refresh_token=tokens.refresh_token, now=datetime.now(UTC))
    assert renewed.refresh_token not in ("", tokens.refresh_token)
    with pytest.raises(ConfigurationError) as caught:
        oauth2.refresh_tokens(browser, app, refresh_token=tokens.refresh_token, now=datetime.now(UTC))
    assert caught.value.code == "invalid_grant"


def test_without_an_override_intuit_is_asked():
    app = oauth2.OAuth2App.of(MANIFEST, settings={}, client_id="a", client_secret="b")

    assert app.authorize_url == "https://appcenter.intuit.com/connect/oauth2"
    assert app.token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert "com.intuit.quickbooks.accounting" in app.scopes
