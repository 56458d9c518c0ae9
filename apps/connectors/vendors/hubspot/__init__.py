"""HubSpot CRM by private-app token: companies, contacts and deals, both ways."""

from apps.connectors.vendors.hubspot.connector import HubSpotConnector

CONNECTOR = HubSpotConnector

__all__ = ["CONNECTOR", "HubSpotConnector"]
