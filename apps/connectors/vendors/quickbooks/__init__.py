"""QuickBooks Online: customers, sales invoices, the payments against them, and estimates."""

from apps.connectors.vendors.quickbooks.connector import QuickBooksConnector

CONNECTOR = QuickBooksConnector

__all__ = ["CONNECTOR", "QuickBooksConnector"]
