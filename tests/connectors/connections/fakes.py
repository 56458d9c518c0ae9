"""Two vendors that exist only here: one with an API key and one with OAuth 2. Both answer from memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    Grant,
    MachineAccess,
    OAuth2Spec,
    RateLimit,
    WebhookSpec,
)
from apps.connectors.sdk.types import CheckResult, WebhookEvent
from apps.connectors.sdk.webhooks import hmac_sha256_hex, require_signature, take_apart

GOOD_KEY = "key-good-1234567890"
BASE_URL = ConfigField(key="base_url", label="Address", default="https://ledger.example.com", kind="url")


class Ledger(Connector):
    """Asks for an API key; `failure` makes every check fail, `opened` counts checks."""

    manifest: ClassVar[ConnectorManifest] = ConnectorManifest(
        key="ledger",
        name="Ledger",
        domain=Domain.ERP,
        description="A test vendor.",
        evidence=Evidence.SIMULATED,
        evidence_note="In memory.",
        auth=AuthKind.API_KEY,
        base_url="https://ledger.example.com",
        config=(
            BASE_URL,
            ConfigField(key="team", label="Team number", kind="integer", required=False),
            ConfigField(key="api_key", label="API key", secret=True),
        ),
        streams=(),
        sinks=(),
        rate_limit=RateLimit(calls=100, seconds=10, per_day=1000),
        webhook=WebhookSpec(scope="connection", signature_header="x-signature", streams=("accounts",)),
    )
    stream_types: ClassVar[Mapping[str, Any]] = {}
    sink_types: ClassVar[Mapping[str, Any]] = {}
    failure: ClassVar[ConnectorError | None] = None
    opened: ClassVar[int] = 0

    def check(self) -> CheckResult:
        type(self).opened += 1
        self.context.acquire()
        if self.failure is not None:
            raise self.failure
        if self.context.credentials.get("api_key") != GOOD_KEY:
            key = self.context.credentials.get("api_key")
            raise ConfigurationError(f"the key {key} is not known", status=401)
        return CheckResult(account_id="acct-1", account_name="Initech Books")

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        require_signature(expected=hmac_sha256_hex(secret, body), given=headers.get("x-signature", ""))
        return take_apart(body, lambda data: [_event(entry) for entry in data["events"]])


def _event(entry: dict[str, str]) -> WebhookEvent:
    return WebhookEvent(
        event_id=entry["id"], account_id=entry.get("account", ""), stream=entry["stream"], external_id=entry["object"]
    )


class Cloud(Connector):
    """Asks for a consent; its webhooks belong to the app."""

    manifest: ClassVar[ConnectorManifest] = ConnectorManifest(
        key="cloud",
        name="Cloud",
        domain=Domain.BILLING,
        description="A test vendor.",
        evidence=Evidence.SIMULATED,
        evidence_note="In memory.",
        auth=AuthKind.OAUTH2,
        base_url="https://cloud.example.com",
        config=(ConfigField(key="base_url", label="Address", default="https://cloud.example.com", kind="url"),),
        streams=(),
        sinks=(),
        rate_limit=RateLimit(calls=60, seconds=60),
        oauth2=OAuth2Spec(
            authorize_url="{base_url}/authorize",
            token_url="{base_url}/token",
            scopes=("read", "write"),
            unused_days=60,
            machine=MachineAccess(
                grant=Grant.CLIENT_ASSERTION,
                audience="{base_url}/audience",
                scopes=("read",),
                algorithm="PS256",
                config=(
                    ConfigField(key="client_id", label="Client id"),
                    ConfigField(key="key_id", label="Certificate id"),
                    ConfigField(key="private_key", label="Private key", secret=True, kind="multiline"),
                ),
            ),
        ),
        webhook=WebhookSpec(scope="app", signature_header="x-signature", streams=("invoices",)),
    )
    stream_types: ClassVar[Mapping[str, Any]] = {}
    sink_types: ClassVar[Mapping[str, Any]] = {}
    seen_tokens: ClassVar[list[str]] = []

    def check(self) -> CheckResult:
        token = self.context.credentials.get("access_token", "")
        type(self).seen_tokens.append(token)
        if not token:
            raise ConfigurationError("The connection is not authorized yet.", code="not_authorized")
        return CheckResult(account_id="org-1", account_name="Initech Cloud")

    verify_webhook = Ledger.verify_webhook


FAKES: dict[str, type[Connector]] = {"cloud": Cloud, "ledger": Ledger}
