"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.connectors.services.authorizations import UnableToAuthorize, begin_authorization, complete_authorization
from apps.connectors.services.checks import check_connection, run_scheduled_check
from apps.connectors.services.connections import (
    archive_connection,
    create_connection,
    create_pending_connection,
    pause_connection,
    pause_connections_of,
    replace_secrets,
    resume_connection,
    update_connection,
)
from apps.connectors.services.deliveries import UnknownHook, handle_deliveries, receive_delivery
from apps.connectors.services.inputs import UnableToConnect
from apps.connectors.services.oauth_apps import UnableToSaveApp, save_oauth_app
from apps.connectors.services.opening import ConnectionUnusable, open_connector
from apps.connectors.services.status import note_connection_failure, note_connection_success

__all__ = [
    "ConnectionUnusable",
    "UnableToAuthorize",
    "UnableToConnect",
    "UnableToSaveApp",
    "UnknownHook",
    "archive_connection",
    "begin_authorization",
    "check_connection",
    "complete_authorization",
    "create_connection",
    "create_pending_connection",
    "handle_deliveries",
    "note_connection_failure",
    "note_connection_success",
    "open_connector",
    "pause_connection",
    "pause_connections_of",
    "receive_delivery",
    "replace_secrets",
    "resume_connection",
    "run_scheduled_check",
    "save_oauth_app",
    "update_connection",
]
