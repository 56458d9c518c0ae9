"""What is written to Business Central. Payload keys are property names."""

from __future__ import annotations

from apps.connectors.sdk.manifest import Resolve, SinkSpec

BATCH_SIZE = 50
DOCUMENT_LINES = (
    'record.lines.map(l, {"description": l.description, "quantity": l.quantity, "unit_price": decimal(l.unit_price)})'
)
DOCUMENT = {
    "customerId": "refs.account",
    "status": "record.status",
    "currencyCode": "record.currency",
    "total": "decimal(record.total)",
    "lines": DOCUMENT_LINES,
}

SINKS = (
    SinkSpec(
        name="customers",
        deletes=True,
        label="Customers",
        entity="account",
        stream="customers",
        fields={
            "displayName": "record.name",
            "email": "record.email",
            "phoneNumber": "record.phone",
            "website": "record.website",
            "taxRegistrationNumber": "record.tax_id",
        },
        resolve=Resolve.EXTERNAL_ID,
        batch_size=BATCH_SIZE,
    ),
    SinkSpec(
        name="contacts",
        deletes=True,
        label="Contacts",
        entity="contact",
        stream="contacts",
        fields={"displayName": "record.name", "email": "record.email", "phoneNumber": "record.phone"},
        resolve=Resolve.EXTERNAL_ID,
        batch_size=BATCH_SIZE,
    ),
    SinkSpec(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        stream="projects",
        fields={"displayName": "record.name"},
        resolve=Resolve.EXTERNAL_ID,
        batch_size=BATCH_SIZE,
    ),
    SinkSpec(
        name="employees",
        deletes=True,
        label="Employees",
        entity="resource",
        stream="employees",
        fields={
            "givenName": "record.name",
            "email": "record.email",
            "status": 'record.status == "inactive" ? "Inactive" : "Active"',
        },
        resolve=Resolve.EXTERNAL_ID,
        batch_size=BATCH_SIZE,
    ),
    SinkSpec(
        name="time_entries",
        deletes=True,
        label="Time registrations",
        entity="time_entry",
        stream="time_entries",
        fields={
            "employeeId": "refs.resource",
            "jobId": "refs.project",
            "date": "record.work_date",
            "quantity": "number(hours(record.duration_seconds))",
        },
        refs={"resource": "employees", "project": "projects"},
        required_refs=("resource",),
        # The entity has no property that could carry a mark.
        resolve=Resolve.NONE,
        batch_size=BATCH_SIZE,
    ),
    SinkSpec(
        name="invoices",
        label="Sales invoices",
        entity="invoice",
        stream="invoices",
        fields={
            **DOCUMENT,
            "customerPurchaseOrderReference": "coalesce(record.reference, record.number)",
            "invoiceDate": "record.issue_date",
            "dueDate": "record.due_date",
            "tax": "decimal(record.tax)",
        },
        refs={"account": "customers"},
        required_refs=("account",),
        resolve=Resolve.EXTERNAL_ID,
        batch_size=20,
        updates=False,
    ),
    SinkSpec(
        name="quotes",
        deletes=True,
        label="Sales quotes",
        entity="quote",
        stream="quotes",
        fields={**DOCUMENT, "documentDate": "record.issue_date", "validUntilDate": "record.expiry_date"},
        refs={"account": "customers"},
        required_refs=("account",),
        resolve=Resolve.EXTERNAL_ID,
        batch_size=20,
    ),
    SinkSpec(
        name="payments",
        deletes=True,
        label="Customer payments",
        entity="payment",
        stream="payments",
        fields={
            "appliesToInvoiceId": "refs.invoice",
            "amount": "decimal(record.amount)",
            "postingDate": "record.paid_date",
            "externalDocumentNumber": "record.reference",
        },
        refs={"invoice": "invoices"},
        required_refs=("invoice",),
        resolve=Resolve.EXTERNAL_ID,
        batch_size=BATCH_SIZE,
    ),
)
