"""Faults become the right error; forgeries and secrets stay where they belong."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from apps.connectors.sdk.conformance.ability import require
from apps.connectors.sdk.conformance.shapes import BODIES, wrong_bodies
from apps.connectors.sdk.conformance_harness import (
    Harness,
    records_of,
)
from apps.connectors.sdk.errors import ConfigurationError, ConnectorError, RateLimited, TransientError
from apps.connectors.sdk.types import JsonDict
from apps.connectors.sdk.webhooks import ForgedWebhook, InvalidDelivery, require_keepable


class TroubleConformance:
    @pytest.mark.parametrize(
        "kind,options,error",
        [
            ("status", {"status": 401}, ConfigurationError),
            ("status", {"status": 500}, TransientError),
            ("status", {"status": 502}, TransientError),
            ("status", {"status": 503}, TransientError),
            ("reset", {}, TransientError),
            ("truncate", {}, TransientError),
        ],
    )
    def test_vendor_trouble_becomes_the_right_error(
        self, harness: Harness, kind: str, options: JsonDict, error: type[ConnectorError]
    ) -> None:
        require(harness, "faults")
        stream = harness.connector_type.manifest.streams[0].name
        harness.seed(stream, 1)
        connector = harness.connector()
        harness.fault(kind, **options)

        with pytest.raises(error) as caught:
            list(records_of(connector, stream, size=100))

        assert not isinstance(caught.value, RateLimited)

    def test_a_rate_limit_carries_the_vendors_delay(self, harness: Harness) -> None:
        require(harness, "faults")
        stream = harness.connector_type.manifest.streams[0].name
        connector = harness.connector()
        harness.fault("429", retry_after=7)

        with pytest.raises(RateLimited) as caught:
            list(records_of(connector, stream, size=100))

        assert caught.value.retry_after == 7

    def test_a_genuine_webhook_is_accepted_and_a_forged_one_refused(self, harness: Harness) -> None:
        require(harness, "webhooks")
        webhook = harness.connector_type.manifest.webhook
        assert webhook is not None
        stream = webhook.streams[0]
        sent = harness.delivery(stream)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        good: dict[str, Any] = {"secret": sent.secret, "headers": headers, "body": sent.body, "url": sent.url}
        verify = harness.connector_type.verify_webhook

        events = verify(**good, now=sent.now)
        assert stream in {event.stream for event in events}
        assert all(event.event_id for event in events)

        unsigned = {name: value for name, value in headers.items() if name != webhook.signature_header}
        forgeries: list[dict[str, Any]] = [
            {"secret": "another-secret"},
            {"body": sent.body + b" "},
            {"headers": unsigned},
            {"headers": {**headers, webhook.signature_header: "x"}},
        ]
        for forgery in forgeries:
            with pytest.raises(ForgedWebhook):
                verify(**{**good, **forgery}, now=sent.now)

    def test_a_genuine_webhook_of_another_shape_is_told_from_a_forged_one(self, harness: Harness) -> None:
        """Whatever is signed and JSON is either taken or refused as invalid: never a failure, never a forgery."""
        require(harness, "deliveries")
        webhook = harness.connector_type.manifest.webhook
        assert webhook is not None
        sent = harness.delivery(webhook.streams[0])
        refused = taken = 0
        for body in wrong_bodies(sent.body):
            signed = harness.signed(sent, body)
            headers = {name.lower(): value for name, value in signed.headers.items()}
            given: dict[str, Any] = {"secret": sent.secret, "headers": headers, "url": sent.url, "now": sent.now}
            try:
                require_keepable(harness.connector_type.verify_webhook(body=body, **given))
                taken += 1
            except InvalidDelivery:
                refused += 1

        # What names no object of ours is taken and ignored; most of the rest is refused.
        assert refused >= len(BODIES) - 4
        assert taken > 0

    def test_each_call_asks_the_budget_and_is_observed(self, harness: Harness) -> None:
        connector = harness.connector()
        connector.check()
        list(records_of(connector, harness.connector_type.manifest.streams[0].name, size=100))

        assert len(harness.exchanges) >= 2
        assert harness.acquired == len(harness.exchanges)
        assert all(exchange.status and exchange.status < 400 for exchange in harness.exchanges)

    def test_secrets_stay_out_of_logs_errors_and_exchanges(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        secrets = {*harness.credentials(valid=True).values(), *harness.credentials(valid=False).values()}
        texts: list[str] = []
        with caplog.at_level(logging.DEBUG):
            harness.connector().check()
            with pytest.raises(ConnectorError) as caught:
                harness.connector(valid=False).check()
            texts += [repr(caught.value), str(caught.value), caught.value.message]
            if "faults" in harness.abilities:
                connector = harness.connector()
                harness.fault("status", status=500)
                with pytest.raises(ConnectorError) as broken:
                    list(records_of(connector, harness.connector_type.manifest.streams[0].name, size=100))
                texts += [repr(broken.value), str(broken.value), broken.value.message]
        texts += [record.getMessage() for record in caplog.records] + [repr(exchange) for exchange in harness.exchanges]
        leaked = [text for text in texts for secret in secrets if len(secret) >= 6 and secret in text]
        assert leaked == []
