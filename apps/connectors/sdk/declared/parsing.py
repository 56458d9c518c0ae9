"""From a text to a connector, whatever kind of system it describes."""

from __future__ import annotations

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared.connector import rest_type
from apps.connectors.sdk.declared.definition import ConnectorDefinition, check_rest, convert, parse_text
from apps.connectors.sdk.declared.files.connector import files_type
from apps.connectors.sdk.declared.files.definition import FilesDefinition, check_files
from apps.connectors.sdk.declared.pushed.connector import pushed_type
from apps.connectors.sdk.declared.pushed.definition import PushedDefinition, check_pushed

Definition = ConnectorDefinition | FilesDefinition | PushedDefinition


def parse_definition(source: str) -> Definition:
    """This function will read and check a definition. Raises InvalidDefinition with the place and the reason."""
    data = parse_text(source)
    if isinstance(data, dict) and data.get("kind") == "files":
        files = convert(data, FilesDefinition)
        check_files(files)
        return files
    if isinstance(data, dict) and data.get("kind") == "webhook":
        pushed = convert(data, PushedDefinition)
        check_pushed(pushed)
        return pushed
    definition = convert(data, ConnectorDefinition)
    check_rest(definition)
    return definition


def connector_type(key: str, definition: Definition) -> type[Connector]:
    """The class that speaks to this system; `key` is what connections are stored under."""
    if isinstance(definition, FilesDefinition):
        return files_type(key, definition)
    if isinstance(definition, PushedDefinition):
        return pushed_type(key, definition)
    return rest_type(key, definition)
