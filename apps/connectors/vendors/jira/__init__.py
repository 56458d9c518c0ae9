"""Jira Cloud by API token: projects, issues, versions and people both ways where Jira allows it, worklogs with deletes."""

from apps.connectors.vendors.jira.connector import JiraConnector

CONNECTOR = JiraConnector

__all__ = ["CONNECTOR", "JiraConnector"]
