"""Salesforce over REST and SOQL: accounts, contacts, opportunities and quotes both ways, contracts read."""

from apps.connectors.vendors.salesforce.connector import SalesforceConnector

CONNECTOR = SalesforceConnector

__all__ = ["CONNECTOR", "SalesforceConnector"]
