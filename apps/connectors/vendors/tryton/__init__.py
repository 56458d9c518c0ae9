"""Tryton 8: REST with a user application key. Facts in here were seen on a real 8.2 server."""

from apps.connectors.vendors.tryton.connector import TrytonConnector

CONNECTOR = TrytonConnector

__all__ = ["CONNECTOR"]
