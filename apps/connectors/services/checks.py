"""Proving that a connection works: when it is made, when a person asks, and every hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.types import CheckResult
from apps.connectors.services.circuit import note_circuit_success
from apps.connectors.services.deliveries import sweep_deliveries
from apps.connectors.services.notices import mail_end_of_access
from apps.connectors.services.opening import open_for_check
from apps.connectors.services.status import change_status, lock_connection, note_connection_failure
from apps.core.actor import Actor, system_actor
from apps.core.errors import NotVisible
from apps.dispatch.services import cancel, complete, reschedule, schedule

CHECK_KIND = "connectors.check"
CHECK_EVERY = timedelta(hours=1)
RECHECK_DEGRADED_EVERY = timedelta(minutes=5)
JITTER_SECONDS = 600
WARN_AHEAD = (timedelta(days=14), timedelta(days=3))


def check_connection(*, actor: Actor, now: datetime, connection: Connection) -> Connection:
    """This function will ask the vendor who we are and set the connection's status to what it learned.

    A failing check is an outcome, not an error: look at the returned connection's status and reason.
    """
    require_seen(actor, connection)
    try:
        result = open_for_check(connection).check()
    except ConnectorError as error:
        note_connection_failure(connection, error, now)
        Connection.objects.filter(pk=connection.pk).update(checked_at=now)
        connection.checked_at = now
        return connection
    return record_check(actor=actor, now=now, connection=connection, result=result)


@transaction.atomic
def record_check(*, actor: Actor, now: datetime, connection: Connection, result: CheckResult) -> Connection:
    """This function will store whose account answered and make the connection active (unless a person paused it)."""
    lock_connection(connection)
    connection.account_id, connection.account_name = result.account_id[:120], result.account_name[:200]
    connection.checked_at, connection.failure_count = now, 0
    connection.save(update_fields=["account_id", "account_name", "checked_at", "failure_count"])
    note_circuit_success(connection, now)
    if connection.archived_at is None and connection.status != ConnectionStatus.PAUSED:
        change_status(actor=actor, now=now, connection=connection, status=ConnectionStatus.ACTIVE)
    return connection


def require_seen(actor: Actor, connection: Connection) -> None:
    if not actor.sees(connection.customer_id):
        raise NotVisible("There is no such connection.")


def next_check_at(connection: Connection, now: datetime) -> datetime:
    """Spread by the connection's id, so that a thousand connections made at once are not checked at once."""
    every = RECHECK_DEGRADED_EVERY if connection.status == ConnectionStatus.DEGRADED else CHECK_EVERY
    jitter = (connection.pk.int % JITTER_SECONDS) / JITTER_SECONDS - 0.5
    return now + every * (1 + jitter / 5)


def schedule_check(connection: Connection, now: datetime) -> None:
    schedule(kind=CHECK_KIND, key=str(connection.pk), due_at=next_check_at(connection, now), priority=8)


def cancel_check(connection: Connection) -> None:
    cancel(kind=CHECK_KIND, key=str(connection.pk))


@transaction.atomic
def warn_of_end(*, connection: Connection, now: datetime) -> bool:
    """This function will tell people two weeks and again three days before access ends; False when it was not time.

    `warned_for` remembers the moment the last warning was about to come due, so each stage is told once.
    """
    credential = Credential.objects.select_for_update().filter(connection=connection).first()
    if credential is None or credential.access_ends_at is None:
        return False
    due = [credential.access_ends_at - ahead for ahead in WARN_AHEAD if credential.access_ends_at - ahead <= now]
    if not due or (credential.warned_for is not None and credential.warned_for >= max(due)):
        return False
    credential.warned_for = max(due)
    credential.save(update_fields=["warned_for"])
    mail_end_of_access(connection=connection, ends_at=credential.access_ends_at, now=now)
    return True


def run_scheduled_check(*, connection_id: UUID, now: datetime) -> None:
    """This function will check once and plan the next check; checks of what is paused or gone end here."""
    connection = Connection.objects.filter(pk=connection_id, archived_at=None).first()
    if connection is None or connection.status in (ConnectionStatus.PAUSED, ConnectionStatus.PENDING):
        complete(kind=CHECK_KIND, key=str(connection_id))
        return
    check_connection(actor=system_actor(), now=now, connection=connection)
    warn_of_end(connection=connection, now=now)
    sweep_deliveries(connection=connection, now=now)
    reschedule(kind=CHECK_KIND, key=str(connection_id), due_at=next_check_at(connection, now), priority=8)
