"""Xero: contacts, quotes, sales invoices and the payments against them."""

from apps.connectors.vendors.xero.connector import XeroConnector

CONNECTOR = XeroConnector

__all__ = ["CONNECTOR", "XeroConnector"]
