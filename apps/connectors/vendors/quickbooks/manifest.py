"""What the QuickBooks Online connector declares about itself."""

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
from apps.connectors.vendors.quickbooks import project_specs

BASE_URL = "https://quickbooks.api.intuit.com"

_CURRENCY = 'get(record, "CurrencyRef.value")'
_LINES = (
    'record.Lines.map(line, {"description": line.Description, "quantity": line.Qty, '
    f'"unit_price": money(line.UnitPrice, {_CURRENCY}), "amount": money(line.Amount, {_CURRENCY})}})'
)
_SINK_LINES = (
    'record.lines == null ? null : record.lines.map(line, {"Description": line.description, "Qty": text(line.quantity), '
    '"UnitPrice": decimal(line.unit_price), "Amount": decimal(line.amount)})'
)
_ESTIMATE_STATUS = (
    'lookup({"Pending": "sent", "Accepted": "accepted", "Closed": "accepted", "Converted": "accepted", '
    '"Rejected": "declined"}, get(record, "TxnStatus"), "sent")'
)
_QUICKBOOKS_STATUS = (
    'lookup({"draft": "Pending", "sent": "Pending", "accepted": "Accepted", "declined": "Rejected", '
    '"expired": "Rejected"}, record.status, "Pending")'
)

CUSTOMERS = StreamSpec(
    name="customers",
    label="Customers",
    entity="account",
    fields={
        "name": "record.DisplayName",
        "email": 'get(record, "PrimaryEmailAddr.Address")',
        "phone": 'get(record, "PrimaryPhone.FreeFormNumber")',
        "website": 'get(record, "WebAddr.URI")',
        "currency": _CURRENCY,
        "status": 'get(record, "Active") == false ? "inactive" : "active"',
    },
    deletes=True,
)
INVOICES = StreamSpec(
    name="invoices",
    label="Sales invoices",
    entity="invoice",
    fields={
        "number": 'get(record, "DocNumber")',
        "status": "record.Status",
        "issue_date": 'date(get(record, "TxnDate"))',
        "due_date": 'date(get(record, "DueDate"))',
        "currency": _CURRENCY,
        "subtotal": f"money(record.SubTotal, {_CURRENCY})",
        "tax": f"money(record.TotalTax, {_CURRENCY})",
        "total": f"money(record.TotalAmt, {_CURRENCY})",
        "amount_paid": f"money(record.Paid, {_CURRENCY})",
        "amount_due": f"money(record.Balance, {_CURRENCY})",
        "lines": _LINES,
    },
    refs={"account": {"stream": "customers", "id": 'get(record, "CustomerId")'}},
    deletes=True,
)
PAYMENTS = StreamSpec(
    name="payments",
    label="Payments received",
    entity="payment",
    fields={
        "amount": f"money(record.TotalAmt, {_CURRENCY})",
        "paid_date": "date(record.TxnDate)",
        "method": 'get(record, "PaymentMethodRef.name")',
        "reference": 'get(record, "PaymentRefNum")',
    },
    refs={"invoice": {"stream": "invoices", "id": 'get(record, "InvoiceId")'}},
    deletes=True,
)
ESTIMATES = StreamSpec(
    name="estimates",
    label="Estimates",
    entity="quote",
    fields={
        "name": 'coalesce(get(record, "PrivateNote"), coalesce(get(record, "DocNumber"), record.Id))',
        "number": 'get(record, "DocNumber")',
        "status": _ESTIMATE_STATUS,
        "currency": _CURRENCY,
        "total": f"money(record.TotalAmt, {_CURRENCY})",
        "issue_date": 'date(get(record, "TxnDate"))',
        "expiry_date": 'date(get(record, "ExpirationDate"))',
        "lines": _LINES,
    },
    refs={"account": {"stream": "customers", "id": 'get(record, "CustomerId")'}},
    deletes=True,
)

CUSTOMER_SINK = SinkSpec(
    name="customers",
    label="Customers",
    entity="account",
    stream="customers",
    fields={
        "DisplayName": "record.name",
        "Email": "record.email",
        "Phone": "record.phone",
        "Website": "record.website",
        "Currency": "record.currency",
        "Active": 'record.status == null ? null : record.status != "inactive"',
    },
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)
INVOICE_SINK = SinkSpec(
    name="invoices",
    label="Sales invoices",
    entity="invoice",
    stream="invoices",
    fields={
        "CustomerId": "refs.account",
        "DocNumber": "record.number",
        "Status": "record.status",
        "TxnDate": "date(record.issue_date)",
        "DueDate": "date(record.due_date)",
        "Currency": "record.currency",
        "ItemId": 'get(connection, "sales_item")',
        "TaxCode": 'get(connection, "tax_code")',
        "Lines": _SINK_LINES,
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)
PAYMENT_SINK = SinkSpec(
    name="payments",
    label="Payments received",
    entity="payment",
    stream="payments",
    fields={
        "InvoiceId": "refs.invoice",
        "TotalAmt": "decimal(record.amount)",
        "TxnDate": "date(record.paid_date)",
        "PaymentRefNum": "record.reference",
    },
    refs={"invoice": "invoices"},
    required_refs=("invoice",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)
ESTIMATE_SINK = SinkSpec(
    name="estimates",
    label="Estimates",
    entity="quote",
    stream="estimates",
    fields={
        "CustomerId": "refs.account",
        "PrivateNote": "record.name",
        "DocNumber": "record.number",
        "TxnStatus": _QUICKBOOKS_STATUS,
        "TxnDate": "date(record.issue_date)",
        "ExpirationDate": "date(record.expiry_date)",
        "Currency": "record.currency",
        "ItemId": 'get(connection, "sales_item")',
        "TaxCode": 'get(connection, "tax_code")',
        "Lines": _SINK_LINES,
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)

MANIFEST = ConnectorManifest(
    key="quickbooks",
    name="QuickBooks Online",
    domain=Domain.BILLING,
    description="Online accounting: customers, sales invoices, the payments against them, and estimates; projects and time.",
    evidence=Evidence.RECORDED,
    evidence_note=(
        "Recorded answers of a QuickBooks sandbox company are parsed and mapped; bodies we send are valid against "
        "Intuit's published schema (Finance.xsd); projects, employees and time are not among the recordings. Change data capture, batches and stale-object errors follow Intuit's "
        "documentation and were only simulated. Not run against a live company."
    ),
    auth=AuthKind.OAUTH2,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="base_url",
            label="API address",
            help="Leave as it is for QuickBooks' own service.",
            default=BASE_URL,
            kind="url",
            required=False,
        ),
        ConfigField(
            key="realm_id",
            label="Company id",
            help="QuickBooks shows it under Settings, Account and settings, Billing: 16 digits or so, without spaces.",
        ),
        ConfigField(
            key="sales_item",
            label="Product or service id",
            help="The item that invoice lines are sold as, for example 1 (Services).",
            default="1",
        ),
        ConfigField(
            key="tax_code",
            label="Tax code",
            help="For example TAX or NON (US), or the id of a tax code. Empty: the customer's own.",
            required=False,
        ),
    ),
    streams=(CUSTOMERS, INVOICES, PAYMENTS, ESTIMATES, *project_specs.STREAMS),
    sinks=(CUSTOMER_SINK, INVOICE_SINK, PAYMENT_SINK, ESTIMATE_SINK, *project_specs.SINKS),
    # Customers and employees with tax numbers, days of birth and pay; how a payment was charged.
    redact=("*taxidentifier*", "resalenum", "creditcardpayment", "bankaccount*", "birthdate", "costrate", "tax_id"),
    # Intuit allows 500 a minute and 10 at once for one company.
    rate_limit=RateLimit(calls=450, seconds=60, concurrent=8),
    oauth2=OAuth2Spec(
        authorize_url="https://appcenter.intuit.com/connect/oauth2",
        token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
        scopes=("com.intuit.quickbooks.accounting",),
        token_auth="client_secret_basic",  # noqa: S106 - the name of an RFC 6749 method
        unused_days=100,
    ),
    webhook=WebhookSpec(
        scope="app",
        signature_header="intuit-signature",
        streams=("customers", "invoices", "payments", "estimates"),
    ),
)
