"""Tryton 8: the REST API of user applications over parties, works, timesheets, invoices and payments."""

from sandbox.tryton import api
from sandbox.tryton.vendor import VENDOR

__all__ = ["VENDOR", "api"]
