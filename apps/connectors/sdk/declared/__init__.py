"""Connectors that are written down instead of programmed: one YAML text says how a system is spoken to.

`definition` is the shape of a JSON/REST system and what is wrong with it, `connector` turns it into a connector like any
other; `files` are the same for systems that hand over files.
"""

from apps.connectors.sdk.declared.definition import ConnectorDefinition, InvalidDefinition
from apps.connectors.sdk.declared.parsing import Definition, connector_type, parse_definition

__all__ = ["ConnectorDefinition", "Definition", "InvalidDefinition", "connector_type", "parse_definition"]
