"""NetSuite: REST record service for writing, SuiteQL for reading.

The REST mechanics (paging, idempotency keys, error bodies) are from Oracle's help; record and column names, where the
help names none, are those that public clients use.
"""

from apps.connectors.vendors.netsuite.connector import NetSuiteConnector

CONNECTOR = NetSuiteConnector

__all__ = ["CONNECTOR"]
