"""Zendesk Support by API token: organizations, people and tickets, with what was deleted."""

from apps.connectors.vendors.zendesk.connector import ZendeskConnector

CONNECTOR = ZendeskConnector

__all__ = ["CONNECTOR", "ZendeskConnector"]
