"""NetSuite: the REST record service with jobs, SuiteQL, and OAuth 2 for people and for machines."""

from sandbox.netsuite import api
from sandbox.netsuite.vendor import VENDOR

__all__ = ["VENDOR", "api"]
