"""Chargebee: customers, subscriptions, invoices, payments, quotes and metered usage."""

from apps.connectors.vendors.chargebee.connector import ChargebeeConnector

CONNECTOR = ChargebeeConnector

__all__ = ["CONNECTOR", "ChargebeeConnector"]
