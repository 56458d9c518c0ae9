"""Usage is counted once, for whoever it belongs to, and only by meters there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.connectors.sdk.errors import RecordRejected
from apps.connectors.sdk.types import WriteRequest
from sandbox.testing import RunningSandbox
from tests.connectors.stripe_billing.support import add_customer, add_subscription, connect

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def usage(key: str, **payload: str) -> WriteRequest:
    return WriteRequest(
        key=key, payload={"meter": "support_hours", "usage_date": YESTERDAY, "quantity": "2.50", **payload}
    )


def test_events_of_one_day_are_counted_together_and_a_repeat_only_once(sandbox: RunningSandbox) -> None:
    stripe = connect(sandbox, "usage-once")
    control = sandbox.control("stripe_billing", "usage-once")
    customer = add_customer(control)
    sink = stripe.sink("usage")
    first, second, again = (
        sink.write([usage(key, customer=customer)])[0].record for key in ("itl-1", "itl-2", "itl-1")
    )

    assert first.external_id == again.external_id != second.external_id
    assert first.external_id.startswith(f"mtr_test_hours/{customer}/{YESTERDAY}#")
    assert first.data["quantity"] == "2.5"
    assert sink.get(first.external_id).data["quantity"] == "5"
    assert len(control.objects("meter_event")) == 2


def test_usage_of_a_subscription_is_its_customers(sandbox: RunningSandbox) -> None:
    stripe = connect(sandbox, "usage-subscription")
    control = sandbox.control("stripe_billing", "usage-subscription")
    customer = add_customer(control)
    subscription = add_subscription(control, customer)
    (result,) = stripe.sink("usage").write([usage("itl-1", subscription=subscription)])

    assert result.record is not None
    assert result.record.data["customer"] == customer


def test_what_cannot_be_counted_is_refused_alone(sandbox: RunningSandbox) -> None:
    stripe = connect(sandbox, "usage-refused")
    customer = add_customer(sandbox.control("stripe_billing", "usage-refused"))
    results = stripe.sink("usage").write(
        [
            usage("a"),
            usage("b", customer=customer, meter="miles"),
            usage("c", customer=customer, usage_date="2020-01-01"),
        ]
    )

    messages = [result.error.message for result in results if isinstance(result.error, RecordRejected)]
    assert messages[:2] == [
        "Usage needs a customer or a subscription of Stripe.", "Stripe has no active meter for \u201cmiles\u201d.",
    ]  # fmt: skip
    assert "within the past 35 days" in messages[2]
