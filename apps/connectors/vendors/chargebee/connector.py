"""One conversation with one Chargebee site."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from apps.connectors.sdk.auth import BasicAuth
from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, RateLimited
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.types import CheckResult, JsonDict, Sink, Stream, WebhookEvent
from apps.connectors.sdk.webhooks import id_text, require_signature, take_apart
from apps.connectors.vendors.chargebee import schedules, sinks, streams
from apps.connectors.vendors.chargebee.manifest import MANIFEST
from apps.connectors.vendors.chargebee.wire import indexed

API = "/api/v2"
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_STREAM_OF_CONTENT = {
    "customer": "customers",
    "subscription": "subscriptions",
    "invoice": "invoices",
    "transaction": "payments",
    "quote": "quotes",
    "usage": "usages",
}


class ChargebeeConnector(Connector):
    manifest: ClassVar[ConnectorManifest] = MANIFEST
    stream_types: ClassVar[Mapping[str, Callable[[Any], Stream]]] = {
        "customers": streams.CustomerStream,
        "invoices": streams.InvoiceStream,
        "payments": streams.PaymentStream,
        "subscriptions": streams.SubscriptionStream,
        "quotes": streams.QuoteStream,
        "usages": streams.UsageStream,
        "schedules": schedules.ScheduleStream,
    }
    sink_types: ClassVar[Mapping[str, Callable[[Any], Sink]]] = {
        "customers": sinks.CustomerSink,
        "invoices": sinks.InvoiceSink,
        "payments": sinks.PaymentSink,
        "subscriptions": sinks.SubscriptionSink,
        "usages": sinks.UsageSink,
        "schedules": schedules.ScheduleSink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        given = str(context.settings.get("base_url") or "")
        self.is_vendor_host = not given
        address = given or f"https://{self._site()}.chargebee.com"
        # The key is the user name; there is no password.
        auth = BasicAuth(context.credentials.get("api_key", ""), "")
        self.client = VendorClient(context, address, auth, ERRORS)

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        """The configuration names the site the key belongs to."""
        found = self.get("configurations").get("configurations") or []
        domain = next((entry["domain"] for entry in found if entry.get("domain")), None)
        if domain is None:
            raise ConfigurationError("Chargebee shows no site to this key.", code="no_site")
        return CheckResult(account_id=domain, account_name=domain)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> JsonDict:
        return self._send(Call(method="GET", path=f"{API}/{path}", params=params or {}))

    def find(self, path: str) -> JsonDict | None:
        try:
            return self.get(path)
        except ConnectorError as error:
            if error.status == 404:
                return None
            raise

    def post(self, path: str, values: Mapping[str, Any], *, key: str = "") -> JsonDict:
        """With a key, the call is done once however often it is sent."""
        headers = {"chargebee-idempotency-key": key} if key else {}
        return self._send(Call(method="POST", path=f"{API}/{path}", form=indexed(values), headers=headers))

    def _send(self, call: Call) -> JsonDict:
        data = self.client.send(call).data
        if not isinstance(data, dict):
            raise FatalError("Chargebee answered without an object.", code="format")
        return data

    def _site(self) -> str:
        site = str(self.context.settings.get("site") or "").strip().lower().removesuffix(".chargebee.com")
        if not _SITE.fullmatch(site):
            raise ConfigurationError(
                "The site is the first part of its address: acme for acme.chargebee.com.", code="bad_site"
            )
        return site

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """Chargebee signs nothing: it shows the user name and password it was given (`secret` is `name:password`).

        So the content proves nothing and is only taken as a hint where to look.
        """
        expected = "Basic " + base64.b64encode(secret.encode()).decode()
        require_signature(expected=expected, given=headers.get("authorization", ""))
        return take_apart(body, _events_of)


def _events_of(event: JsonDict) -> list[WebhookEvent]:
    """An event carries every object it touched: a payment, its invoice and its customer arrive together."""
    occurred = datetime.fromtimestamp(event["occurred_at"], tz=UTC)
    return [
        WebhookEvent(
            event_id=f"{id_text(event['id'])}:{name}",
            stream=_STREAM_OF_CONTENT[name],
            external_id=id_text(found["id"]),
            occurred_at=occurred,
        )
        for name, found in event["content"].items()
        if name in _STREAM_OF_CONTENT
    ]


def describe(data: Any) -> ErrorText:
    return ErrorText(str(data.get("message") or ""), str(data.get("api_error_code") or data.get("error_code") or ""))


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    """Limits may come with another status than 429; the code tells."""
    code = response.data.get("api_error_code") if isinstance(response.data, dict) else None
    if code in ("api_request_limit_exceeded", "concurrent_request_limit_exceeded"):
        return RateLimited
    if code in ("api_authentication_failed", "api_authorization_failed", "site_not_found", "site_not_ready"):
        return ConfigurationError
    return None


ERRORS = ErrorTable(describe=describe, classify=classify)
