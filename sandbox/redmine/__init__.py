"""Redmine 5: projects, issues, versions, users, memberships, time entries over its JSON API, with the ways it stays silent."""

from sandbox.redmine import issues, listing, parts, people, projects, time_entries
from sandbox.redmine.vendor import VENDOR

__all__ = ["VENDOR", "issues", "listing", "parts", "people", "projects", "time_entries"]
