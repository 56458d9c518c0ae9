"""From a stored connection to a connector that can talk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from uuid import UUID

from django.conf import settings as django_settings

from apps.connectors import budget, slots
from apps.connectors.models import Connection
from apps.connectors.outbound import hosts_to_call
from apps.connectors.pushed_records import PushedRecords
from apps.connectors.registry import get_connector, get_manifest
from apps.connectors.sdk.connector import ConnectionContext, Connector, HttpExchange
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.manifest import RateLimit
from apps.connectors.services.tokens import current_credentials
from apps.connectors.stored_files import StoredFiles
from apps.core import clock

Observer = Callable[[HttpExchange], None]
# So many calls of one run at one system at once, at most.
MOST_AT_ONCE = 4


class Limits:
    """What a connection may do at its vendor, as one conversation sees it."""

    def __init__(self, connection_id: UUID, limit: RateLimit) -> None:
        self.connection_id = connection_id
        self.limit = limit
        self.used_today = (date.min, 0)

    @classmethod
    def of(cls, connection: Connection) -> Limits:
        return cls(connection.pk, get_manifest(connection.vendor).rate_limit)

    def acquire(self) -> None:
        day, used = self.used_today
        used = used if day == clock.now().date() else 0
        budget.acquire(self.connection_id, self.limit, used_today=used)

    def slot(self) -> AbstractContextManager[None]:
        return slots.hold(self.connection_id, self.limit)

    def note_remaining(self, remaining: int) -> None:
        """The vendor's word goes into the shared books with the next call."""
        self.used_today = (clock.now().date(), max(0, (self.limit.per_day or 0) - remaining))


class ConnectionUnusable(ConfigurationError):
    """The connection is paused, archived or waits for a person: no call is made at all."""


def ignore_exchange(exchange: HttpExchange) -> None:
    return None


def may_call_beside(vendor: str) -> bool:
    """Whether threads may call: not where a call needs the database, which is the run's own thread's alone.

    Without Redis the budget's books are there, too.
    """
    return bool(budget.redis_url()) and get_connector(vendor).speaks_http_only


def calls_at_once(vendor: str) -> int:
    """How many calls one run may have under way: half of what the vendor allows, so that others find a place."""
    if not may_call_beside(vendor):
        return 1
    allowed = get_manifest(vendor).rate_limit.concurrent
    return MOST_AT_ONCE if allowed is None else max(1, min(MOST_AT_ONCE, allowed // 2))


def open_connector(connection: Connection, *, observe: Observer = ignore_exchange) -> Connector:
    """A connector with opened secrets and, for OAuth 2, a token that is good for two minutes at least.

    Call it outside of transactions: it may refresh the token, which has to be committed before it is used.
    Raises ConnectionUnusable, ConfigurationError (a person must act), TransientError or RateLimited.
    """
    if not connection.is_usable:
        reason = connection.status_reason or connection.get_status_display()
        raise ConnectionUnusable(
            f"The connection {connection.name} is not in use: {reason}", code="connection_unusable"
        )
    return open_for_check(connection, observe=observe)


def open_for_check(connection: Connection, *, observe: Observer = ignore_exchange) -> Connector:
    """Like `open_connector`, whatever the connection's status."""
    return build_connector(connection, current_credentials(connection), observe=observe, limits=Limits.of(connection))


def build_connector(
    connection: Connection,
    credentials: Mapping[str, str],
    *,
    observe: Observer = ignore_exchange,
    limits: Limits | None = None,
    kind: type[Connector] | None = None,
) -> Connector:
    """A connector over these credentials; `kind` stands in for what the connection's vendor names."""
    context = ConnectionContext(
        settings=connection.settings,
        credentials=credentials,
        now=clock.now,
        observe=observe,
        allow_private=django_settings.OUTBOUND_ALLOW_PRIVATE,
        allowed_hosts=hosts_to_call(),
        files=StoredFiles(connection.pk),
        pushed=PushedRecords(connection.pk),
    )
    if limits is not None:
        context.acquire, context.slot, context.note_remaining = limits.acquire, limits.slot, limits.note_remaining
    return (kind or get_connector(connection.vendor))(context)
