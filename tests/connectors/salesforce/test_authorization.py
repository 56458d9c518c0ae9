"""The consent of a person at My Domain: tokens of a life nobody tells, a refresh token that stays good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from apps.connectors.sdk import machine_access, oauth2
from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.vendors.salesforce import SalesforceConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.keys import key_pair
from tests.connectors.salesforce.support import MANIFEST, SETTINGS

REDIRECT = "https://acme.localhost/oauth/callback"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(sandbox: RunningSandbox, account: str, control: AccountControl) -> oauth2.OAuth2App:
    control.credentials(client_id="app-1", client_secret="app-secret-1")
    settings = {"base_url": sandbox.base_url("salesforce", account)}
    return oauth2.OAuth2App.of(MANIFEST, settings=settings, client_id="app-1", client_secret="app-secret-1")


@pytest.fixture
def browser() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def tokens(app: oauth2.OAuth2App, browser: httpx2.Client) -> oauth2.TokenSet:
    verifier = oauth2.new_code_verifier()
    url = oauth2.authorization_url(app, redirect_uri=REDIRECT, state="st-1", verifier=verifier)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', browser.get(url).text))
    answer = browser.post(url, data={**fields, "decision": "allow"})
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    return oauth2.exchange_code(browser, app, code=code, redirect_uri=REDIRECT, verifier=verifier, now=NOW)


def org(sandbox: RunningSandbox, account: str, token: str) -> str:
    """The name of the org this token opens."""
    context = ConnectionContext(
        settings={"base_url": sandbox.base_url("salesforce", account), **SETTINGS},
        credentials={"access_token": token},
        now=lambda: NOW,
        allow_private=True,
    )
    return SalesforceConnector(context).check().account_name


def test_consent_at_my_domain_leads_to_a_working_connection(
    sandbox: RunningSandbox, account: str, app: oauth2.OAuth2App, tokens: oauth2.TokenSet
) -> None:
    assert app.authorize_url == sandbox.base_url("salesforce", account) + "/services/oauth2/authorize"
    assert org(sandbox, account, tokens.access_token) == f"{account.title()} Inc."
    assert tokens.scope == "api refresh_token"


def test_a_token_is_renewed_before_the_shortest_session_ends(
    sandbox: RunningSandbox, account: str, app: oauth2.OAuth2App, tokens: oauth2.TokenSet, browser: httpx2.Client
) -> None:
    first = oauth2.refresh_tokens(browser, app, refresh_token=tokens.refresh_token, now=NOW)
    second = oauth2.refresh_tokens(browser, app, refresh_token=first.refresh_token, now=NOW)

    assert tokens.expires_at == NOW + timedelta(minutes=15)
    assert second.expires_at == NOW + timedelta(minutes=15)
    assert first.refresh_token == tokens.refresh_token == second.refresh_token
    assert org(sandbox, account, second.access_token) == f"{account.title()} Inc."


def test_a_session_that_ended_asks_for_a_person(
    sandbox: RunningSandbox, account: str, control: AccountControl, tokens: oauth2.TokenSet
) -> None:
    control.clock((datetime.now(UTC) + timedelta(hours=3)).isoformat())

    with pytest.raises(ConfigurationError) as caught:
        org(sandbox, account, tokens.access_token)

    assert (caught.value.status, caught.value.code) == (401, "INVALID_SESSION_ID")


def test_a_client_of_the_customers_own_signs_for_a_user(
    sandbox: RunningSandbox, account: str, control: AccountControl, browser: httpx2.Client
) -> None:
    (private, public), (strange, _) = key_pair(), key_pair()
    control.credentials(client_id="consumer-1", username="sync@firm.example", certificate=public)
    now = datetime.now(UTC)

    def ask(when: datetime = now, **other: str) -> oauth2.TokenSet:
        settings = {
            "base_url": sandbox.base_url("salesforce", account), "access": "machine", "client_id": "consumer-1",
            "subject": "sync@firm.example", "audience": "https://login.salesforce.com",
        }  # fmt: skip
        given = {"private_key": private, **other}
        secrets = {"private_key": given.pop("private_key")}
        return machine_access.request_machine_tokens(
            browser, MANIFEST, settings={**settings, **given}, credentials=secrets, now=when
        )

    tokens = ask()

    assert org(sandbox, account, tokens.access_token) == f"{account.title()} Inc."
    assert (tokens.refresh_token, tokens.expires_at) == ("", now + timedelta(minutes=15))
    for wrong in (
        {"private_key": strange}, {"client_id": "consumer-2"}, {"subject": "else@firm.example"},
        {"audience": "https://test.salesforce.com"}, {"audience": sandbox.base_url("salesforce", account)},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError, match="expired or was revoked"):
            ask(**wrong)
    for when in (now - timedelta(minutes=4), now + timedelta(minutes=4)):
        with pytest.raises(ConfigurationError, match="expired or was revoked"):
            ask(when)


def test_the_statement_is_meant_for_salesforces_login_unless_the_connection_says_otherwise() -> None:
    machine = MANIFEST.oauth2.machine
    (field,) = [field for field in machine.config if field.key == "audience"]

    assert (machine.audience, field.default) == ("{audience}", "https://login.salesforce.com")
