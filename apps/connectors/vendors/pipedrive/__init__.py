"""Pipedrive by API token: organizations, persons and deals, both ways."""

from apps.connectors.vendors.pipedrive.connector import PipedriveConnector

CONNECTOR = PipedriveConnector

__all__ = ["CONNECTOR", "PipedriveConnector"]
