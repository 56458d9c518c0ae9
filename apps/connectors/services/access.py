"""Trying secrets at the vendor before they are stored, and storing them with what the trial brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, TransientError
from apps.connectors.sdk.machine_access import machine_access
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.connectors.sdk.oauth2 import TokenSet
from apps.connectors.sdk.redaction import redact
from apps.connectors.sdk.types import CheckResult
from apps.connectors.services.credentials import Secrets, find_credential, open_credential, store_secrets
from apps.connectors.services.inputs import UnableToConnect
from apps.connectors.services.opening import build_connector
from apps.connectors.services.tokens import fetch_machine_tokens, store_tokens, with_tokens

ADDRESS_CODES = frozenset({"blocked_address", "bad_address", "connection", "timeout", "address"})


@dataclass(frozen=True, slots=True)
class Access:
    """Secrets as entered; after the trial also the tokens they brought and whose account answered.

    `result` is None where only a person's consent can tell. `ends_at` is the end of a key's life, if it has one.
    """

    secrets: Secrets
    ends_at: datetime | None = None
    tokens: TokenSet | None = None
    result: CheckResult | None = None

    def store(self, connection: Connection, now: datetime) -> None:
        """This method will keep them in place of what was stored."""
        if self.tokens is not None:
            store_tokens(connection, with_tokens(self.secrets, self.tokens), self.tokens, now)
        else:
            store_secrets(connection=connection, secrets=self.secrets, now=now, access_ends_at=self.ends_at)

    def store_over(self, connection: Connection, now: datetime) -> None:
        """This method will keep them over what is stored, read again under the caller's lock.

        A token that was refreshed meanwhile must not be overwritten by the old one.
        """
        credential = find_credential(connection)
        if credential is None or self.tokens is not None:
            return replace(self, secrets=Secrets({**open_credential(credential), **self.secrets})).store(
                connection, now
            )
        is_new = bool(self.secrets)
        store_secrets(
            connection=connection,
            secrets={**open_credential(credential), **self.secrets},
            now=now,
            expires_at=None if "access_token" in self.secrets else credential.expires_at,
            access_ends_at=self.ends_at or (None if is_new else credential.access_ends_at),
        )
        return None


def try_access(connection: Connection, access: Access, now: datetime) -> Access:
    """This function will fetch the tokens of a client of its own, and ask the vendor whose account it is.

    Raises UnableToConnect, in words for the person who filled in the form.
    """
    manifest = get_manifest(connection.vendor)
    try:
        if machine_access(manifest, connection.settings):
            access = replace(access, tokens=fetch_machine_tokens(connection, access.secrets, now))
        secrets = with_tokens(access.secrets, access.tokens) if access.tokens else access.secrets
        if manifest.auth is AuthKind.OAUTH2 and "access_token" not in secrets:
            return access
        return replace(access, result=build_connector(connection, secrets).check())
    except ConnectorError as error:
        raise _explain(manifest, error, access.secrets) from None


def _explain(manifest: ConnectorManifest, error: ConnectorError, secrets: Mapping[str, str]) -> UnableToConnect:
    said = redact(error.message, secrets.values()).rstrip(".")
    keys = [field.key for field in manifest.config]
    address = next((key for key in ("base_url", "url", "host") if key in keys), "")
    first_secret = next(iter(secrets), "")
    if error.code == "host_key":
        return UnableToConnect(f"{said[:1].upper()}{said[1:]}.", field="host_key")
    if error.code in ADDRESS_CODES:
        return UnableToConnect(f"{manifest.name} could not be reached: {said}. Check the address.", field=address)
    if isinstance(error, TransientError):
        return UnableToConnect(f"{manifest.name} is not available right now: {said}. Try again in a few minutes.")
    if isinstance(error, ConfigurationError):
        return UnableToConnect(f"{manifest.name} refused these credentials: {said}.", field=first_secret or address)
    return UnableToConnect(f"{manifest.name} gave an unexpected answer: {said}. Check the address.", field=address)
