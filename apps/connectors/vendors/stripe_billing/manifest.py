"""What the Stripe connector declares about itself."""

from __future__ import annotations

from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
    WebhookSpec,
)

BASE_URL = "https://api.stripe.com"

_CUSTOMER = {"stream": "customers", "id": "record.customer"}

CUSTOMERS = StreamSpec(
    name="customers",
    label="Customers",
    entity="account",
    fields={
        # Stripe asks for neither name nor address; the id is what is always there.
        "name": 'coalesce(get(record, "name"), coalesce(get(record, "description"), coalesce(get(record, "email"), record.id)))',
        "number": 'get(record, "metadata.number")',
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        "website": 'get(record, "metadata.website")',
        "currency": 'upper(get(record, "currency"))',
        "tax_id": 'get(record, "tax_id")',
    },
    deletes=True,
)
INVOICES = StreamSpec(
    name="invoices",
    label="Invoices",
    entity="invoice",
    fields={
        "number": "record.number",
        "reference": "record.description",
        "status": 'lookup({"draft": "draft", "open": "open", "paid": "paid", "void": "void", "uncollectible": "void"}, record.status, "open")',
        "issue_date": "date(record.issued_at)",
        "due_date": "date(record.due_at)",
        "currency": "record.currency",
        "subtotal": "record.net",
        "tax": "record.tax",
        "total": "record.total",
        "amount_paid": "record.paid",
        "amount_due": "record.due",
        "lines": "record.lines",
    },
    refs={"account": _CUSTOMER, "subscription": {"stream": "subscriptions", "id": "record.subscription"}},
    deletes=True,
)
PAYMENTS = StreamSpec(
    name="payments",
    label="Payments received",
    entity="payment",
    fields={
        "amount": "record.amount",
        "paid_date": "date(record.paid_at)",
        "method": "record.method",
        "reference": "record.reference",
    },
    refs={"invoice": {"stream": "invoices", "id": "record.invoice"}},
    deletes=True,
)
SUBSCRIPTIONS = StreamSpec(
    name="subscriptions",
    label="Subscriptions",
    entity="subscription",
    fields={
        "name": "record.name",
        "number": "record.id",
        "status": (
            'lookup({"trialing": "trialing", "active": "active", "past_due": "past_due", "unpaid": "past_due", '
            '"incomplete": "past_due", "paused": "paused"}, record.status, "cancelled")'
        ),
        "amount": "record.amount",
        "quantity": "record.quantity",
        "interval": "record.interval",
        "start_date": "date(record.started_at)",
        "end_date": "date(record.ended_at)",
        "next_billing_date": "date(record.next_at)",
    },
    refs={"account": _CUSTOMER},
)
QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": "coalesce(record.description, coalesce(record.number, record.id))",
        "number": "record.number",
        "status": 'lookup({"draft": "draft", "open": "sent", "accepted": "accepted", "canceled": "declined"}, record.status, "draft")',
        "currency": "record.currency",
        "total": "record.total",
        "issue_date": "date(record.issued_at)",
        "expiry_date": "date(record.expires_at)",
        "lines": "record.lines",
    },
    refs={"account": _CUSTOMER},
)

CUSTOMER_SINK = SinkSpec(
    name="customers",
    label="Customers",
    entity="account",
    stream="customers",
    fields={name: f"record.{name}" for name in ("name", "number", "email", "phone", "website")},
    resolve=Resolve.IDEMPOTENCY_KEY,
    deletes=True,
)
INVOICE_SINK = SinkSpec(
    name="invoices",
    label="Invoices",
    entity="invoice",
    stream="invoices",
    fields={
        "customer": "refs.account",
        "description": "coalesce(record.reference, record.number)",
        "status": "record.status",
        "due_date": "date(record.due_date)",
        "lines": "record.lines",
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    deletes=True,
)
SUBSCRIPTION_SINK = SinkSpec(
    name="subscriptions",
    label="Subscriptions",
    entity="subscription",
    stream="subscriptions",
    fields={
        "customer": "refs.account",
        "name": "record.name",
        "status": "record.status",
        "amount": "record.amount",
        "quantity": "record.quantity",
        "interval": "record.interval",
        "product": 'get(connection, "product")',
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    deletes=True,
)

USAGE = StreamSpec(
    name="usage",
    label="Metered usage",
    entity="usage_record",
    fields={
        "name": "record.name",
        "usage_date": "record.day",
        "quantity": "record.quantity",
        "unit": "record.event_name",
    },
    refs={"account": {"stream": "customers", "id": "record.customer"}},
    incremental=False,
)
USAGE_SINK = SinkSpec(
    name="usage",
    label="Metered usage",
    entity="usage_record",
    stream="usage",
    fields={
        "customer": "refs.account",
        "subscription": "refs.subscription",
        "meter": 'coalesce(get(connection, "meter"), record.unit)',
        "usage_date": "date(record.usage_date)",
        "quantity": "record.quantity",
    },
    refs={"account": "customers", "subscription": "subscriptions"},
    resolve=Resolve.IDEMPOTENCY_KEY,
    updates=False,
)

MANIFEST = ConnectorManifest(
    key="stripe_billing",
    name="Stripe",
    domain=Domain.BILLING,
    description="Subscription billing: customers, invoices, subscriptions, metered usage, quotes and the charges that paid.",
    evidence=Evidence.SPEC_CHECKED,
    evidence_note=(
        "Every request is valid against Stripe's API description of April 2022 (API version 2020-08-27, which requests "
        "ask for), but for metered usage, which is newer; Stripe's own client library accepts our simulator and its "
        "webhook signatures. Not run against a live account."
    ),
    auth=AuthKind.API_KEY,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="base_url",
            label="API address",
            help="Leave as it is for Stripe's own service.",
            default=BASE_URL,
            kind="url",
            required=False,
        ),
        ConfigField(
            key="api_key",
            label="Secret key",
            help="A secret or restricted key of the account (sk_… or rk_…), under Developers, API keys.",
            secret=True,
        ),
        ConfigField(
            key="product",
            label="Product id",
            help="The product that new subscriptions are for, for example prod_…. Needed only to write subscriptions.",
            required=False,
        ),
        ConfigField(
            key="meter",
            label="Meter",
            help="The event name of the meter that usage is sent to. Empty: the unit of the usage is taken for it.",
            required=False,
        ),
    ),
    streams=(CUSTOMERS, INVOICES, PAYMENTS, SUBSCRIPTIONS, QUOTES, USAGE),
    sinks=(CUSTOMER_SINK, INVOICE_SINK, SUBSCRIPTION_SINK, USAGE_SINK),
    # How a customer pays, and addresses that open a document to whoever has them.
    redact=(
        "tax_id*",
        "customer_tax_ids",
        "default_source",
        "sources",
        "payment_method_details",
        "fingerprint",
        "last4",
        "hosted_invoice_url",
        "invoice_pdf",
        "receipt_url",
    ),
    # Stripe allows 25 calls a second for one address, and for a whole sandbox account.
    rate_limit=RateLimit(calls=20, seconds=1),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="stripe-signature",
        streams=("customers", "invoices", "payments", "subscriptions", "quotes"),
    ),
)
