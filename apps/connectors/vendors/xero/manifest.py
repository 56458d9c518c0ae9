"""What the Xero connector declares about itself."""

from __future__ import annotations

from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Domain,
    Evidence,
    OAuth2Spec,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
    WebhookSpec,
)
from apps.connectors.vendors.xero import project_specs

BASE_URL = "https://api.xero.com"

_STATUS = (
    'lookup({"DRAFT": "draft", "SUBMITTED": "draft", "AUTHORISED": "open", "PAID": "paid", "VOIDED": "void", '
    '"DELETED": "void"}, record.Status, "draft")'
)
_XERO_STATUS = 'lookup({"draft": "DRAFT", "open": "AUTHORISED", "paid": "AUTHORISED", "void": "VOIDED"}, record.status, "AUTHORISED")'

_LINES = (
    # Xero knows lines that are only a description: they count as nothing times nothing.
    'record.LineItems.map(line, {"description": text(get(line, "Description")), '
    '"quantity": text(coalesce(get(line, "Quantity"), "0")), '
    '"unit_price": money(coalesce(get(line, "UnitAmount"), "0"), record.CurrencyCode), '
    '"amount": money(coalesce(get(line, "LineAmount"), "0"), record.CurrencyCode)})'
)

CONTACTS = StreamSpec(
    name="contacts",
    label="Contacts",
    entity="account",
    fields={
        "name": "record.Name",
        "number": 'get(record, "AccountNumber")',
        "email": 'get(record, "EmailAddress")',
        "phone": 'get(record, "Phone")',
        "website": 'get(record, "Website")',
        "currency": 'get(record, "DefaultCurrency")',
        "tax_id": 'get(record, "TaxNumber")',
        "status": 'lookup({"ACTIVE": "active", "ARCHIVED": "inactive"}, record.ContactStatus, "active")',
    },
)
INVOICES = StreamSpec(
    name="invoices",
    label="Sales invoices",
    entity="invoice",
    fields={
        "number": 'get(record, "InvoiceNumber")',
        "reference": 'get(record, "Reference")',
        "status": _STATUS,
        "issue_date": 'date(get(record, "Date"))',
        "due_date": 'date(get(record, "DueDate"))',
        "currency": "record.CurrencyCode",
        "subtotal": "money(record.SubTotal, record.CurrencyCode)",
        "tax": "money(record.TotalTax, record.CurrencyCode)",
        "total": "money(record.Total, record.CurrencyCode)",
        "amount_paid": "money(record.AmountPaid, record.CurrencyCode)",
        "amount_due": "money(record.AmountDue, record.CurrencyCode)",
        "lines": _LINES,
    },
    refs={"account": {"stream": "contacts", "id": 'get(record, "Contact.ContactID")'}},
    deletes=True,
)
PAYMENTS = StreamSpec(
    name="payments",
    label="Payments received",
    entity="payment",
    fields={
        "amount": 'money(record.Amount, get(record, "Invoice.CurrencyCode"))',
        "paid_date": "date(record.Date)",
        "reference": 'get(record, "Reference")',
    },
    refs={"invoice": {"stream": "invoices", "id": 'get(record, "Invoice.InvoiceID")'}},
    deletes=True,
)
QUOTES = StreamSpec(
    name="quotes",
    label="Quotes",
    entity="quote",
    fields={
        "name": 'coalesce(get(record, "Title"), coalesce(get(record, "QuoteNumber"), record.QuoteID))',
        "number": 'get(record, "QuoteNumber")',
        "status": (
            'lookup({"DRAFT": "draft", "SENT": "sent", "ACCEPTED": "accepted", "INVOICED": "accepted", '
            '"DECLINED": "declined", "DELETED": "declined"}, record.Status, "draft")'
        ),
        "currency": "record.CurrencyCode",
        "total": "money(record.Total, record.CurrencyCode)",
        "issue_date": 'date(get(record, "Date"))',
        "expiry_date": 'date(get(record, "ExpiryDate"))',
        "lines": _LINES,
    },
    refs={"account": {"stream": "contacts", "id": 'get(record, "Contact.ContactID")'}},
    deletes=True,
)
CONTACT_SINK = SinkSpec(
    name="contacts",
    deletes=True,
    label="Contacts",
    entity="account",
    stream="contacts",
    fields={
        "Name": "record.name",
        "AccountNumber": "record.number",
        "EmailAddress": "record.email",
        "TaxNumber": "record.tax_id",
        "DefaultCurrency": "record.currency",
        "Phone": "record.phone",
        "ContactStatus": 'record.status == "inactive" ? "ARCHIVED" : null',
    },
    resolve=Resolve.LOOKUP,
    batch_size=50,
)
INVOICE_SINK = SinkSpec(
    name="invoices",
    deletes=True,
    label="Sales invoices",
    entity="invoice",
    stream="invoices",
    fields={
        "ContactID": "refs.account",
        "InvoiceNumber": "record.number",
        "Status": _XERO_STATUS,
        "Date": "date(record.issue_date)",
        "DueDate": "date(record.due_date)",
        "CurrencyCode": "record.currency",
        "AccountCode": 'get(connection, "sales_account")',
        "TaxType": 'get(connection, "tax_type")',
        "LineItems": (
            'record.lines.map(line, {"Description": line.description, "Quantity": text(line.quantity), '
            '"UnitAmount": decimal(line.unit_price), "LineAmount": decimal(line.amount)})'
        ),
    },
    refs={"account": "contacts"},
    required_refs=("account",),
    resolve=Resolve.LOOKUP,
    batch_size=50,
)

PAYMENT_SINK = SinkSpec(
    name="payments",
    deletes=True,
    label="Payments received",
    entity="payment",
    stream="payments",
    fields={
        "InvoiceID": "refs.invoice",
        "AccountCode": 'coalesce(get(connection, "payment_account"), "090")',
        "Amount": "decimal(record.amount)",
        "Date": "date(record.paid_date)",
    },
    refs={"invoice": "invoices"},
    required_refs=("invoice",),
    resolve=Resolve.LOOKUP,
    batch_size=50,
    updates=False,
)

MANIFEST = ConnectorManifest(
    key="xero",
    name="Xero",
    domain=Domain.BILLING,
    description="Online accounting: contacts, quotes, sales invoices and the payments against them; projects and their time.",
    evidence=Evidence.RECORDED,
    evidence_note=(
        "Every request is valid against Xero's published API description; recorded answers of a Xero demo company are "
        "parsed and mapped; quotes and projects are not among them. Not run against a live organization."
    ),
    auth=AuthKind.OAUTH2,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="base_url",
            label="API address",
            help="Leave as it is for Xero's own service.",
            default=BASE_URL,
            kind="url",
            required=False,
        ),
        ConfigField(
            key="tenant_id",
            label="Organization id",
            help="Needed only when the authorization covers several organizations.",
            required=False,
        ),
        ConfigField(
            key="sales_account",
            label="Sales account code",
            help="Ledger account of invoice lines, for example 200.",
            default="200",
        ),
        ConfigField(
            key="payment_account",
            label="Payment account code",
            help="Bank account that recorded payments go to, for example 090. Needed only to write payments.",
            default="090",
            required=False,
        ),
        ConfigField(
            key="tax_type",
            label="Tax type",
            help="For example OUTPUT. Empty: the tax of the sales account.",
            required=False,
        ),
        ConfigField(
            key="task_rate",
            label="Hourly rate of new tasks",
            help="In the project's currency. Needed only to write project tasks.",
            default="0",
            required=False,
        ),
    ),
    streams=(CONTACTS, INVOICES, PAYMENTS, QUOTES, *project_specs.STREAMS),
    sinks=(CONTACT_SINK, INVOICE_SINK, PAYMENT_SINK, *project_specs.SINKS),
    # Xero's contacts carry tax numbers and the account that they are paid to.
    redact=("taxnumber", "bankaccount*", "batchpayments", "tax_id"),
    rate_limit=RateLimit(calls=60, seconds=60, per_day=5000, concurrent=5),
    oauth2=OAuth2Spec(
        authorize_url="https://login.xero.com/identity/connect/authorize",
        token_url="https://identity.xero.com/connect/token",  # noqa: S106 - an address
        scopes=(
            "offline_access",
            "accounting.contacts",
            "accounting.transactions",
            "accounting.settings.read",
            "projects",
        ),
        token_auth="client_secret_basic",  # noqa: S106 - the name of an RFC 6749 method
        unused_days=60,
    ),
    webhook=WebhookSpec(scope="app", signature_header="x-xero-signature", streams=("contacts", "invoices", "payments")),
)
