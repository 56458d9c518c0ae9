"""A simulated Chargebee site: customers, subscriptions, invoices, transactions, quotes and usages."""

from sandbox.chargebee import api as api
from sandbox.chargebee.vendor import VENDOR

__all__ = ["VENDOR"]
