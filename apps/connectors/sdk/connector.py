"""The base class of every connector and what it is built from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from apps.connectors.sdk.fields import FieldDescription
from apps.connectors.sdk.files import FileStore
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.pushed import PushedStore
from apps.connectors.sdk.types import CheckResult, Sink, Stream, WebhookEvent
from apps.connectors.sdk.webhooks import ForgedWebhook


class HttpExchange(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor call as logged: no header values, no secrets; bodies redacted by the caller."""

    method: str
    url: str
    status: int | None
    duration_ms: int
    request_bytes: int = 0
    response_bytes: int = 0
    error: str = ""
    attempt: int = 1


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's first call to a hook address: the secret it will sign with, and the headers it wants back."""

    secret: str
    answer: dict[str, str]


class ConnectionContext(msgspec.Struct, kw_only=True):
    """Everything a connector may know of its connection.

    `credentials` are the opened secrets (api key, or access_token for OAuth 2; a token about to expire has already been
    refreshed by the caller). `observe` is called once per vendor call. `acquire` blocks, or raises `RateLimited`, until the
    connection's shared rate budget admits one more call; `slot` is held while a call is under way (or raises the same);
    `note_remaining` is told how many calls the vendor says are left of the day. `allow_private` lifts the SSRF guard for simulators and tests;
    `allowed_hosts`, where not empty, are the only ones that may be called. `files` are what was uploaded for it,
    `pushed` what its system sent.
    """

    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    now: Callable[[], datetime]
    observe: Callable[[HttpExchange], None] = lambda exchange: None
    acquire: Callable[[], None] = lambda: None
    slot: Callable[[], AbstractContextManager[None]] = nullcontext
    note_remaining: Callable[[int], None] = lambda remaining: None
    allow_private: bool = False
    allowed_hosts: tuple[str, ...] = ()
    files: FileStore | None = None
    pushed: PushedStore | None = None


class Connector(ABC):
    """One authorised conversation with one vendor account."""

    manifest: ClassVar[ConnectorManifest]
    stream_types: ClassVar[Mapping[str, Callable[[Any], Stream]]]
    sink_types: ClassVar[Mapping[str, Callable[[Any], Sink]]]
    hook_status: ClassVar[int] = 200  # what a stored delivery is answered with
    speaks_http_only: ClassVar[bool] = True  # False where it reads or writes what we keep in the database

    def __init__(self, context: ConnectionContext) -> None:
        self.context = context

    @abstractmethod
    def check(self) -> CheckResult:
        """Prove that the credentials work (even where the vendor answers as anonymous). Raises ConfigurationError."""

    def close(self) -> None:
        """Give up kept-alive connections. Connectors that hold a client override this."""
        return

    def describe(self, name: str) -> list[FieldDescription]:
        """The fields of a stream's object as the vendor tells them, custom ones too; none where it tells nothing."""
        return []

    def stream(self, name: str) -> Stream:
        return self.stream_types[name](self)

    def sink(self, name: str) -> Sink:
        return self.sink_types[name](self)

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """The events of a genuine delivery. Raises ForgedWebhook otherwise. Header names are lower case."""
        raise ForgedWebhook(f"{cls.manifest.key} sends no webhooks")

    @classmethod
    def webhook_handshake(cls, headers: Mapping[str, str]) -> Handshake | None:
        """What a delivery agrees on, with vendors that choose the secret themselves; None for a delivery of events.

        A connection may have several hooks of such a vendor, each with a secret of its own: `verify_webhook` gets them
        separated by line breaks.
        """
        return None
