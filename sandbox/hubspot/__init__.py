"""HubSpot CRM: objects v3 (companies, contacts, deals), search, associations v4, properties, owners, webhooks."""

from sandbox.hubspot import associations, objects, portal, search
from sandbox.hubspot.vendor import VENDOR

__all__ = ["VENDOR", "associations", "objects", "portal", "search"]
