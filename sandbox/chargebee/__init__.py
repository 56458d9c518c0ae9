"""A simulated Chargebee site: customers, subscriptions, invoices, transactions, quotes, usages and advance invoices."""

from sandbox.chargebee import api as api
from sandbox.chargebee import schedules as schedules
from sandbox.chargebee.vendor import VENDOR

__all__ = ["VENDOR"]
