"""What the Chargebee connector declares about itself."""

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

_CUSTOMER = {"stream": "customers", "id": "record.customer_id"}

CUSTOMERS = StreamSpec(
    name="customers",
    label="Customers",
    entity="account",
    fields={
        "name": "record.name",
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        "currency": 'get(record, "preferred_currency_code")',
        "tax_id": 'get(record, "vat_number")',
    },
    deletes=True,
)
INVOICES = StreamSpec(
    name="invoices",
    label="Invoices",
    entity="invoice",
    fields={
        "number": "record.id",
        "reference": "record.po_number",
        "status": 'lookup({"pending": "draft", "paid": "paid", "voided": "void"}, record.status, "open")',
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
    refs={"account": _CUSTOMER, "subscription": {"stream": "subscriptions", "id": "record.subscription_id"}},
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
    refs={"invoice": {"stream": "invoices", "id": "record.invoice_id"}},
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
            'lookup({"future": "active", "in_trial": "trialing", "active": "active", "non_renewing": "active", '
            '"paused": "paused"}, record.status, "cancelled")'
        ),
        "amount": "record.amount",
        "quantity": "record.quantity",
        "interval": "record.interval",
        "start_date": "date(record.started_at)",
        "end_date": "date(record.ended_at)",
        "next_billing_date": "date(record.next_at)",
    },
    refs={"account": _CUSTOMER},
    deletes=True,
)
QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": "coalesce(record.name, record.id)",
        "number": "record.id",
        "status": (
            'lookup({"open": "sent", "proposed": "sent", "accepted": "accepted", "invoiced": "accepted", '
            '"declined": "declined", "closed": "expired"}, record.status, "draft")'
        ),
        "currency": "record.currency",
        "total": "record.total",
        "issue_date": "date(record.issued_at)",
        "expiry_date": "date(record.expires_at)",
        "lines": "record.lines",
    },
    refs={"account": _CUSTOMER},
    deletes=True,
)
USAGES = StreamSpec(
    name="usages",
    label="Usage",
    entity="usage_record",
    fields={
        "name": 'coalesce(get(record, "note"), record.item_price_id)',
        "usage_date": "date(record.used_at)",
        "quantity": "text(record.quantity)",
        "unit": "record.item_price_id",
    },
    refs={"subscription": {"stream": "subscriptions", "id": "record.subscription_id"}},
)

SCHEDULES = StreamSpec(
    name="schedules",
    label="Advance invoices",
    entity="invoice_schedule",
    fields={
        "name": "record.name",
        # What was billed is an invoice of the subscription, and planned no more.
        "status": '"planned"',
        "due_date": "date(record.due_at)",
        "amount": "record.amount",
    },
    refs={"subscription": {"stream": "subscriptions", "id": "record.subscription_id"}},
    incremental=False,
)

CUSTOMER_SINK = SinkSpec(
    name="customers",
    label="Customers",
    entity="account",
    stream="customers",
    fields={
        "company": "record.name",
        "email": "record.email",
        "phone": "record.phone",
        "preferred_currency_code": "record.currency",
        "vat_number": "record.tax_id",
    },
    deletes=True,
)
INVOICE_SINK = SinkSpec(
    name="invoices",
    label="Invoices",
    entity="invoice",
    stream="invoices",
    fields={
        "customer_id": "refs.account",
        "currency": "record.currency",
        "po_number": "record.reference",
        "status": "record.status",
        "issue_date": "date(record.issue_date)",
        "lines": "record.lines",
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    deletes=True,
)
PAYMENT_SINK = SinkSpec(
    name="payments",
    label="Payments received",
    entity="payment",
    stream="payments",
    fields={
        "invoice_id": "refs.invoice",
        "amount": "record.amount",
        "paid_date": "date(record.paid_date)",
        "reference": "record.reference",
    },
    refs={"invoice": "invoices"},
    required_refs=("invoice",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    updates=False,
    deletes=True,
)
SUBSCRIPTION_SINK = SinkSpec(
    name="subscriptions",
    label="Subscriptions",
    entity="subscription",
    stream="subscriptions",
    fields={
        "customer_id": "refs.account",
        "name": "record.name",
        "status": "record.status",
        "amount": "record.amount",
        "quantity": "record.quantity",
        "start_date": "date(record.start_date)",
        "item_price_id": 'get(connection, "item_price")',
    },
    refs={"account": "customers"},
    required_refs=("account",),
    deletes=True,
)
USAGE_SINK = SinkSpec(
    name="usages",
    label="Usage",
    entity="usage_record",
    stream="usages",
    fields={
        "subscription_id": "refs.subscription",
        "note": "record.name",
        "quantity": "record.quantity",
        "usage_date": "date(record.usage_date)",
        "item_price_id": 'coalesce(get(connection, "usage_item_price"), record.unit)',
    },
    refs={"subscription": "subscriptions"},
    required_refs=("subscription",),
    updates=False,
    deletes=True,
)

SCHEDULE_SINK = SinkSpec(
    name="schedules",
    label="Advance invoices",
    entity="invoice_schedule",
    stream="schedules",
    fields={
        "subscription_id": "refs.subscription",
        "date": "date(record.due_date)",
        "amount": "record.amount",
    },
    refs={"subscription": "subscriptions"},
    required_refs=("subscription",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    deletes=True,
)

MANIFEST = ConnectorManifest(
    key="chargebee",
    name="Chargebee",
    domain=Domain.BILLING,
    description="Subscription billing: customers, subscriptions, invoices, payments, quotes, metered usage and advance invoices.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "Run against a simulator only, which Chargebee's own Python client accepts; the names of all parameters are "
        "those that client declares. Errors, limits and idempotency keys follow Chargebee's documentation as remembered."
    ),
    auth=AuthKind.API_KEY,
    base_url="https://{site}.chargebee.com",
    config=(
        ConfigField(key="site", label="Site", help="acme, when the address is acme.chargebee.com."),
        ConfigField(
            key="api_key",
            label="API key",
            help="A full-access key, under Settings, Configure Chargebee, API keys.",
            secret=True,
        ),
        ConfigField(
            key="base_url",
            label="API address",
            help="Only for a site with an address of its own.",
            kind="url",
            required=False,
        ),
        ConfigField(
            key="item_price",
            label="Item price id",
            help="What new subscriptions are sold as. Needed only to write subscriptions.",
            required=False,
        ),
        ConfigField(
            key="usage_item_price",
            label="Metered item price id",
            help="What usage is recorded for. Needed only to write usage.",
            required=False,
        ),
    ),
    streams=(CUSTOMERS, INVOICES, PAYMENTS, SUBSCRIPTIONS, QUOTES, USAGES, SCHEDULES),
    sinks=(CUSTOMER_SINK, INVOICE_SINK, PAYMENT_SINK, SUBSCRIPTION_SINK, USAGE_SINK, SCHEDULE_SINK),
    # Tax numbers, and how a customer pays.
    redact=("vat_number", "tax_id", "card", "bank_account", "payment_source*", "masked_account_number", "last4"),
    # "What are the Chargebee API limits?": 150 a minute on test sites and in the smallest plan, else 1,000 or more.
    rate_limit=RateLimit(calls=140, seconds=60, concurrent=10),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="authorization",
        streams=("customers", "invoices", "payments", "subscriptions", "quotes", "usages"),
    ),
)
