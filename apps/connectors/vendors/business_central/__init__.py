"""Dynamics 365 Business Central: the standard API v2.0 (OData). Facts are from Microsoft's published reference."""

from apps.connectors.vendors.business_central.connector import BusinessCentralConnector

CONNECTOR = BusinessCentralConnector

__all__ = ["CONNECTOR"]
