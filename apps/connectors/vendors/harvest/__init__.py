"""Harvest by personal access token: clients, contacts, projects and who works on them, time, expenses, invoices."""

from apps.connectors.vendors.harvest.connector import HarvestConnector

CONNECTOR = HarvestConnector

__all__ = ["CONNECTOR", "HarvestConnector"]
