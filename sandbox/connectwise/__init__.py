"""ConnectWise PSA: companies, contacts, members, projects, tickets, time and expenses, with its condition language."""

from sandbox.connectwise import api, objects
from sandbox.connectwise.vendor import VENDOR

__all__ = ["VENDOR", "api", "objects"]
