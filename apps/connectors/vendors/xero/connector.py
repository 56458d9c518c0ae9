"""One authorized conversation with one Xero organization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.types import CheckResult, JsonDict, Sink, Stream, WebhookEvent
from apps.connectors.sdk.webhooks import hmac_sha256_base64, require_signature, take_apart
from apps.connectors.vendors.xero import projects
from apps.connectors.vendors.xero.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.xero.sinks import ContactSink, InvoiceSink, PaymentSink
from apps.connectors.vendors.xero.streams import API, ContactStream, InvoiceStream, PaymentStream, QuoteStream

_STREAM_OF_CATEGORY = {"CONTACT": "contacts", "INVOICE": "invoices"}
# A question Xero cannot read is our mistake, not the record's.
_OUR_MISTAKES = ("QueryParseException", "PostDataInvalidException")


class XeroConnector(Connector):
    manifest: ClassVar[ConnectorManifest] = MANIFEST
    stream_types: ClassVar[Mapping[str, Callable[[Any], Stream]]] = {
        "contacts": ContactStream,
        "invoices": InvoiceStream,
        "payments": PaymentStream,
        "quotes": QuoteStream,
        "projects": projects.ProjectStream,
        "project_users": projects.UserStream,
        "tasks": projects.TaskStream,
        "time_entries": projects.TimeStream,
    }
    sink_types: ClassVar[Mapping[str, Callable[[Any], Sink]]] = {
        "contacts": ContactSink,
        "invoices": InvoiceSink,
        "payments": PaymentSink,
        "projects": projects.ProjectSink,
        "tasks": projects.TaskSink,
        "time_entries": projects.TimeSink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        base_url = str(context.settings.get("base_url") or BASE_URL)
        self.is_vendor_host = base_url.rstrip("/") == BASE_URL
        self.client = VendorClient(context, base_url, self._auth, ERRORS, day_header="x-daylimit-remaining")

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """Lists the authorized organizations, then asks the chosen one for itself: proves token, tenant and scope."""
        data = self.client.get(f"{API}/Organisation", headers=self.tenant_header())
        found = data.get("Organisations") if isinstance(data, dict) else None
        if not found:
            raise ConfigurationError("Xero shows no organization to this authorization.", code="no_organization")
        return CheckResult(account_id=found[0]["OrganisationID"], account_name=found[0]["Name"])

    @cached_property
    def tenant_id(self) -> str:
        """Raises ConfigurationError when it is not certain which organization is meant."""
        given = self.client.get("/connections")
        if not isinstance(given, list):
            raise FatalError("Xero's list of connections is not a list.", code="format")
        tenants = [tenant for tenant in given if tenant["tenantType"] == "ORGANISATION"]
        wanted = self.context.settings.get("tenant_id")
        if wanted:
            tenants = [tenant for tenant in tenants if tenant["tenantId"] == wanted]
        if not tenants:
            raise ConfigurationError("The authorization covers no such Xero organization.", code="no_organization")
        if len(tenants) > 1:
            names = ", ".join(f"{tenant['tenantName']} ({tenant['tenantId']})" for tenant in tenants)
            raise ConfigurationError(f"Choose one organization by its id: {names}.", code="several_organizations")
        return str(tenants[0]["tenantId"])

    def tenant_header(self) -> dict[str, str]:
        return {"xero-tenant-id": self.tenant_id}

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """A signed delivery without events is Xero's test of the receiver: genuine, and nothing to do."""
        require_signature(expected=hmac_sha256_base64(secret, body), given=headers.get("x-xero-signature", ""))
        return take_apart(body, lambda data: [event for entry in data["events"] for event in _events_of(entry)])

    def _auth(self) -> BearerAuth:
        token = self.context.credentials.get("access_token", "")
        if not token:
            raise ConfigurationError("The connection is not authorized yet.", code="not_authorized")
        return BearerAuth(token)


def _events_of(entry: JsonDict) -> list[WebhookEvent]:
    """A paid invoice arrives as a changed invoice, so a change also asks to look at the payments."""
    stream = _STREAM_OF_CATEGORY.get(entry["eventCategory"])
    if stream is None:
        return []
    occurred = datetime.fromisoformat(entry["eventDateUtc"].replace("Z", "+00:00"))
    event = WebhookEvent(
        event_id=f"{entry['resourceId']}:{entry['eventType']}:{entry['eventDateUtc']}",
        account_id=entry["tenantId"],
        stream=stream,
        external_id=entry["resourceId"],
        occurred_at=occurred if occurred.tzinfo else occurred.replace(tzinfo=UTC),
    )
    if stream != "invoices" or entry["eventType"] != "UPDATE":
        return [event]
    payments = WebhookEvent(
        event_id=f"{event.event_id}:payments",
        account_id=event.account_id,
        stream="payments",
        occurred_at=event.occurred_at,
    )
    return [event, payments]


def describe(data: Any) -> ErrorText:
    """Validation messages where there are some, else the message of Xero's other error shapes."""
    elements = data.get("Elements") or []
    messages = [error["Message"] for element in elements for error in element.get("ValidationErrors") or []]
    message = (
        "; ".join(messages)
        or data.get("Message")
        or data.get("message")
        or data.get("Detail")
        or data.get("Title")
        or ""
    )
    return ErrorText(message, str(data.get("Type") or ""))


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    kind = response.data.get("Type") if isinstance(response.data, dict) else None
    return FatalError if response.status == 400 and kind in _OUR_MISTAKES else None


ERRORS = ErrorTable(describe=describe, classify=classify)
