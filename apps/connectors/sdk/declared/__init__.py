"""Connectors that are written down instead of programmed: one YAML text says how a JSON/REST system is spoken to.

`definition` is its shape and what is wrong with it, `connector` turns a checked definition into a connector like any other.
"""

from apps.connectors.sdk.declared.connector import connector_type
from apps.connectors.sdk.declared.definition import ConnectorDefinition, InvalidDefinition, parse_definition

__all__ = ["ConnectorDefinition", "InvalidDefinition", "connector_type", "parse_definition"]
