"""BottleCRM (django-crm) by personal access token: accounts, contacts and opportunities both ways, quotes read."""

from apps.connectors.vendors.bottlecrm.connector import BottleConnector

CONNECTOR = BottleConnector

__all__ = ["CONNECTOR", "BottleConnector"]
