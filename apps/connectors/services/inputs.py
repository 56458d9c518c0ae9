"""What a person typed into a connection form, checked against the connector's manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from apps.connectors.sdk.machine_access import ACCESS, MACHINE, machine_access
from apps.connectors.sdk.manifest import AuthKind, ConfigField, ConnectorManifest
from apps.connectors.services.credentials import Secrets
from apps.core.errors import AnticipatedError

TOKENS = ("access_token", "refresh_token")
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name of a field


class UnableToConnect(AnticipatedError):
    """The connection cannot be made or changed like this; `field` names the input that has to change."""

    code = "unable_to_connect"


@dataclass(frozen=True, slots=True)
class ConnectionInput:
    settings: dict[str, Any]
    secrets: Secrets


def clean_input(
    manifest: ConnectorManifest,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    held: Collection[str] = (),
    later: bool = False,
) -> ConnectionInput:
    """Defaults filled in and every value checked. `held` are secrets stored before: left empty, they stay.

    With `later` nothing is demanded yet. Raises UnableToConnect. A secret among the settings is refused, never stored in the open.
    """
    fields = config_fields(manifest, settings)
    open_fields = [field for field in fields if not field.secret]
    secret_fields = [field for field in fields if field.secret]
    choice = {ACCESS: MACHINE} if machine_access(manifest, settings) else {}
    _refuse_unknown(manifest, settings, {field.key for field in open_fields} | {ACCESS})
    _refuse_unknown(manifest, secrets, {field.key for field in secret_fields} | set(_implied_secrets(manifest)))
    cleaned = {field.key: _clean(field, settings.get(field.key), may_miss=later) for field in open_fields} | choice
    given = {key: str(value).strip() for key, value in secrets.items()}
    for field in secret_fields:
        if field.required and not later and not given.get(field.key) and field.key not in held:
            raise UnableToConnect(f"Enter the {_lower(field.label)}.", field=field.key)
    return ConnectionInput(cleaned, Secrets({key: value for key, value in given.items() if value}))


def config_fields(manifest: ConnectorManifest, settings: Mapping[str, Any]) -> tuple[ConfigField, ...]:
    """All inputs of a connection, with those of the way of access that its settings choose."""
    access = machine_access(manifest, settings)
    return (*manifest.config, *access.config) if access else manifest.config


def clean_name(name: str) -> str:
    cleaned = name.strip()
    if not cleaned:
        raise UnableToConnect("Give the connection a name.", field="name")
    if len(cleaned) > 120:
        raise UnableToConnect("Use at most 120 characters for the name.", field="name")
    return cleaned


def _implied_secrets(manifest: ConnectorManifest) -> tuple[str, ...]:
    """Secrets that no form asks for: tokens come from a consent, a webhook secret from the vendor's hook page."""
    tokens = TOKENS if manifest.auth is AuthKind.OAUTH2 else ()
    return (*tokens, WEBHOOK_SECRET) if manifest.webhook else tokens


def _refuse_unknown(manifest: ConnectorManifest, given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise UnableToConnect(f"{manifest.name} has no such field: {unknown[0]}.", field=unknown[0])


def _clean(field: ConfigField, value: Any, *, may_miss: bool) -> Any:
    text = str(value if value is not None else "").strip() or field.default
    if not text:
        if field.required and not may_miss:
            raise UnableToConnect(f"Enter the {_lower(field.label)}.", field=field.key)
        return ""
    if field.kind == "url":
        return _clean_url(field, text)
    if field.kind == "integer":
        return _clean_integer(field, text)
    return text


def _clean_url(field: ConfigField, text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    schemes = ("https", "http") if django_settings.OUTBOUND_ALLOW_PRIVATE else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise UnableToConnect("Enter a whole address that starts with https://.", field=field.key)
    if parts.username or parts.password or parts.query or parts.fragment:
        # A password in the address would be stored, shown and logged in the open.
        raise UnableToConnect("Leave names, passwords and parameters out of the address.", field=field.key)
    return text.rstrip("/")


def _clean_integer(field: ConfigField, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UnableToConnect(f"Enter a whole number as {_lower(field.label)}.", field=field.key) from None


def _lower(label: str) -> str:
    """The label inside a sentence; an abbreviation (API key) keeps its capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
