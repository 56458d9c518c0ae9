"""Pipedrive: API v2 organizations, persons, deals, their fields and search; v1 users; webhooks v2."""

from sandbox.pipedrive import fields, lists
from sandbox.pipedrive.vendor import VENDOR

__all__ = ["VENDOR", "fields", "lists"]
