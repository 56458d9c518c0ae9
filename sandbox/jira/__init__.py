"""Jira Cloud, version 3 of its API: projects, issues by query, versions, people, worklogs with their lists of changes."""

from sandbox.jira import issues, people, projects, search, worklogs
from sandbox.jira.vendor import VENDOR

__all__ = ["VENDOR", "issues", "people", "projects", "search", "worklogs"]
