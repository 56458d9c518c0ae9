"""The circuit breaker of a connection, shared by all workers: a system that keeps failing is left alone for a while.

Closed: calls pass, failures in a row are counted. Open: nothing is called until `circuit_until`. Half open: that moment
has passed, and whoever comes first makes one call for all (it moves `circuit_until` ahead, so that nobody else does).
A good answer closes the circuit, a bad one opens it again for longer. Costs nothing while all is well: the state is part
of the connection's row, which is written on failures only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.connectors.models import Connection, ConnectionStatus
from apps.connectors.sdk.errors import ConnectorError, RateLimited, TransientError
from apps.connectors.services.opening import open_for_check
from apps.connectors.services.status import change_status, lock_connection, note_connection_failure
from apps.core.actor import system_actor
from apps.events.services import record_event

CIRCUIT_OPENED = "connectors.connection.circuit_opened"
CIRCUIT_CLOSED = "connectors.connection.circuit_closed"
OPENS_AFTER = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# Longer than a check may take: a worker that dies while it tries leaves the circuit half open again.
PROBE_LEASE = timedelta(seconds=60)


class CircuitOpen(TransientError):
    """The system is left alone until `until`."""

    def __init__(self, connection: Connection, until: datetime) -> None:
        super().__init__(f"{connection.name} does not answer; it is left alone for a while", code="circuit_open")
        self.until = until


@transaction.atomic
def note_circuit_failure(connection: Connection, error: ConnectorError, now: datetime) -> datetime | None:
    """This function will count a failed call; returns until when the system is left alone, if it is."""
    if isinstance(error, RateLimited) or not isinstance(error, TransientError):
        return None
    lock_connection(connection)
    connection.circuit_failures = min(connection.circuit_failures + 1, 10_000)
    if connection.circuit_state(now) == "open":
        connection.save(update_fields=["circuit_failures"])
        return connection.circuit_until
    if connection.circuit_until is None and connection.circuit_failures < OPENS_AFTER:
        connection.save(update_fields=["circuit_failures"])
        return None
    return _open(connection, error, now)


def _open(connection: Connection, error: ConnectorError, now: datetime) -> datetime:
    until: datetime = now + min(FIRST_WAIT * 2 ** min(connection.circuit_trips, 10), LONGEST_WAIT)
    is_news = connection.circuit_opened_at is None
    connection.circuit_trips = min(connection.circuit_trips + 1, 100)
    connection.circuit_opened_at, connection.circuit_until = connection.circuit_opened_at or now, until
    connection.save(update_fields=["circuit_failures", "circuit_trips", "circuit_opened_at", "circuit_until"])
    if connection.is_usable:
        reason = f"It failed {connection.circuit_failures} times in a row: {error.message}"
        change_status(
            actor=system_actor(), now=now, connection=connection, status=ConnectionStatus.DEGRADED, reason=reason
        )
    if is_news:
        _tell(CIRCUIT_OPENED, connection, now)
    return until


@transaction.atomic
def note_circuit_success(connection: Connection, now: datetime) -> None:
    """This function will close the circuit and forget the failures. Costs nothing while there are none."""
    if connection.circuit_failures == 0 and connection.circuit_until is None:
        return
    lock_connection(connection)
    was_open = connection.circuit_opened_at is not None
    connection.circuit_failures = connection.circuit_trips = 0
    connection.circuit_opened_at = connection.circuit_until = None
    connection.save(update_fields=["circuit_failures", "circuit_trips", "circuit_opened_at", "circuit_until"])
    if was_open and connection.status == ConnectionStatus.DEGRADED:
        change_status(actor=system_actor(), now=now, connection=connection, status=ConnectionStatus.ACTIVE)
    if was_open:
        _tell(CIRCUIT_CLOSED, connection, now)


def pass_circuit(connection: Connection, now: datetime) -> None:
    """This function will let calls pass, after one that tries the system out where the circuit is half open.

    Raises CircuitOpen, or the ConfigurationError that the trial met. Not to be called inside a transaction.
    """
    if connection.circuit_until is None or not connection.is_usable:
        return
    if connection.circuit_until > now:
        raise CircuitOpen(connection, connection.circuit_until)
    lease = now + PROBE_LEASE
    mine = Connection.objects.filter(pk=connection.pk, circuit_until=connection.circuit_until)
    if not mine.update(circuit_until=lease):
        # Somebody else tries it out, or did so by now.
        known = Connection.objects.get(pk=connection.pk)
        if known.circuit_until is not None:
            raise CircuitOpen(connection, known.circuit_until)
        return
    connection.circuit_until = lease
    _try_out(connection, now)


def _try_out(connection: Connection, now: datetime) -> None:
    try:
        open_for_check(connection).check()
    except TransientError as error:
        raise CircuitOpen(connection, _failed_trial(connection, error, now)) from error
    except ConnectorError as error:
        # It answers, and says that a person must act: that is no matter of waiting any more.
        note_circuit_success(connection, now)
        note_connection_failure(connection, error, now)
        raise
    note_circuit_success(connection, now)


@transaction.atomic
def _failed_trial(connection: Connection, error: TransientError, now: datetime) -> datetime:
    lock_connection(connection)
    connection.circuit_failures = min(connection.circuit_failures + 1, 10_000)
    if isinstance(error, RateLimited):
        until = now + timedelta(seconds=max(error.retry_after, 1))
        connection.circuit_until = until
        connection.save(update_fields=["circuit_until"])
        return until
    return _open(connection, error, now)


def _tell(name: str, connection: Connection, now: datetime) -> None:
    record_event(
        name=name,
        subject_key=connection.subject_key,
        payload={
            "connection_id": str(connection.pk),
            "customer_id": str(connection.customer_id),
            "environment_id": str(connection.environment_id),
            "vendor": connection.vendor,
        },
        now=now,
    )
