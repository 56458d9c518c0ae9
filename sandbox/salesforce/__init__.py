"""Salesforce: SOQL queries over REST, sObject rows, collections, descriptions, OAuth 2."""

from sandbox.salesforce import collections, oauth, query, rows
from sandbox.salesforce.vendor import VENDOR

__all__ = ["VENDOR", "collections", "oauth", "query", "rows"]
