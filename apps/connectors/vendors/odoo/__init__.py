"""Odoo: JSON-RPC up to version 18, the JSON-2 API from 19 on. Facts are from Odoo's published sources."""

from apps.connectors.vendors.odoo.connector import OdooConnector

CONNECTOR = OdooConnector

__all__ = ["CONNECTOR"]
