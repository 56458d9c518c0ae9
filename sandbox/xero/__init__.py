"""A simulated Xero: identity server, connections and the accounting API, shaped after recorded answers."""

from sandbox.xero import api as api
from sandbox.xero import projects as projects
from sandbox.xero.vendor import VENDOR

__all__ = ["VENDOR"]
