"""OAuth 2 authorization-code flow with PKCE (RFC 6749, RFC 7636) as pure functions over an HTTP client.

Storage, locking and deciding when to refresh belong to the caller: vendors that rotate refresh tokens invalidate the old
one on use, so exactly one caller may refresh and must store the answer before anyone uses it.

    app = OAuth2App.of(manifest, settings=connection.settings, client_id=..., client_secret=...)
    verifier = new_code_verifier()                       # keep it beside `state` until the redirect comes back
    url = authorization_url(app, redirect_uri=..., state=..., verifier=verifier)
    tokens = exchange_code(client, app, code=..., redirect_uri=..., verifier=verifier, now=now)
    tokens = refresh_tokens(client, app, refresh_token=tokens.refresh_token, now=now)
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import msgspec

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited, TransientError
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.numbers import whole_number

DEFAULT_RETRY_AFTER_SECONDS = 60.0


class OAuth2App(msgspec.Struct, frozen=True, kw_only=True):
    """A registered OAuth client with the endpoints that apply to one connection."""

    client_id: str
    client_secret: str
    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    token_auth: str = "client_secret_post"  # noqa: S105 - the name of an RFC 6749 method, not a secret
    extra_authorize_params: dict[str, str] = {}
    lifetime_seconds: int | None = None

    @classmethod
    def of(
        cls, manifest: ConnectorManifest, *, settings: Mapping[str, Any], client_id: str, client_secret: str
    ) -> OAuth2App:
        """Raises ConfigurationError when the connector does not use OAuth 2."""
        spec = manifest.oauth2
        if spec is None:
            raise ConfigurationError(f"{manifest.name} does not use OAuth 2.", code="no_oauth2")
        base_url = str(settings.get("base_url") or manifest.base_url)
        return cls(
            client_id=client_id,
            client_secret=client_secret,
            authorize_url=filled(
                endpoint(spec.authorize_url, base_url=base_url, vendor_base_url=manifest.base_url), settings
            ),
            token_url=filled(endpoint(spec.token_url, base_url=base_url, vendor_base_url=manifest.base_url), settings),
            scopes=spec.scopes,
            token_auth=spec.token_auth,
            extra_authorize_params=spec.extra_authorize_params,
            lifetime_seconds=spec.lifetime_seconds,
        )

    def __repr__(self) -> str:
        return f"OAuth2App(client_id={self.client_id!r}, token_url={self.token_url!r})"


class TokenSet(msgspec.Struct, frozen=True, kw_only=True):
    """What the token endpoint granted.

    `expires_at` is None where the vendor does not say; `consent_ends_at` is when the refresh token itself ends.
    """

    access_token: str
    refresh_token: str = ""
    expires_at: datetime | None = None
    consent_ends_at: datetime | None = None
    scope: str = ""

    def is_expiring(self, now: datetime, *, margin_seconds: int = 120) -> bool:
        return self.expires_at is not None and self.expires_at - timedelta(seconds=margin_seconds) <= now

    def __repr__(self) -> str:
        return f"TokenSet(expires_at={self.expires_at!r}, scope={self.scope!r})"


def endpoint(template: str, *, base_url: str, vendor_base_url: str) -> str:
    """The address to use for a connection.

    `{base_url}` is filled in. A connection that overrides the vendor's base URL (a simulator, a regional host) keeps
    the path of a full address but leaves the vendor's hosts: a test connection must never talk to the real vendor.
    """
    base = base_url.rstrip("/")
    if "{base_url}" in template:
        return template.replace("{base_url}", base)
    if base == vendor_base_url.rstrip("/"):
        return template
    return base + urlsplit(template).path


def filled(address: str, settings: Mapping[str, Any]) -> str:
    """`{account}` and the like, where a vendor gives each customer a host of its own. Raises ConfigurationError."""
    for name in re.findall(r"\{(\w+)\}", address):
        value = str(settings.get(name) or "")
        # Anything else could turn the address into one of somebody else.
        if not re.fullmatch(r"[A-Za-z0-9-]{1,63}", value):
            raise ConfigurationError(f"{name} may have letters, digits and hyphens only", code=name)
        address = address.replace(f"{{{name}}}", value)
    return address


def new_code_verifier() -> str:
    return secrets.token_urlsafe(64)


def code_challenge(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def new_state() -> str:
    return secrets.token_urlsafe(32)


def authorization_url(app: OAuth2App, *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where to send the browser."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(app.scopes),
        "state": state,
        "code_challenge": code_challenge(verifier),
        "code_challenge_method": "S256",
        **app.extra_authorize_params,
    }
    separator = "&" if urlsplit(app.authorize_url).query else "?"
    return app.authorize_url + separator + urlencode(query)


def exchange_code(
    client: httpx2.Client, app: OAuth2App, *, code: str, redirect_uri: str, verifier: str, now: datetime
) -> TokenSet:
    """Turn the code of the redirect into tokens. Raises ConfigurationError when it was used, expired or forged."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return request_tokens(client, app, form, now=now)


def refresh_tokens(client: httpx2.Client, app: OAuth2App, *, refresh_token: str, now: datetime) -> TokenSet:
    """Renew the access token. The answer's refresh token replaces the old one; where the vendor sends none, it stays."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    tokens = request_tokens(client, app, form, now=now)
    return tokens if tokens.refresh_token else msgspec.structs.replace(tokens, refresh_token=refresh_token)


def request_tokens(client: httpx2.Client, app: OAuth2App, form: dict[str, str], *, now: datetime) -> TokenSet:
    """Ask the token endpoint, the app proving itself as `token_auth` says. Raises a ConnectorError."""
    headers = {"accept": "application/json"}
    if app.token_auth == "client_secret_basic":  # noqa: S105
        headers["authorization"] = _basic(app)
    else:
        form = {**form, "client_id": app.client_id}
        if app.token_auth == "client_secret_post":  # noqa: S105
            form["client_secret"] = app.client_secret
    try:
        response = client.post(app.token_url, data=form, headers=headers)
    except httpx2.TransportError as error:
        # `from None`: the failed request holds the client secret and must not travel with the error.
        raise TransientError(f"The token endpoint did not answer ({type(error).__name__}).", code="no_answer") from None
    _raise_for_status(response)
    return _parse_tokens(response, now=now, lifetime_seconds=app.lifetime_seconds)


def _basic(app: OAuth2App) -> str:
    """RFC 6749 §2.3.1: both parts form-encoded before they are joined."""
    pair = f"{quote_plus(app.client_id)}:{quote_plus(app.client_secret)}"
    return "Basic " + b64encode(pair.encode()).decode()


def _raise_for_status(response: httpx2.Response) -> None:
    status = response.status_code
    if status == 429:
        wait = whole_number(response.headers.get("retry-after", ""))
        seconds = DEFAULT_RETRY_AFTER_SECONDS if wait is None else wait
        raise RateLimited("The token endpoint asks to wait.", retry_after=seconds)
    if status >= 500:
        raise TransientError(f"The token endpoint answered {status}.", code="token_endpoint", status=status)
    if status >= 400:
        code = _error_code(response)
        raise ConfigurationError(
            _EXPLANATIONS.get(code, f"Authorization was refused ({code})."), code=code, status=status
        )
    if status != 200:
        raise FatalError(f"The token endpoint answered {status}.", code="token_endpoint", status=status)


_EXPLANATIONS = {
    "invalid_grant": "The authorization has expired or was revoked. Authorize the connection again.",
    "invalid_client": "The application's client id or secret was refused. Check the registered application.",
    "unauthorized_client": "The application may not use this kind of authorization. Check the registered application.",
}


def _error_code(response: httpx2.Response) -> str:
    """The RFC 6749 error code; never the description, which some vendors fill with what was sent."""
    body = _json(response)
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,64}", code) else f"http_{response.status_code}"


def _parse_tokens(response: httpx2.Response, *, now: datetime, lifetime_seconds: int | None) -> TokenSet:
    body = _json(response)
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise FatalError("The token endpoint answered without an access token.", code="token_format", status=200)
    return TokenSet(
        access_token=body["access_token"],
        refresh_token=str(body.get("refresh_token") or ""),
        expires_at=_moment({"expires_in": lifetime_seconds, **body}, "expires_in", now),
        consent_ends_at=next((found for name in _CONSENT_ENDS if (found := _moment(body, name, now))), None),
        scope=str(body.get("scope") or ""),
    )


LONGEST_LIFE_SECONDS = 10 * 365 * 86_400  # longer is for ever
# QuickBooks says the first (Intuit, "OAuth 2.0": x_refresh_token_expires_in), other servers one of the others.
_CONSENT_ENDS = ("x_refresh_token_expires_in", "refresh_token_expires_in", "refresh_expires_in")


def _moment(body: dict[str, Any], name: str, now: datetime) -> datetime | None:
    seconds = whole_number(str(body.get(name, "")))
    return now + timedelta(seconds=min(seconds, LONGEST_LIFE_SECONDS)) if seconds else None


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
