"""Harvest, version 2 of its API: clients, contacts, projects, tasks, people, time, expenses and invoices."""

from sandbox.harvest import api, objects
from sandbox.harvest.vendor import VENDOR

__all__ = ["VENDOR", "api", "objects"]
