"""What Salesforce is to the platform: objects, mappings, limits."""

from __future__ import annotations

from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    Grant,
    MachineAccess,
    OAuth2Spec,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
)
from apps.connectors.vendors.salesforce.objects import OBJECTS, PAYMENT_FIELDS, SYNC_REF

BASE_URL = "https://login.salesforce.com"
BATCH_SIZE = 200
MARKED = ", ".join(found.sobject for found in OBJECTS.values() if SYNC_REF in found.custom)
FIELDS_HELP = (
    f"An administrator adds these custom fields and gives the connected user access to them: {SYNC_REF} (Text 64, "
    f"External ID, Unique) on {MARKED}; on Opportunity {PAYMENT_FIELDS[0]} and {PAYMENT_FIELDS[1]} (Text), "
    f"{PAYMENT_FIELDS[2]} and {PAYMENT_FIELDS[3]} (Currency). The connection check names those that are missing."
)
STAGE = 'record.IsWon ? "won" : (record.IsClosed ? "lost" : "open")'
QUOTE_STATUS = (
    'lookup({"Presented": "sent", "Accepted": "accepted", "Denied": "declined", "Rejected": "declined", '
    '"Expired": "expired"}, get(record, "Status"), "draft")'
)
QUOTE_LINES = (
    "record.QuoteLineItems.map(line, "
    '{"description": coalesce(text(get(line, "Description")), text(get(line, "Product2.Name"))), '
    '"quantity": decimal(line.Quantity), "unit_price": money(line.UnitPrice, record.currency), '
    '"amount": money(line.TotalPrice, record.currency)})'
)
# Picklist values are an org's own; the category behind an activated contract is not.
CONTRACT_STATUS = (
    'get(record, "StatusCode") == "Activated" ? '
    'lookup({"Expired": "ended", "Terminated": "cancelled", "Cancelled": "cancelled"}, get(record, "Status"), "active") '
    ': "draft"'
)
ACCOUNT_REF = {"stream": "accounts", "id": 'get(record, "AccountId")'}

ACCOUNTS = StreamSpec(
    name="accounts",
    label="Accounts",
    entity="account",
    fields={
        "name": "record.Name",
        "number": 'get(record, "AccountNumber")',
        "domain": 'get(record, "domain")',
        "phone": 'get(record, "Phone")',
        "website": 'get(record, "Website")',
        "currency": 'get(record, "currency")',
    },
    deletes=True,
)
CONTACTS = StreamSpec(
    name="contacts",
    label="Contacts",
    entity="contact",
    fields={
        "name": "record.Name",
        "first_name": 'get(record, "FirstName")',
        "last_name": 'get(record, "LastName")',
        "email": 'lower(get(record, "Email"))',
        "phone": 'get(record, "Phone")',
    },
    refs={"account": ACCOUNT_REF},
    deletes=True,
)
OPPORTUNITIES = StreamSpec(
    name="opportunities",
    label="Opportunities",
    entity="opportunity",
    fields={
        "name": "record.Name",
        "stage": STAGE,
        "amount": 'money(get(record, "Amount"), record.currency)',
        "close_date": 'date(get(record, "CloseDate"))',
        "owner_email": 'get(record, "Owner.Email")',
        "payment_status": (
            'lookup({"none": "none", "invoiced": "invoiced", "part_paid": "part_paid", "paid": "paid"}, '
            f'get(record, "{PAYMENT_FIELDS[0]}"), "none")'
        ),
        "invoice_number": f'get(record, "{PAYMENT_FIELDS[1]}")',
        "invoiced_amount": f'money(get(record, "{PAYMENT_FIELDS[2]}"), record.currency)',
        "paid_amount": f'money(get(record, "{PAYMENT_FIELDS[3]}"), record.currency)',
    },
    refs={
        "account": ACCOUNT_REF,
        "contact": {"stream": "contacts", "id": 'get(record, "OpportunityContactRoles.0.ContactId")'},
    },
    deletes=True,
)
QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": "record.Name",
        "status": QUOTE_STATUS,
        "currency": "record.currency",
        "number": 'get(record, "QuoteNumber")',
        "total": 'money(get(record, "GrandTotal"), record.currency)',
        "issue_date": 'date(get(record, "CreatedDate"))',
        "expiry_date": 'date(get(record, "ExpirationDate"))',
        "lines": QUOTE_LINES,
    },
    refs={
        "account": ACCOUNT_REF,
        "contact": {"stream": "contacts", "id": 'get(record, "ContactId")'},
        "opportunity": {"stream": "opportunities", "id": 'get(record, "OpportunityId")'},
    },
    deletes=True,
)
CONTRACTS = StreamSpec(
    name="contracts",
    label="Contracts",
    entity="contract",
    fields={
        "name": 'coalesce(get(record, "Name"), record.ContractNumber)',
        "status": CONTRACT_STATUS,
        "number": "record.ContractNumber",
        "start_date": 'date(get(record, "StartDate"))',
        "end_date": 'date(get(record, "EndDate"))',
    },
    refs={"account": ACCOUNT_REF},
    deletes=True,
)

SCHEDULES = StreamSpec(
    name="schedules",
    label="Revenue schedules",
    entity="invoice_schedule",
    fields={
        "name": 'coalesce(get(record, "Description"), coalesce(get(record, "OpportunityLineItem.Name"), "Installment"))',
        # Salesforce plans revenue; what was billed of it, the billing system knows.
        "status": '"planned"',
        "due_date": 'date(get(record, "ScheduleDate"))',
        "amount": 'money(get(record, "Revenue"), record.currency)',
    },
    refs={"opportunity": {"stream": "opportunities", "id": 'get(record, "OpportunityLineItem.OpportunityId")'}},
    deletes=True,
)

ACCOUNT_SINK = SinkSpec(
    name="accounts",
    deletes=True,
    label="Accounts",
    entity="account",
    stream="accounts",
    fields={
        "Name": "record.name",
        "AccountNumber": 'get(record, "number")',
        "Phone": 'get(record, "phone")',
        "Website": 'coalesce(get(record, "website"), get(record, "domain"))',
    },
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
)
CONTACT_SINK = SinkSpec(
    name="contacts",
    deletes=True,
    label="Contacts",
    entity="contact",
    stream="contacts",
    fields={
        "FirstName": 'get(record, "first_name")',
        "LastName": 'coalesce(get(record, "last_name"), get(record, "name"))',
        "Email": 'get(record, "email")',
        "Phone": 'get(record, "phone")',
        "AccountId": 'get(refs, "account")',
    },
    refs={"account": "accounts"},
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
)
OPPORTUNITY_SINK = SinkSpec(
    name="opportunities",
    deletes=True,
    label="Opportunities",
    entity="opportunity",
    stream="opportunities",
    fields={
        "Name": "record.name",
        "Amount": 'number(decimal(get(record, "amount")))',
        "CurrencyIsoCode": 'currency(get(record, "amount"))',
        "CloseDate": 'get(record, "close_date")',
        # An open opportunity keeps the stage its owner gave it; only a new one is given the first.
        "StageName": (
            'lookup({"won": get(connection, "won_stage"), "lost": get(connection, "lost_stage")}, '
            'get(record, "stage"), null)'
        ),
        "initial_StageName": 'get(connection, "open_stage")',
        "AccountId": 'get(refs, "account")',
        # Salesforce takes the primary contact only when the opportunity is created.
        "initial_ContactId": 'get(refs, "contact")',
        # Not a field: the currency that the amounts below are in, to be compared with the opportunity's.
        "payment_currency": 'currency(coalesce(get(record, "invoiced_amount"), get(record, "paid_amount")))',
        PAYMENT_FIELDS[0]: 'get(record, "payment_status")',
        PAYMENT_FIELDS[1]: 'get(record, "invoice_number")',
        PAYMENT_FIELDS[2]: 'number(decimal(get(record, "invoiced_amount")))',
        PAYMENT_FIELDS[3]: 'number(decimal(get(record, "paid_amount")))',
    },
    refs={"account": "accounts", "contact": "contacts"},
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
)
QUOTE_SINK = SinkSpec(
    name="quotes",
    deletes=True,
    label="Quotes",
    entity="quote",
    stream="quotes",
    fields={
        "Name": "record.name",
        "Status": (
            'lookup({"draft": "Draft", "sent": "Presented", "accepted": "Accepted", "declined": "Denied"}, '
            'get(record, "status"), null)'
        ),
        "ExpirationDate": 'get(record, "expiry_date")',
        "ContactId": 'get(refs, "contact")',
        # A quote cannot be moved to another opportunity.
        "initial_OpportunityId": 'get(refs, "opportunity")',
    },
    refs={"contact": "contacts", "opportunity": "opportunities"},
    required_refs=("opportunity",),
    resolve=Resolve.EXTERNAL_ID,
    batch_size=BATCH_SIZE,
)

MANIFEST = ConnectorManifest(
    key="salesforce",
    name="Salesforce",
    domain=Domain.CRM,
    description="Accounts, contacts, opportunities with their revenue schedules, quotes and contracts; payment status written back.",
    evidence=Evidence.RECORDED,
    evidence_note=(
        "Recorded answers of a real org are parsed and mapped, and an independent Salesforce client accepts the "
        "simulator. Revenue schedules are not among the recordings. The create-only contact of an opportunity and the codes of some refusals rest on documentation; "
        "not run against a live org."
    ),
    auth=AuthKind.OAUTH2,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="base_url",
            label="My Domain address",
            help="https://<your domain>.my.salesforce.com, from Setup > My Domain. " + FIELDS_HELP,
            kind="url",
        ),
        ConfigField(
            key="currency",
            label="Currency",
            help="ISO code of the org's currency, for example EUR. Orgs with several currencies leave it empty.",
            required=False,
        ),
        ConfigField(key="open_stage", label="First stage", default="Prospecting", required=False),
        ConfigField(key="won_stage", label="Stage of won deals", default="Closed Won", required=False),
        ConfigField(key="lost_stage", label="Stage of lost deals", default="Closed Lost", required=False),
    ),
    streams=(ACCOUNTS, CONTACTS, OPPORTUNITIES, QUOTES, CONTRACTS, SCHEDULES),
    sinks=(ACCOUNT_SINK, CONTACT_SINK, OPPORTUNITY_SINK, QUOTE_SINK),
    # Days of birth, and tax and bank numbers under the names that orgs give the fields they add (`Tax_ID__c`).
    redact=(
        "*birthdate*",
        "*birth_date*",
        "*tax_id*",
        "*taxid*",
        "vat_*",
        "*_vat*",
        "*tax_number*",
        "*bank*",
        "*salary*",
    ),
    # 25 long calls at once and, in the smallest paid edition, 100,000 a day; developer orgs have 15,000.
    rate_limit=RateLimit(calls=100, seconds=10, per_day=15_000, concurrent=20),
    oauth2=OAuth2Spec(
        authorize_url="{base_url}/services/oauth2/authorize",
        token_url="{base_url}/services/oauth2/token",  # noqa: S106 - an address
        scopes=("api", "refresh_token"),
        lifetime_seconds=900,
        machine=MachineAccess(
            grant=Grant.JWT_BEARER,
            config=(
                ConfigField(
                    key="client_id",
                    label="Consumer key",
                    help="Of an external client app with the JWT bearer flow, the certificate of the key below, the scopes "
                    "api and refresh_token, and users approved in advance.",
                ),
                ConfigField(key="subject", label="Username", help="Of the user that the platform acts as."),
                ConfigField(
                    key="audience",
                    label="Login address",
                    help="https://test.salesforce.com for a sandbox.",
                    kind="url",
                    default=BASE_URL,
                    required=False,
                ),
                ConfigField(key="private_key", label="Private key", secret=True, kind="multiline"),
            ),
            audience="{audience}",
        ),
    ),
)
