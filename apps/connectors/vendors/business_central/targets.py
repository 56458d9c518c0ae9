"""What is written to Business Central. Payload keys are property names."""

from __future__ import annotations

from apps.connectors.sdk.erp_sinks import DOCUMENT_LINES, marked_sink
from apps.connectors.sdk.manifest import Resolve, SinkSpec

BATCH_SIZE = 50
DOCUMENT = {
    "customerId": "refs.account",
    "status": "record.status",
    "currencyCode": "record.currency",
    "total": "decimal(record.total)",
    "lines": DOCUMENT_LINES,
}

SINKS = (
    marked_sink(
        name="customers",
        deletes=True,
        label="Customers",
        entity="account",
        fields={
            "displayName": "record.name",
            "email": "record.email",
            "phoneNumber": "record.phone",
            "website": "record.website",
            "taxRegistrationNumber": "record.tax_id",
        },
        batch_size=BATCH_SIZE,
    ),
    marked_sink(
        name="contacts",
        deletes=True,
        label="Contacts",
        entity="contact",
        fields={"displayName": "record.name", "email": "record.email", "phoneNumber": "record.phone"},
        batch_size=BATCH_SIZE,
    ),
    marked_sink(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        fields={"displayName": "record.name"},
        batch_size=BATCH_SIZE,
    ),
    marked_sink(
        name="employees",
        deletes=True,
        label="Employees",
        entity="resource",
        fields={
            "givenName": "record.name",
            "email": "record.email",
            "status": 'record.status == "inactive" ? "Inactive" : "Active"',
        },
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
    marked_sink(
        name="invoices",
        label="Sales invoices",
        entity="invoice",
        fields={
            **DOCUMENT,
            "customerPurchaseOrderReference": "coalesce(record.reference, record.number)",
            "invoiceDate": "record.issue_date",
            "dueDate": "record.due_date",
            "tax": "decimal(record.tax)",
        },
        refs={"account": "customers"},
        required_refs=("account",),
        batch_size=20,
        updates=False,
    ),
    marked_sink(
        name="quotes",
        deletes=True,
        label="Sales quotes",
        entity="quote",
        fields={**DOCUMENT, "documentDate": "record.issue_date", "validUntilDate": "record.expiry_date"},
        refs={"account": "customers"},
        required_refs=("account",),
        batch_size=20,
    ),
    marked_sink(
        name="payments",
        deletes=True,
        label="Customer payments",
        entity="payment",
        fields={
            "appliesToInvoiceId": "refs.invoice",
            "amount": "decimal(record.amount)",
            "postingDate": "record.paid_date",
            "externalDocumentNumber": "record.reference",
        },
        refs={"invoice": "invoices"},
        required_refs=("invoice",),
        batch_size=BATCH_SIZE,
    ),
)
