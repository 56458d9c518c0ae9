"""What state a connection is in, and everybody who must know when that changes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RateLimited, TransientError
from apps.connectors.services.notices import mail_reauthorization
from apps.core.actor import Actor, system_actor
from apps.events.services import record_event

STATUS_CHANGED = "connectors.connection.status_changed"
FAILURES_BEFORE_DEGRADED = 3
UNUSABLE = "connection_unusable"
REASON_LENGTH = 500


def lock_connection(connection: Connection) -> None:
    """This function will lock the row until the transaction ends and read it again.

    Rows that refer to the connection may still be written meanwhile (hence FOR NO KEY UPDATE).
    """
    connection.refresh_from_db(from_queryset=Connection.objects.select_for_update(no_key=True))


@transaction.atomic
def change_status(
    *, actor: Actor, now: datetime, connection: Connection, status: ConnectionStatus, reason: str = ""
) -> bool:
    """This function will record the change, its event, its audit and its mail; False when nothing changed."""
    lock_connection(connection)
    before, reason = connection.status, reason[:REASON_LENGTH]
    connection.status, connection.status_reason = status, reason
    connection.save(update_fields=["status", "status_reason"])
    if before == status:
        return False
    change = {"from": str(before), "to": str(status), "reason": reason}
    event = record_event(
        name=STATUS_CHANGED,
        subject_key=connection.subject_key,
        payload={
            "connection_id": str(connection.pk),
            "customer_id": str(connection.customer_id),
            "environment_id": str(connection.environment_id),
            "vendor": connection.vendor,
            **change,
        },
        now=now,
    )
    record_change(
        actor=actor, now=now, target=connection, action="connection.status_changed",
        before={"status": str(before)}, after={"status": str(status), "reason": reason},
    )  # fmt: skip
    if status == ConnectionStatus.NEEDS_REAUTHORIZATION:
        mail_reauthorization(connection=connection, episode=event.pk, now=now)
    return True


@transaction.atomic
def note_connection_failure(connection: Connection, error: ConnectorError, now: datetime) -> None:
    """This function will draw the consequence of a failed call for the connection as a whole.

    A rejected record or a rate limit says nothing about the connection; a paused one stays as it is. So does one of
    which no use was made because of the reason it has already.
    """
    if error.code == UNUSABLE:
        return
    lock_connection(connection)
    if isinstance(error, RateLimited) or connection.archived_at or connection.status == ConnectionStatus.PAUSED:
        return
    if isinstance(error, ConfigurationError):
        _change(connection, ConnectionStatus.NEEDS_REAUTHORIZATION, error.message, now)
    elif isinstance(error, TransientError):
        connection.failure_count = min(connection.failure_count + 1, 1000)
        connection.save(update_fields=["failure_count"])
        if connection.failure_count >= FAILURES_BEFORE_DEGRADED and connection.is_usable:
            _change(connection, ConnectionStatus.DEGRADED, error.message, now)


@transaction.atomic
def note_connection_success(connection: Connection, now: datetime) -> None:
    """This function will forget earlier transient failures. Costs nothing while there are none."""
    if connection.failure_count == 0 and connection.status == ConnectionStatus.ACTIVE:
        return
    lock_connection(connection)
    connection.failure_count = 0
    connection.save(update_fields=["failure_count"])
    if connection.status == ConnectionStatus.DEGRADED:
        _change(connection, ConnectionStatus.ACTIVE, "", now)


def _change(connection: Connection, status: ConnectionStatus, reason: str, now: datetime) -> None:
    change_status(actor=system_actor(), now=now, connection=connection, status=status, reason=reason)
