"""Asana: projects, tasks, users and time tracking entries of one workspace."""

from sandbox.asana import api
from sandbox.asana.vendor import VENDOR

__all__ = ["VENDOR", "api"]
