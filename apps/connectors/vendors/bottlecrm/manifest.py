"""What BottleCRM is to the platform: objects, mappings, limits."""

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

ACCOUNTS = StreamSpec(
    name="accounts",
    label="Accounts",
    entity="account",
    fields={
        "name": "record.name",
        "email": 'lower(get(record, "email"))',
        "domain": 'get(record, "domain")',
        "phone": 'get(record, "phone")',
        "website": 'get(record, "website")',
        "currency": 'get(record, "currency")',
        "status": 'record.is_active ? "active" : "inactive"',
    },
    incremental=False,
)
CONTACTS = StreamSpec(
    name="contacts",
    label="Contacts",
    entity="contact",
    fields={
        "name": 'coalesce(trim(record.first_name + " " + record.last_name), record.id)',
        "first_name": 'get(record, "first_name")',
        "last_name": 'get(record, "last_name")',
        "email": 'lower(get(record, "email"))',
        "phone": 'get(record, "phone")',
    },
    refs={"account": {"stream": "accounts", "id": 'get(record, "account")'}},
    incremental=False,
)
OPPORTUNITIES = StreamSpec(
    name="opportunities",
    label="Opportunities",
    entity="opportunity",
    fields={
        "name": "record.name",
        "stage": 'coalesce(get(record, "stage_kind"), "open")',
        "amount": 'money(get(record, "amount"), record.currency)',
        "close_date": 'date(get(record, "closed_on"))',
        "owner_email": 'get(record, "owner_email")',
        "payment_status": 'coalesce(get(record, "custom_fields.payment_status"), "none")',
        "invoice_number": 'get(record, "custom_fields.invoice_number")',
        "invoiced_amount": 'money(get(record, "custom_fields.invoiced_amount"), record.currency)',
        "paid_amount": 'money(get(record, "custom_fields.paid_amount"), record.currency)',
    },
    refs={
        "account": {"stream": "accounts", "id": 'get(record, "account.id")'},
        "contact": {"stream": "contacts", "id": 'get(record, "contacts.0.id")'},
    },
    incremental=False,
)

QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": 'coalesce(get(record, "title"), record.estimate_number)',
        "status": (
            'lookup({"Sent": "sent", "Viewed": "sent", "Accepted": "accepted", "Declined": "declined", '
            '"Expired": "expired"}, get(record, "status"), "draft")'
        ),
        "currency": "record.currency",
        "number": 'get(record, "estimate_number")',
        "total": 'money(get(record, "total_amount"), record.currency)',
        "issue_date": 'date(get(record, "issue_date"))',
        "expiry_date": 'date(get(record, "expiry_date"))',
        "lines": (
            'record.line_items.map(line, {"description": coalesce(text(get(line, "description")), text(get(line, "name"))), '
            '"quantity": line.quantity, "unit_price": money(line.unit_price, record.currency), '
            '"amount": money(line.net_amount, record.currency)})'
        ),
    },
    refs={
        "account": {"stream": "accounts", "id": 'get(record, "account.id")'},
        "contact": {"stream": "contacts", "id": 'get(record, "contact.id")'},
        "opportunity": {"stream": "opportunities", "id": 'get(record, "opportunity.id")'},
    },
    incremental=False,
)

ACCOUNT_SINK = SinkSpec(
    name="accounts",
    deletes=True,
    label="Accounts",
    entity="account",
    stream="accounts",
    fields={
        "name": "record.name",
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        "website": 'coalesce(get(record, "website"), get(record, "domain"))',
        "currency": 'get(record, "currency")',
    },
    resolve=Resolve.LOOKUP,
)
CONTACT_SINK = SinkSpec(
    name="contacts",
    deletes=True,
    label="Contacts",
    entity="contact",
    stream="contacts",
    fields={
        # Both names are required; a dash stands for the one nobody knows.
        "first_name": 'coalesce(get(record, "first_name"), "-")',
        "last_name": 'coalesce(get(record, "last_name"), get(record, "name"))',
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        "account": 'get(refs, "account")',
    },
    refs={"account": "accounts"},
    resolve=Resolve.LOOKUP,
)
OPPORTUNITY_SINK = SinkSpec(
    name="opportunities",
    deletes=True,
    label="Opportunities",
    entity="opportunity",
    stream="opportunities",
    fields={
        "name": "record.name",
        "amount": 'decimal(get(record, "amount"))',
        "currency": 'currency(get(record, "amount"))',
        "closed_on": 'get(record, "close_date")',
        # Open deals keep the stage their owner gave them.
        "stage_kind": 'lookup({"won": "won", "lost": "lost"}, get(record, "stage"), null)',
        "account": 'get(refs, "account")',
        "contact": 'get(refs, "contact")',
        # Not a field: the currency that the amounts below are in, to be compared with the deal's.
        "payment_currency": 'currency(coalesce(get(record, "invoiced_amount"), get(record, "paid_amount")))',
        "cf_payment_status": 'get(record, "payment_status")',
        "cf_invoice_number": 'get(record, "invoice_number")',
        "cf_invoiced_amount": 'number(decimal(get(record, "invoiced_amount")))',
        "cf_paid_amount": 'number(decimal(get(record, "paid_amount")))',
    },
    refs={"account": "accounts", "contact": "contacts"},
    resolve=Resolve.LOOKUP,
)

MANIFEST = ConnectorManifest(
    key="bottlecrm",
    name="BottleCRM",
    domain=Domain.CRM,
    description="Self-hosted CRM: accounts, contacts, opportunities and quotes; payment status written back.",
    evidence=Evidence.REAL_SERVER,
    evidence_note=(
        "The same conformance suite passes on a real BottleCRM 1.35 server and on the simulator. BottleCRM tells no time "
        "of modification for accounts and opportunities: each pass reads all of them, webhooks announce changes earlier."
    ),
    auth=AuthKind.API_KEY,
    base_url="",
    config=(
        ConfigField(key="base_url", label="Address", help="For example https://crm.example.com", kind="url"),
        ConfigField(
            key="api_key",
            label="Personal access token",
            help="Settings > Access tokens, of an administrator. The first write adds the custom fields sync_ref (to "
            "accounts, contacts and opportunities), payment_status, invoice_number, invoiced_amount and paid_amount (to "
            "opportunities); the check names those that another kind of user has to have added.",
            secret=True,
        ),
    ),
    streams=(ACCOUNTS, CONTACTS, OPPORTUNITIES, QUOTES),
    sinks=(ACCOUNT_SINK, CONTACT_SINK, OPPORTUNITY_SINK),
    # A quote's page opens to whoever holds its token.
    redact=("public_token", "public_url", "tax_id"),
    # A server of one's own publishes no limit; this keeps a small one responsive for its people.
    rate_limit=RateLimit(calls=100, seconds=10, concurrent=4),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="x-bottlecrm-signature",
        streams=("accounts", "contacts", "opportunities"),
    ),
)
