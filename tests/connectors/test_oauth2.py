"""OAuth 2 over a fake token endpoint: what is sent, what is understood, and what never leaks."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest

from apps.connectors.sdk import oauth2
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, RateLimited, TransientError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLIENT_SECRET = "s3cret-of-the-app"
APP = oauth2.OAuth2App(
    client_id="app-1",
    client_secret=CLIENT_SECRET,
    authorize_url="https://login.vendor.test/authorize",
    token_url="https://identity.vendor.test/token",
    scopes=("offline_access", "invoices"),
    token_auth="client_secret_basic",
)


class TokenEndpoint:
    """Answers every call with one response and keeps what was sent."""

    def __init__(self, response: httpx2.Response | Exception) -> None:
        self.response = response
        self.requests: list[httpx2.Request] = []
        self.client = httpx2.Client(transport=httpx2.MockTransport(self.answer))

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.requests[-1].content.decode()).items()}

    def refresh(self, app: oauth2.OAuth2App = APP) -> oauth2.TokenSet:
        return oauth2.refresh_tokens(self.client, app, refresh_token="old-refresh", now=NOW)


def test_authorization_url_carries_state_and_challenge():
    url = oauth2.authorization_url(APP, redirect_uri="https://p.test/oauth/callback", state="st", verifier="a" * 43)

    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://login.vendor.test/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["app-1"],
        "redirect_uri": ["https://p.test/oauth/callback"],
        "scope": ["offline_access invoices"],
        "state": ["st"],
        "code_challenge": ["ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"],
        "code_challenge_method": ["S256"],
    }


def test_code_challenge_matches_the_example_of_rfc_7636():
    assert (
        oauth2.code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_verifiers_and_states_do_not_repeat():
    assert len({oauth2.new_code_verifier() for _ in range(50)}) == 50
    assert len({oauth2.new_state() for _ in range(50)}) == 50
    assert 43 <= len(oauth2.new_code_verifier()) <= 128


def test_exchange_sends_code_and_verifier_with_basic_authentication():
    answer = {
        "access_token": "at",
        "refresh_token": "rt",
        "expires_in": 1800,
        "scope": "invoices",
        "token_type": "Bearer",
    }
    vendor = TokenEndpoint(httpx2.Response(200, json=answer))

    tokens = oauth2.exchange_code(
        vendor.client, APP, code="c0de", redirect_uri="https://p.test/cb", verifier="v3rifier", now=NOW
    )

    assert tokens == oauth2.TokenSet(
        access_token="at", refresh_token="rt", expires_at=NOW + timedelta(minutes=30), scope="invoices"
    )
    assert vendor.form == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://p.test/cb",
        "code_verifier": "v3rifier",
    }
    expected = "Basic " + b64encode(f"app-1:{CLIENT_SECRET}".encode()).decode()
    assert vendor.requests[0].headers["authorization"] == expected


def test_client_secret_post_sends_the_secret_in_the_form():
    vendor = TokenEndpoint(httpx2.Response(200, json={"access_token": "at", "refresh_token": "rt"}))
    app = oauth2.OAuth2App(
        client_id="app-1", client_secret=CLIENT_SECRET, authorize_url=APP.authorize_url, token_url=APP.token_url
    )

    tokens = vendor.refresh(app)

    assert vendor.form == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
        "client_id": "app-1",
        "client_secret": CLIENT_SECRET,
    }
    assert "authorization" not in vendor.requests[0].headers
    assert tokens.expires_at is None


def test_refresh_takes_the_rotated_token():
    vendor = TokenEndpoint(
        httpx2.Response(200, json={"access_token": "a2", "refresh_token": "r2", "expires_in": "1800"})
    )

    tokens = vendor.refresh()

    assert (tokens.access_token, tokens.refresh_token) == ("a2", "r2")
    assert tokens.expires_at == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("case", "answer", "minutes"),
    [
        ("silent vendor", {"access_token": "a2"}, 15),
        ("vendor that says", {"access_token": "a2", "expires_in": 1800}, 30),
    ],
)
def test_a_token_of_unknown_life_is_given_the_assumed_one(case, answer, minutes):
    app = msgspec.structs.replace(APP, lifetime_seconds=900)

    tokens = TokenEndpoint(httpx2.Response(200, json=answer)).refresh(app)

    assert tokens.expires_at == NOW + timedelta(minutes=minutes)


def test_refresh_keeps_the_old_token_where_none_is_sent():
    assert TokenEndpoint(httpx2.Response(200, json={"access_token": "a2"})).refresh().refresh_token == "old-refresh"


@pytest.mark.parametrize(
    ("case", "response", "expected", "code"),
    [
        ("revoked", httpx2.Response(400, json={"error": "invalid_grant"}), ConfigurationError, "invalid_grant"),
        ("bad app", httpx2.Response(401, json={"error": "invalid_client"}), ConfigurationError, "invalid_client"),
        ("html page", httpx2.Response(403, text="<html>no</html>"), ConfigurationError, "http_403"),
        ("down", httpx2.Response(503, text="upstream"), TransientError, "token_endpoint"),
        ("redirect", httpx2.Response(302, headers={"location": "/"}), FatalError, "token_endpoint"),
        ("no token", httpx2.Response(200, json={"token_type": "Bearer"}), FatalError, "token_format"),
        ("not json", httpx2.Response(200, text="ok"), FatalError, "token_format"),
        ("unreachable", httpx2.ConnectError("refused"), TransientError, "no_answer"),
    ],
)
def test_failures_become_the_right_error(case, response, expected, code):
    with pytest.raises(expected) as caught:
        TokenEndpoint(response).refresh()

    assert type(caught.value) is expected
    assert caught.value.code == code


def test_a_busy_token_endpoint_says_when_to_come_back():
    with pytest.raises(RateLimited) as caught:
        TokenEndpoint(httpx2.Response(429, headers={"retry-after": "17"})).refresh()

    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize(
    "response",
    [
        httpx2.Response(
            400, json={"error": "invalid_client", "error_description": f"got {CLIENT_SECRET}, old-refresh"}
        ),
        httpx2.Response(400, json={"error": CLIENT_SECRET}),
        httpx2.Response(500, text=CLIENT_SECRET),
        httpx2.ConnectError(f"while sending {CLIENT_SECRET}"),
    ],
)
def test_secrets_never_appear_in_errors(response):
    with pytest.raises(ConnectorError) as caught:
        TokenEndpoint(response).refresh()

    shown = f"{caught.value!r} {caught.value.message} {caught.value.code} {caught.value.__cause__!r}"
    assert CLIENT_SECRET not in shown
    assert "old-refresh" not in shown


def test_representations_hide_secrets():
    tokens = oauth2.TokenSet(access_token="at-1", refresh_token="rt-1")

    assert "at-1" not in repr(tokens)
    assert "rt-1" not in repr(tokens)
    assert CLIENT_SECRET not in repr(APP)


@pytest.mark.parametrize(
    ("case", "template", "base_url", "expected"),
    [
        ("placeholder", "{base_url}/oauth/token", "http://127.0.0.1:9/v/a", "http://127.0.0.1:9/v/a/oauth/token"),
        ("vendor's own", "https://login.v.test/auth", "https://api.v.test", "https://login.v.test/auth"),
        (
            "overridden",
            "https://login.v.test/connect/auth",
            "http://127.0.0.1:9/v/a/",
            "http://127.0.0.1:9/v/a/connect/auth",
        ),
    ],
)
def test_endpoints_follow_an_overridden_base_url(case, template, base_url, expected):
    assert oauth2.endpoint(template, base_url=base_url, vendor_base_url="https://api.v.test") == expected


def test_expiry_has_a_margin():
    tokens = oauth2.TokenSet(access_token="a", expires_at=NOW + timedelta(seconds=121))

    assert not tokens.is_expiring(NOW)
    assert tokens.is_expiring(NOW + timedelta(seconds=1))
