"""One Harvest account, as one of its administrators sees it."""

from __future__ import annotations

from typing import Any

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.harvest import sinks, streams
from apps.connectors.vendors.harvest.manifest import BASE_URL, MANIFEST

# Harvest refuses calls that do not say who makes them.
USER_AGENT = "Data synchronization (support address in the connection's settings)"


def describe_error(data: Any) -> ErrorText:
    """`{message}` for refused records, `{error, error_description}` for refused tokens."""
    return ErrorText(data.get("message") or data.get("error_description") or "", data.get("error", ""))


class HarvestConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "clients": streams.ClientStream,
        "contacts": streams.ContactStream,
        "projects": streams.ProjectStream,
        "tasks": streams.TaskAssignmentStream,
        "users": streams.UserStream,
        "assignments": streams.UserAssignmentStream,
        "time_entries": streams.TimeEntryStream,
        "expenses": streams.ExpenseStream,
        "invoices": streams.InvoiceStream,
    }
    sink_types = {
        "clients": sinks.ClientSink,
        "contacts": sinks.ContactSink,
        "projects": sinks.ProjectSink,
        "tasks": sinks.TaskSink,
        "assignments": sinks.AssignmentSink,
        "time_entries": sinks.TimeEntrySink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        self.client = VendorClient(
            context,
            str(context.settings.get("base_url") or BASE_URL),
            BearerAuth(context.credentials.get("access_token", "")),
            ErrorTable(describe=describe_error),
            headers={
                "harvest-account-id": str(context.settings.get("account_id", "")),
                "user-agent": USER_AGENT,
            },
        )

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Members see only their own time: a token of theirs would read half of it and look complete."""
        me = self.client.get("/v2/users/me")
        if "administrator" not in me.get("access_roles", []):
            raise ConfigurationError("the token must be an administrator's: others see only their own", code="admin")
        company = self.client.get("/v2/company")
        return CheckResult(account_id=company["full_domain"], account_name=f"Harvest {company['name']}")
