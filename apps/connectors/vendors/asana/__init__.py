"""Asana by personal access token: projects, tasks and milestones both ways; people and tracked time read."""

from apps.connectors.vendors.asana.connector import AsanaConnector

CONNECTOR = AsanaConnector

__all__ = ["CONNECTOR", "AsanaConnector"]
