"""ConnectWise PSA by member API keys: companies, contacts, projects, both kinds of ticket, time, expenses."""

from apps.connectors.vendors.connectwise.connector import ConnectWiseConnector

CONNECTOR = ConnectWiseConnector

__all__ = ["CONNECTOR", "ConnectWiseConnector"]
