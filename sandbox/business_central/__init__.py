"""Dynamics 365 Business Central: the standard API v2.0 of one environment with one company."""

from sandbox.business_central import api
from sandbox.business_central.vendor import VENDOR

__all__ = ["VENDOR", "api"]
