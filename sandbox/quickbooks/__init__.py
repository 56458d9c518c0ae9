"""A simulated QuickBooks Online: identity server, company, query language, change data capture, shaped after recordings."""

from sandbox.quickbooks import api as api
from sandbox.quickbooks.vendor import VENDOR

__all__ = ["VENDOR"]
