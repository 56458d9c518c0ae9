"""What Pipedrive is to the platform: objects, mappings, limits."""

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

BASE_URL = "https://api.pipedrive.com"
# A record just written is found by search after some seconds.
SETTLE_SECONDS = 60

ORGANIZATIONS = StreamSpec(
    name="organizations",
    label="Organizations",
    entity="account",
    fields={"name": "record.name", "website": 'get(record, "website")'},
)
PERSONS = StreamSpec(
    name="persons",
    label="Persons",
    entity="contact",
    fields={
        "name": "record.name",
        "first_name": 'get(record, "first_name")',
        "last_name": 'get(record, "last_name")',
        "email": 'lower(get(record, "email"))',
        "phone": 'get(record, "phone")',
    },
    refs={"account": {"stream": "organizations", "id": 'get(record, "org_id")'}},
)
DEALS = StreamSpec(
    name="deals",
    label="Deals",
    entity="opportunity",
    fields={
        "name": "record.title",
        "stage": 'lookup({"won": "won", "lost": "lost"}, get(record, "status"), "open")',
        "amount": 'money(get(record, "value"), record.currency)',
        "close_date": 'date(coalesce(get(record, "close_time"), get(record, "expected_close_date")))',
        "owner_email": 'get(record, "owner_email")',
        "payment_status": (
            'lookup({"invoiced": "invoiced", "part_paid": "part_paid", "paid": "paid"}, '
            'get(record, "ours.payment_status"), "none")'
        ),
        "invoice_number": 'get(record, "ours.invoice_number")',
        "invoiced_amount": 'money(get(record, "ours.invoiced_amount"), record.currency)',
        "paid_amount": 'money(get(record, "ours.paid_amount"), record.currency)',
    },
    refs={
        "account": {"stream": "organizations", "id": 'get(record, "org_id")'},
        "contact": {"stream": "persons", "id": 'get(record, "person_id")'},
    },
    deletes=True,
)

ORGANIZATION_SINK = SinkSpec(
    name="organizations",
    deletes=True,
    label="Organizations",
    entity="account",
    stream="organizations",
    fields={"name": "record.name"},
    resolve=Resolve.LOOKUP_AFTER_SETTLE,
    settle_seconds=SETTLE_SECONDS,
)
PERSON_SINK = SinkSpec(
    name="persons",
    deletes=True,
    label="Persons",
    entity="contact",
    stream="persons",
    fields={
        "name": "record.name",
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        # Pipedrive takes ids as numbers only.
        "org_id": 'integer(get(refs, "account"))',
    },
    refs={"account": "organizations"},
    resolve=Resolve.LOOKUP_AFTER_SETTLE,
    settle_seconds=SETTLE_SECONDS,
)
DEAL_SINK = SinkSpec(
    name="deals",
    deletes=True,
    label="Deals",
    entity="opportunity",
    stream="deals",
    fields={
        "title": "record.name",
        "value": 'number(decimal(get(record, "amount")))',
        "currency": 'currency(get(record, "amount"))',
        "expected_close_date": 'get(record, "close_date")',
        "status": 'lookup({"won": "won", "lost": "lost"}, get(record, "stage"), null)',
        "org_id": 'integer(get(refs, "account"))',
        "person_id": 'integer(get(refs, "contact"))',
        # Not a field: the currency that the amounts below are in, to be compared with the deal's.
        "payment_currency": 'currency(coalesce(get(record, "invoiced_amount"), get(record, "paid_amount")))',
        "cf_payment_status": 'get(record, "payment_status")',
        "cf_invoice_number": 'get(record, "invoice_number")',
        "cf_invoiced_amount": 'number(decimal(get(record, "invoiced_amount")))',
        "cf_paid_amount": 'number(decimal(get(record, "paid_amount")))',
    },
    refs={"account": "organizations", "contact": "persons"},
    resolve=Resolve.LOOKUP_AFTER_SETTLE,
    settle_seconds=SETTLE_SECONDS,
)

MANIFEST = ConnectorManifest(
    key="pipedrive",
    name="Pipedrive",
    domain=Domain.CRM,
    description="Organizations, persons and deals; payment status written back to deals.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "Paths, parameters and fields are those of Pipedrive's published client libraries for API v2; the simulator was "
        "written from them. How soon search finds a new record is assumed. Not run against a live company."
    ),
    auth=AuthKind.API_KEY,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="api_key",
            label="API token",
            help="Personal preferences > API, of a user who sees all deals. The first write adds the custom fields Sync "
            "reference (to organizations, persons and deals), Payment status, Invoice number (text), Invoiced amount and "
            "Paid amount (numerical, to deals); the check names those that another user has to add.",
            secret=True,
        ),
        ConfigField(
            key="base_url",
            label="Address",
            help="https://<company>.pipedrive.com, or leave it as it is.",
            kind="url",
            required=False,
            default=BASE_URL,
        ),
    ),
    streams=(ORGANIZATIONS, PERSONS, DEALS),
    sinks=(ORGANIZATION_SINK, PERSON_SINK, DEAL_SINK),
    # What the synchronization of address books brings along, and links to documents.
    redact=("birthday", "im", "postal_address", "tax_id", "vat_*", "*_vat*"),
    # Recorded: 80 calls in 2 seconds; search is the tightest at 10 in 2 seconds.
    rate_limit=RateLimit(calls=10, seconds=2),
    webhook=WebhookSpec(
        scope="connection", signature_header="authorization", streams=("organizations", "persons", "deals")
    ),
)
