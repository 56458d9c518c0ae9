"""Access tokens that are always good: refreshed ahead of their end, once, however many workers need them.

Vendors that rotate refresh tokens end the old one on use. So exactly one worker refreshes, under the connection's row
lock, and commits the new pair before anyone uses it; the others wait for the lock and find the token fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from apps.connectors.models import Connection, Credential
from apps.connectors.outbound import outbound_client
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.machine_access import machine_access, request_machine_tokens
from apps.connectors.sdk.manifest import AuthKind
from apps.connectors.sdk.oauth2 import OAuth2App, TokenSet, refresh_tokens
from apps.connectors.services.credentials import Secrets, find_credential, open_credential, store_secrets
from apps.connectors.services.oauth_apps import open_oauth_app
from apps.connectors.services.status import lock_connection
from apps.core import clock
from apps.core.http import BlockedAddress

REFRESH_AHEAD = timedelta(minutes=2)
TOKEN_TIMEOUT_SECONDS = 15.0  # others wait for the row lock meanwhile


class LiveCredentials(Mapping[str, str]):
    """The secrets of an OAuth 2 connection; asking for a token that is about to expire refreshes it first.

    A run may last longer than its first token.
    """

    def __init__(self, connection: Connection, secrets: Secrets, expires_at: datetime | None) -> None:
        self._connection = connection
        self._secrets = secrets
        self._expires_at = expires_at

    def __getitem__(self, key: str) -> str:
        if key == "access_token" and is_expiring(self._expires_at, clock.now()):
            self._secrets, self._expires_at = refresh_if_expiring(self._connection)
        return self._secrets[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return repr(self._secrets)


def current_credentials(connection: Connection) -> Mapping[str, str]:
    """The opened secrets, with a fresh token. Raises ConfigurationError, TransientError or RateLimited."""
    credential = find_credential(connection)
    secrets = open_credential(credential)
    if credential is None or get_manifest(connection.vendor).auth is not AuthKind.OAUTH2:
        return secrets
    expires_at = credential.expires_at
    if is_expiring(expires_at, clock.now()):
        secrets, expires_at = refresh_if_expiring(connection)
    return LiveCredentials(connection, secrets, expires_at)


def is_expiring(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at - REFRESH_AHEAD <= now


def refresh_if_expiring(connection: Connection) -> tuple[Secrets, datetime | None]:
    """This function will return secrets with a fresh token, refreshing under the connection's row lock if still needed.

    `durable`: inside a larger transaction a later rollback would lose the rotated token for good.
    """
    with transaction.atomic(durable=True):
        lock_connection(connection)
        credential = find_credential(connection)
        secrets = open_credential(credential)
        now = clock.now()
        if credential is None or not is_expiring(credential.expires_at, now):
            return secrets, credential.expires_at if credential else None
        return _refresh(connection, credential, secrets, now)


def _refresh(
    connection: Connection, credential: Credential, secrets: Secrets, now: datetime
) -> tuple[Secrets, datetime | None]:
    if machine_access(get_manifest(connection.vendor), connection.settings):
        return _store_renewed(connection, secrets, fetch_machine_tokens(connection, secrets, now), now)
    if not secrets.get("refresh_token"):
        if credential.expires_at is not None and credential.expires_at > now:
            return secrets, None
        raise ConfigurationError("The authorization has expired. Authorize the connection again.", code="expired")
    app = vendor_app(connection)
    try:
        with outbound_client(timeout=TOKEN_TIMEOUT_SECONDS) as client:
            tokens = refresh_tokens(client, app, refresh_token=secrets["refresh_token"], now=now)
    except BlockedAddress as error:
        raise ConfigurationError(str(error), code="blocked_address") from None
    return _store_renewed(connection, secrets, tokens, now)


def _store_renewed(
    connection: Connection, secrets: Secrets, tokens: TokenSet, now: datetime
) -> tuple[Secrets, datetime | None]:
    renewed = with_tokens(secrets, tokens)
    store_tokens(connection, renewed, tokens, now)
    return renewed, tokens.expires_at


def store_tokens(connection: Connection, secrets: Secrets, tokens: TokenSet, now: datetime) -> None:
    """This function will keep tokens with their end and the end of the consent behind them, as far as it is known."""
    spec = get_manifest(connection.vendor).oauth2
    unused_days = spec.unused_days if spec and tokens.refresh_token else None
    store_secrets(
        connection=connection,
        secrets=secrets,
        now=now,
        expires_at=tokens.expires_at,
        access_ends_at=tokens.consent_ends_at or (now + timedelta(days=unused_days) if unused_days else None),
    )


def fetch_machine_tokens(connection: Connection, secrets: Mapping[str, str], now: datetime) -> TokenSet:
    """A token for a client that proves itself. Raises ConfigurationError, TransientError or RateLimited."""
    manifest = get_manifest(connection.vendor)
    try:
        with outbound_client(timeout=TOKEN_TIMEOUT_SECONDS) as client:
            return request_machine_tokens(client, manifest, settings=connection.settings, credentials=secrets, now=now)
    except BlockedAddress as error:
        raise ConfigurationError(str(error), code="blocked_address") from None


def with_tokens(secrets: Mapping[str, str], tokens: TokenSet) -> Secrets:
    return Secrets({**secrets, "access_token": tokens.access_token, "refresh_token": tokens.refresh_token})


def vendor_app(connection: Connection) -> OAuth2App:
    """Raises ConfigurationError when the partner has no app at this vendor yet."""
    manifest = get_manifest(connection.vendor)
    opened = open_oauth_app(connection.vendor)
    if opened is None:
        raise ConfigurationError(f"Enter your {manifest.name} app first (client id and secret).", code="no_app")
    return OAuth2App.of(
        manifest, settings=connection.settings, client_id=opened.client_id, client_secret=opened.client_secret
    )
