"""Tokens for a client that proves itself, without a person: client credentials and signed statements (RFC 7523).

    tokens = request_machine_tokens(client, manifest, settings=connection.settings, credentials=secrets, now=now)

Such tokens come without a refresh token; when they end, the client asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx2
import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.manifest import ConnectorManifest, Grant, MachineAccess
from apps.connectors.sdk.oauth2 import OAuth2App, TokenSet, endpoint, new_state, request_tokens

ACCESS = "access"  # the setting that says which way a connection goes
MACHINE = "machine"
# Vendors accept statements of at most three to ten minutes.
STATEMENT_LIFETIME = timedelta(minutes=3)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def machine_access(manifest: ConnectorManifest, settings: Mapping[str, Any]) -> MachineAccess | None:
    """What the connection's settings chose; None where a person's consent is used."""
    if manifest.oauth2 is None or settings.get(ACCESS) != MACHINE:
        return None
    return manifest.oauth2.machine


def request_machine_tokens(
    client: httpx2.Client,
    manifest: ConnectorManifest,
    *,
    settings: Mapping[str, Any],
    credentials: Mapping[str, str],
    now: datetime,
) -> TokenSet:
    """Raises ConfigurationError when the vendor refuses the client or the private key cannot be read."""
    access = machine_access(manifest, settings)
    if access is None:
        raise ConfigurationError(f"{manifest.name} needs a person's consent.", code="no_machine_access")
    public = {"base_url": manifest.base_url, **{key: str(value) for key, value in settings.items() if value}}
    given = {**public, **credentials}
    app = _app(manifest, access, public, given)
    form = {"scope": " ".join(access.scopes)} if access.scopes else {}
    if access.grant is Grant.JWT_BEARER:
        form |= {"grant_type": _JWT_BEARER, "assertion": _statement(access, app, public, given, now)}
    else:
        form |= {"grant_type": "client_credentials"}
    if access.grant is Grant.CLIENT_ASSERTION:
        form |= {
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": _statement(access, app, public, given, now),
        }
    return request_tokens(client, app, form, now=now)


def _app(
    manifest: ConnectorManifest, access: MachineAccess, public: Mapping[str, str], given: Mapping[str, str]
) -> OAuth2App:
    app = OAuth2App.of(
        manifest, settings=public, client_id=given.get("client_id", ""), client_secret=given.get("client_secret", "")
    )
    if access.token_url:
        address = endpoint(access.token_url, base_url=public["base_url"], vendor_base_url=manifest.base_url)
        app = msgspec.structs.replace(app, token_url=_filled(address, public))
    if access.grant is Grant.CLIENT_CREDENTIALS:
        return app
    # The statement is the proof: no secret goes along.
    return msgspec.structs.replace(app, token_auth="none")  # noqa: S106 - the name of a method


def _statement(
    access: MachineAccess, app: OAuth2App, public: Mapping[str, str], given: Mapping[str, str], now: datetime
) -> str:
    """A signed JWT: who asks (`iss`), about whom (`sub`), for whom it is meant (`aud`), for three minutes, once."""
    claims: dict[str, Any] = {
        "iss": app.client_id,
        "sub": given.get("subject") or app.client_id,
        "aud": _filled(access.audience, public) if access.audience else app.token_url,
        "iat": int(now.timestamp()),
        "exp": int((now + STATEMENT_LIFETIME).timestamp()),
        "jti": new_state(),
    }
    if access.scopes:
        claims["scope"] = list(access.scopes)
    header = {"alg": access.algorithm, "typ": "JWT"} | ({"kid": given["key_id"]} if given.get("key_id") else {})
    try:
        key = jwk.import_key(given.get("private_key", ""), "EC" if access.algorithm.startswith("ES") else "RSA")
        return jwt.encode(header, claims, key, algorithms=[access.algorithm])
    except (JoseError, ValueError, TypeError):
        # `from None`: the failure may quote the key.
        raise ConfigurationError(
            "The private key cannot be read. Paste the whole PEM text, from -----BEGIN to the last line.",
            code="private_key",
        ) from None


def _filled(template: str, public: Mapping[str, str]) -> str:
    """Only from settings: a secret has no place in an address."""
    for key, value in public.items():
        template = template.replace(f"{{{key}}}", value)
    return template
