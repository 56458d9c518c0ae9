"""What HubSpot is to the platform: objects, mappings, limits."""

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
from apps.connectors.vendors.hubspot.currencies import DEAL_CURRENCY, PAYMENT_CURRENCY

BASE_URL = "https://api.hubapi.com"
BATCH_SIZE = 100
FULL_NAME = 'trim(text(get(record, "properties.firstname")) + " " + text(get(record, "properties.lastname")))'


def coalesced(*expressions: str) -> str:
    """The first that is not empty, at last the record's id: HubSpot lets every record go without a name."""
    found = 'get(record, "id")'
    for expression in reversed(expressions):
        found = f"coalesce({expression}, {found})"
    return found


STAGE = (
    'get(record, "properties.hs_is_closed_won") == "true" ? "won" : '
    '(get(record, "properties.hs_is_closed_lost") == "true" ? "lost" : '
    'lookup({"closedwon": "won", "closedlost": "lost"}, get(record, "properties.dealstage"), "open"))'
)

COMPANIES = StreamSpec(
    name="companies",
    label="Companies",
    entity="account",
    fields={
        "name": coalesced('trim(get(record, "properties.name"))', 'get(record, "properties.domain")'),
        "domain": 'lower(get(record, "properties.domain"))',
        "phone": 'get(record, "properties.phone")',
        "website": 'get(record, "properties.website")',
    },
    deletes=True,
)
CONTACTS = StreamSpec(
    name="contacts",
    label="Contacts",
    entity="contact",
    fields={
        "name": coalesced(FULL_NAME, 'get(record, "properties.email")'),
        "first_name": 'get(record, "properties.firstname")',
        "last_name": 'get(record, "properties.lastname")',
        "email": 'lower(get(record, "properties.email"))',
        "phone": 'get(record, "properties.phone")',
    },
    refs={"account": {"stream": "companies", "id": 'get(record, "associations.companies")'}},
    deletes=True,
)
DEALS = StreamSpec(
    name="deals",
    label="Deals",
    entity="opportunity",
    fields={
        "name": coalesced('trim(get(record, "properties.dealname"))'),
        "stage": STAGE,
        "amount": 'money(get(record, "properties.amount"), get(record, "currency"))',
        "close_date": 'date(get(record, "properties.closedate"))',
        "owner_email": 'get(record, "owner_email")',
        "payment_status": 'coalesce(get(record, "properties.payment_status"), "none")',
        "invoice_number": 'get(record, "properties.invoice_number")',
        "invoiced_amount": 'money(get(record, "properties.invoiced_amount"), get(record, "currency"))',
        "paid_amount": 'money(get(record, "properties.paid_amount"), get(record, "currency"))',
    },
    refs={
        "account": {"stream": "companies", "id": 'get(record, "associations.companies")'},
        "contact": {"stream": "contacts", "id": 'get(record, "associations.contacts")'},
    },
    deletes=True,
)

QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": coalesced('trim(get(record, "properties.hs_title"))'),
        "status": (
            'get(record, "properties.hs_sign_status") == "ESIGN_COMPLETED" ? "accepted" : '
            'lookup({"APPROVED": "sent", "APPROVAL_NOT_NEEDED": "sent"}, get(record, "properties.hs_status"), "draft")'
        ),
        "currency": "record.currency",
        "number": 'get(record, "properties.hs_quote_number")',
        "total": 'money(get(record, "properties.hs_quote_amount"), record.currency)',
        "issue_date": 'date(get(record, "properties.hs_createdate"))',
        "expiry_date": 'date(get(record, "properties.hs_expiration_date"))',
        "lines": (
            'record.lines.map(line, {"description": coalesce(text(get(line, "description")), text(get(line, "name"))), '
            '"quantity": decimal(coalesce(get(line, "quantity"), "1")), '
            '"unit_price": money(coalesce(get(line, "price"), "0"), record.currency), '
            '"amount": money(coalesce(get(line, "amount"), "0"), record.currency)})'
        ),
    },
    refs={
        "account": {"stream": "companies", "id": 'get(record, "associations.companies")'},
        "contact": {"stream": "contacts", "id": 'get(record, "associations.contacts")'},
        "opportunity": {"stream": "deals", "id": 'get(record, "associations.deals")'},
    },
    deletes=True,
)

COMPANY_SINK = SinkSpec(
    name="companies",
    label="Companies",
    entity="account",
    stream="companies",
    fields={
        "name": "record.name",
        "domain": 'get(record, "domain")',
        "phone": 'get(record, "phone")',
        "website": 'get(record, "website")',
    },
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
    deletes=True,
)
CONTACT_SINK = SinkSpec(
    name="contacts",
    label="Contacts",
    entity="contact",
    stream="contacts",
    fields={
        "firstname": 'get(record, "first_name")',
        "lastname": 'coalesce(get(record, "last_name"), get(record, "name"))',
        "email": 'get(record, "email")',
        "phone": 'get(record, "phone")',
        "associated_companies": 'get(refs, "account")',
    },
    refs={"account": "companies"},
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
    deletes=True,
)
DEAL_SINK = SinkSpec(
    name="deals",
    label="Deals",
    entity="opportunity",
    stream="deals",
    fields={
        "dealname": "record.name",
        "amount": 'decimal(get(record, "amount"))',
        DEAL_CURRENCY: 'currency(get(record, "amount"))',
        "closedate": 'get(record, "close_date")',
        # Open deals keep the stage their owner gave them: a portal's own stages have no canonical counterpart.
        "dealstage": 'lookup({"won": "closedwon", "lost": "closedlost"}, get(record, "stage"), null)',
        # To be compared with the deal's own, since the amounts below are plain numbers.
        PAYMENT_CURRENCY: 'currency(coalesce(get(record, "invoiced_amount"), get(record, "paid_amount")))',
        "payment_status": 'get(record, "payment_status")',
        "invoice_number": 'get(record, "invoice_number")',
        "invoiced_amount": 'decimal(get(record, "invoiced_amount"))',
        "paid_amount": 'decimal(get(record, "paid_amount"))',
        "associated_companies": 'get(refs, "account")',
        "associated_contacts": 'get(refs, "contact")',
    },
    refs={"account": "companies", "contact": "contacts"},
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
    deletes=True,
)

MANIFEST = ConnectorManifest(
    key="hubspot",
    name="HubSpot",
    domain=Domain.CRM,
    description="Companies, contacts, deals and quotes; payment status written back to deals.",
    evidence=Evidence.RECORDED,
    evidence_note=(
        "Every request is valid against HubSpot's published API descriptions; recorded answers of real portals are "
        "parsed and mapped. Not run against a live portal."
    ),
    auth=AuthKind.API_KEY,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="api_key",
            label="Private app token",
            help="Settings > Integrations > Private apps. Scopes: crm.objects and crm.schemas (read and write) for "
            "companies, contacts and deals, and to read: crm.objects.owners, and crm.objects.quotes and "
            "crm.objects.line_items where quotes are synchronized.",
            secret=True,
        ),
        ConfigField(key="base_url", label="API address", kind="url", required=False, default=BASE_URL),
    ),
    streams=(COMPANIES, CONTACTS, DEALS, QUOTES),
    sinks=(COMPANY_SINK, CONTACT_SINK, DEAL_SINK),
    # Personal properties that every portal has or may be asked for, and links that open a quote to whoever holds them.
    redact=(
        "date_of_birth",
        "gender",
        "marital_status",
        "military_status",
        "relationship_status",
        "tax_id",
        "vat_*",
        "*_vat*",
        "hs_quote_link",
        "hs_pdf_download_link",
    ),
    # The tightest published limit is search: private apps may call 100 times per 10 s, search 4 to 5 times a second.
    rate_limit=RateLimit(calls=40, seconds=10, per_day=250_000),
    webhook=WebhookSpec(
        scope="app", signature_header="x-hubspot-signature-v3", streams=("companies", "contacts", "deals", "quotes")
    ),
)
