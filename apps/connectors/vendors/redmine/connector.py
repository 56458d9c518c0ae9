"""The Redmine connector: what it reads, what it writes, and whether its key works."""

from __future__ import annotations

from functools import cached_property

from apps.connectors.sdk.auth import HeaderKeyAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError
from apps.connectors.sdk.types import CheckResult
from apps.connectors.vendors.redmine.manifest import MANIFEST
from apps.connectors.vendors.redmine.part_sinks import MembershipSink, VersionSink
from apps.connectors.vendors.redmine.parts import MembershipStream, VersionStream
from apps.connectors.vendors.redmine.sinks import IssueSink, ProjectSink
from apps.connectors.vendors.redmine.streams import IssueStream, ProjectStream, TimeEntryStream, UserStream


class RedmineConnector(Connector):
    manifest = MANIFEST
    stream_types = {
        "projects": ProjectStream,
        "issues": IssueStream,
        "users": UserStream,
        "versions": VersionStream,
        "memberships": MembershipStream,
        "time_entries": TimeEntryStream,
    }
    sink_types = {
        "projects": ProjectSink,
        "issues": IssueSink,
        "versions": VersionSink,
        "memberships": MembershipSink,
    }

    @cached_property
    def client(self) -> VendorClient:
        return VendorClient(
            self.context,
            str(self.context.settings["base_url"]),
            HeaderKeyAuth("X-Redmine-API-Key", self.context.credentials["api_key"]),
            ErrorTable(describe=lambda data: ErrorText("; ".join(data["errors"]))),
        )

    def check(self) -> CheckResult:
        """Asks who we are: with a bad key Redmine answers lists with 200, empty, as it would to anybody."""
        try:
            user = self.client.get("/users/current.json")["user"]
        except ConnectorError as error:
            if error.status != 404:
                raise
            raise ConfigurationError("no Redmine at this address", code="address", status=404) from error
        if not user.get("admin"):
            raise ConfigurationError(
                "the key must be an administrator's: others do not see users' addresses", code="admin"
            )
        self._check_approval_field()
        return CheckResult(account_id=self.client.base_url, account_name=f"Redmine ({user['login']})")

    def _check_approval_field(self) -> None:
        name = self.context.settings.get("approval_field")
        if not name:
            return
        fields = self.client.get("/custom_fields.json")["custom_fields"]
        known = [field["name"] for field in fields if field["customized_type"] == "time_entry"]
        if name not in known:
            raise ConfigurationError(
                f"time entries have no custom field {name!r}; Redmine has {', '.join(known) or 'none'}",
                code="approval_field",
            )
