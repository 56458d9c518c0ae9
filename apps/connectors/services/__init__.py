"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.connectors.services.checks import check_connection, run_scheduled_check
from apps.connectors.services.connections import (
    archive_connection,
    create_connection,
    pause_connection,
    resume_connection,
    update_connection,
)
from apps.connectors.services.inputs import UnableToConnect
from apps.connectors.services.opening import ConnectionUnusable, open_connector
from apps.connectors.services.status import note_connection_failure, note_connection_success

__all__ = [
    "ConnectionUnusable",
    "UnableToConnect",
    "archive_connection",
    "check_connection",
    "create_connection",
    "note_connection_failure",
    "note_connection_success",
    "open_connector",
    "pause_connection",
    "resume_connection",
    "run_scheduled_check",
    "update_connection",
]
