"""One conversation with one Stripe account."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from apps.connectors.sdk.auth import BearerAuth
from apps.connectors.sdk.client import Call, VendorClient
from apps.connectors.sdk.connector import ConnectionContext, Connector
from apps.connectors.sdk.error_table import ErrorTable, ErrorText, VendorResponse
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, FatalError, RecordRejected, TransientError
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.connectors.sdk.numbers import unix_moment
from apps.connectors.sdk.types import CheckResult, JsonDict, Sink, Stream, WebhookEvent
from apps.connectors.sdk.webhooks import (
    ForgedWebhook,
    hmac_sha256_hex,
    id_text,
    require_fresh,
    require_signature,
    take_apart,
)
from apps.connectors.vendors.stripe_billing.manifest import BASE_URL, MANIFEST
from apps.connectors.vendors.stripe_billing.sinks import CustomerSink, InvoiceSink, SubscriptionSink
from apps.connectors.vendors.stripe_billing.streams import (
    CustomerStream,
    InvoiceStream,
    PaymentStream,
    QuoteStream,
    SubscriptionStream,
)
from apps.connectors.vendors.stripe_billing.usage import UsageSink, UsageStream
from apps.connectors.vendors.stripe_billing.wire import bracketed, idempotency_key

# Answers keep this shape whatever version the account itself is set to.
API_VERSION = "2020-08-27"
_STREAM_OF_OBJECT = {
    "customer": "customers",
    "invoice": "invoices",
    "subscription": "subscriptions",
    "charge": "payments",
    "quote": "quotes",
}


class StripeConnector(Connector):
    manifest: ClassVar[ConnectorManifest] = MANIFEST
    stream_types: ClassVar[Mapping[str, Callable[[Any], Stream]]] = {
        "customers": CustomerStream,
        "invoices": InvoiceStream,
        "payments": PaymentStream,
        "subscriptions": SubscriptionStream,
        "quotes": QuoteStream,
        "usage": UsageStream,
    }
    sink_types: ClassVar[Mapping[str, Callable[[Any], Sink]]] = {
        "customers": CustomerSink,
        "invoices": InvoiceSink,
        "subscriptions": SubscriptionSink,
        "usage": UsageSink,
    }

    def __init__(self, context: ConnectionContext) -> None:
        super().__init__(context)
        base_url = str(context.settings.get("base_url") or BASE_URL)
        self.is_vendor_host = base_url.rstrip("/") == BASE_URL
        auth = BearerAuth(context.credentials.get("api_key", ""))
        self.client = VendorClient(context, base_url, auth, ERRORS, headers={"stripe-version": API_VERSION})

    def close(self) -> None:
        self.client.close()

    def check(self) -> CheckResult:
        account = self.get("/v1/account")
        if not account.get("id"):
            raise ConfigurationError("Stripe shows no account to this key.", code="no_account")
        dashboard = (account.get("settings") or {}).get("dashboard") or {}
        profile = account.get("business_profile") or {}
        names = (dashboard.get("display_name"), profile.get("name"), account.get("email"), account["id"])
        return CheckResult(account_id=account["id"], account_name=next(str(name) for name in names if name))

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> JsonDict:
        return self._send(Call(method="GET", path=path, params=bracketed(params or {})))

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> JsonDict | None:
        """Like `get`, None for what there is not."""
        try:
            return self.get(path, params)
        except ConnectorError as error:
            if error.status == 404:
                return None
            raise

    def post(self, path: str, values: Mapping[str, Any], *, key: str = "", step: str = "") -> JsonDict:
        """With a key, the call is done once however often it is sent (for a day, says Stripe)."""
        headers = {"idempotency-key": idempotency_key(key, step, values)} if key else {}
        return self._send(Call(method="POST", path=path, form=bracketed(values), headers=headers))

    def delete(self, path: str) -> JsonDict:
        return self._send(Call(method="DELETE", path=path))

    def _send(self, call: Call) -> JsonDict:
        data = self.client.send(call).data
        if not isinstance(data, dict):
            raise FatalError("Stripe answered without an object.", code="format")
        return data

    @classmethod
    def verify_webhook(
        cls, *, secret: str, headers: Mapping[str, str], body: bytes, url: str, now: datetime
    ) -> list[WebhookEvent]:
        """`t=…,v1=…`: hex HMAC-SHA256 of `t.body`. While a secret is being replaced there are several v1."""
        parts = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
        stamp = next((value for name, _, value in parts if name.strip() == "t"), "")
        given = [value for name, _, value in parts if name.strip() == "v1"]
        expected = hmac_sha256_hex(secret, stamp.encode() + b"." + body)
        match = next((value for value in given if hmac.compare_digest(value.encode(), expected.encode())), "")
        require_signature(expected=expected, given=match)
        sent_at = unix_moment(stamp)
        if sent_at is None:
            raise ForgedWebhook("the signature has no time")
        require_fresh(sent_at, now=now)
        return take_apart(body, _events_of)


def _events_of(event: JsonDict) -> list[WebhookEvent]:
    found = event["data"]["object"]
    stream = _STREAM_OF_OBJECT.get(found["object"])
    if stream is None:
        return []
    return [
        WebhookEvent(
            event_id=id_text(event["id"]),
            account_id=event.get("account") or "",
            stream=stream,
            external_id=id_text(found["id"]),
            occurred_at=datetime.fromtimestamp(event["created"], tz=UTC),
        )
    ]


def describe(data: Any) -> ErrorText:
    error = data["error"]
    place = f" ({error['param']})" if error.get("param") else ""
    return ErrorText(
        f"{error.get('message') or error.get('type') or ''}{place}", str(error.get("code") or error["type"])
    )


def classify(response: VendorResponse) -> type[ConnectorError] | None:
    """A key that comes back with other parameters is our mistake; the same key under way twice is only early."""
    error = response.data.get("error") if isinstance(response.data, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    if response.status == 400 and kind == "idempotency_error":
        return FatalError
    return None


# 402: the card or the bank refused, which says nothing about the connection.
ERRORS = ErrorTable(
    describe=describe,
    classify=classify,
    overrides={402: RecordRejected, 409: TransientError, 424: TransientError},
)
