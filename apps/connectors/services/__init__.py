"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.connectors.services.allowed_hosts import UnableToRestrict, set_allowed_hosts
from apps.connectors.services.authorizations import UnableToAuthorize, begin_authorization, complete_authorization
from apps.connectors.services.checks import check_connection, run_scheduled_check
from apps.connectors.services.circuit import CircuitOpen, note_circuit_failure, note_circuit_success, pass_circuit
from apps.connectors.services.connect_links import (
    begin_consent_by_link,
    connect_by_link,
    send_connect_link,
    withdraw_connect_link,
)
from apps.connectors.services.connections import (
    archive_connection,
    complete_connection,
    create_connection,
    create_pending_connection,
    pause_connection,
    pause_connections_of,
    resume_connection,
    update_connection,
)
from apps.connectors.services.custom_connectors import (
    MappedSample,
    UnableToDefine,
    archive_connector,
    check_definition,
    create_custom_connector,
    publish_connector,
    restore_version,
    save_draft,
    try_definition,
)
from apps.connectors.services.deliveries import UnknownHook, handle_deliveries, hook_status, receive_delivery
from apps.connectors.services.discovery import ObjectShape, discover_object
from apps.connectors.services.handshakes import accept_handshake
from apps.connectors.services.inputs import UnableToConnect
from apps.connectors.services.oauth_apps import UnableToSaveApp, save_oauth_app
from apps.connectors.services.opening import ConnectionUnusable, calls_at_once, may_call_beside, open_connector
from apps.connectors.services.status import note_connection_failure, note_connection_success
from apps.connectors.services.uploads import (
    FilePreview,
    FileState,
    UnableToUpload,
    discard_file,
    fetch_file,
    get_uploading,
    goes_out,
    preview_file,
    stage_file,
    state_of_file,
    take_file_over,
    uploads_of,
)

__all__ = [
    "CircuitOpen",
    "ConnectionUnusable",
    "FilePreview",
    "FileState",
    "MappedSample",
    "ObjectShape",
    "UnableToAuthorize",
    "UnableToConnect",
    "UnableToDefine",
    "UnableToRestrict",
    "UnableToSaveApp",
    "UnableToUpload",
    "UnknownHook",
    "accept_handshake",
    "archive_connection",
    "archive_connector",
    "begin_authorization",
    "begin_consent_by_link",
    "calls_at_once",
    "check_connection",
    "check_definition",
    "complete_authorization",
    "complete_connection",
    "connect_by_link",
    "create_connection",
    "create_custom_connector",
    "create_pending_connection",
    "discard_file",
    "discover_object",
    "fetch_file",
    "get_uploading",
    "goes_out",
    "handle_deliveries",
    "hook_status",
    "may_call_beside",
    "note_circuit_failure",
    "note_circuit_success",
    "note_connection_failure",
    "note_connection_success",
    "open_connector",
    "pass_circuit",
    "pause_connection",
    "pause_connections_of",
    "preview_file",
    "publish_connector",
    "receive_delivery",
    "restore_version",
    "resume_connection",
    "run_scheduled_check",
    "save_draft",
    "save_oauth_app",
    "send_connect_link",
    "set_allowed_hosts",
    "stage_file",
    "state_of_file",
    "take_file_over",
    "try_definition",
    "update_connection",
    "uploads_of",
    "withdraw_connect_link",
]
