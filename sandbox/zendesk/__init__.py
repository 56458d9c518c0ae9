"""Zendesk Support: organizations, users, tickets, and the incremental exports of all three."""

from sandbox.zendesk import exports, objects
from sandbox.zendesk.vendor import VENDOR

__all__ = ["VENDOR", "exports", "objects"]
