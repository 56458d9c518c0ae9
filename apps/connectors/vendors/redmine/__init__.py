"""Redmine 5: REST with an administrator's API key. Facts in here were seen on a real 5.0 server."""

from apps.connectors.vendors.redmine.connector import RedmineConnector

CONNECTOR = RedmineConnector

__all__ = ["CONNECTOR"]
