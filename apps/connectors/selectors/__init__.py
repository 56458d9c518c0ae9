"""Reading what connectors store; each room of it in a module of its own."""

from __future__ import annotations

from apps.connectors.selectors.connections import (
    CallUsage,
    get_call_usage,
    get_connection,
    hook_address,
    list_connections,
    open_fields,
)
from apps.connectors.selectors.consents import (
    CONNECT_PURPOSE,
    ConnectLinkUnusable,
    find_connect_link,
    find_oauth_app,
    find_pending_authorization,
    find_return_path,
    get_connect_link,
    hash_state,
    link_actor,
    list_connect_links,
    list_oauth_apps,
    list_open_connect_links,
)
from apps.connectors.selectors.custom_connectors import (
    get_custom_connector,
    get_custom_version,
    get_version_numbered,
    list_custom_connectors,
)
from apps.connectors.selectors.stored_files import get_stored_file, list_stored_files

__all__ = [
    "CONNECT_PURPOSE",
    "CallUsage",
    "ConnectLinkUnusable",
    "find_connect_link",
    "find_oauth_app",
    "find_pending_authorization",
    "find_return_path",
    "get_call_usage",
    "get_connect_link",
    "get_connection",
    "get_custom_connector",
    "get_custom_version",
    "get_stored_file",
    "get_version_numbered",
    "hash_state",
    "hook_address",
    "link_actor",
    "list_connect_links",
    "list_connections",
    "list_custom_connectors",
    "list_oauth_apps",
    "list_open_connect_links",
    "list_stored_files",
    "open_fields",
]
