"""How Business Central's entities read in canonical words."""

from __future__ import annotations

from apps.connectors.sdk.manifest import StreamSpec

INVOICE_STATUS = (
    'lookup({"Draft": "draft", "In Review": "draft", "Open": "open", "Paid": "paid", "Canceled": "void", '
    '"Corrective": "void"}, record.status, "draft")'
)
QUOTE_STATUS = (
    'lookup({"Draft": "draft", "Sent": "sent", "Accepted": "accepted", "Expired": "expired"}, record.status, "draft")'
)
TIME_STATUS = 'lookup({"Submitted": "submitted", "Approved": "approved"}, get(record, "status"), "draft")'
RELATED_CUSTOMER = 'record.contactsInformation.filter(c, get(c, "relatedType") == "Customer")'


def amount(name: str) -> str:
    return f'money(get(record, "{name}"), record.currency)'


def lines(name: str) -> str:
    return (
        # Comment lines carry text and nothing else.
        f'record.{name}.filter(l, get(l, "lineType") != "Comment").map(l, {{"description": text(get(l, "description")), '
        '"quantity": decimal(coalesce(get(l, "quantity"), 0)), '
        '"unit_price": money(coalesce(get(l, "unitPrice"), 0), record.currency), '
        '"amount": money(coalesce(get(l, "amountExcludingTax"), 0), record.currency)})'
    )


CUSTOMER_REF = {"account": {"stream": "customers", "id": 'get(record, "customerId")'}}

STREAMS = (
    StreamSpec(
        name="customers",
        label="Customers",
        entity="account",
        fields={
            "name": 'coalesce(get(record, "displayName"), record.number)',
            "number": 'get(record, "number")',
            "email": 'lower(get(record, "email"))',
            "phone": 'get(record, "phoneNumber")',
            "website": 'get(record, "website")',
            "currency": "record.currency",
            "tax_id": 'get(record, "taxRegistrationNumber")',
            "status": 'get(record, "blocked") == "All" ? "inactive" : "active"',
        },
    ),
    StreamSpec(
        name="contacts",
        label="Contacts",
        entity="contact",
        fields={
            "name": 'coalesce(get(record, "displayName"), record.number)',
            "email": 'lower(get(record, "email"))',
            "phone": 'coalesce(get(record, "phoneNumber"), get(record, "mobilePhoneNumber"))',
        },
        refs={
            "account": {
                "stream": "customers",
                "id": f"size({RELATED_CUSTOMER}) > 0 ? {RELATED_CUSTOMER}[0].relatedId : null",
            }
        },
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        incremental=False,
        # The standard API tells of a project its number and its name, and nothing of its state.
        fields={
            "name": 'coalesce(get(record, "displayName"), record.number)',
            "code": 'get(record, "number")',
            "status": '"open"',
        },
    ),
    StreamSpec(
        name="employees",
        label="Employees",
        entity="resource",
        fields={
            "name": 'coalesce(get(record, "displayName"), record.number)',
            "email": 'lower(coalesce(get(record, "email"), get(record, "personalEmail")))',
            "status": 'get(record, "status") == "Active" ? "active" : "inactive"',
        },
    ),
    StreamSpec(
        name="time_entries",
        label="Time registrations",
        entity="time_entry",
        fields={
            "work_date": "record.date",
            "duration_seconds": "seconds(record.quantity)",
            "status": TIME_STATUS,
            "billable": 'get(record, "jobId") != null',
        },
        refs={
            "project": {"stream": "projects", "id": 'get(record, "jobId")'},
            "resource": {"stream": "employees", "id": 'get(record, "employeeId")'},
        },
    ),
    StreamSpec(
        name="invoices",
        label="Sales invoices",
        entity="invoice",
        fields={
            "number": 'get(record, "number")',
            "reference": 'get(record, "customerPurchaseOrderReference")',
            "status": INVOICE_STATUS,
            "issue_date": 'get(record, "invoiceDate")',
            "due_date": 'get(record, "dueDate")',
            "currency": "record.currency",
            "subtotal": amount("totalAmountExcludingTax"),
            "tax": amount("totalTaxAmount"),
            "total": amount("totalAmountIncludingTax"),
            # What remains of a draft is everything, of a cancelled one nothing that was paid.
            "amount_paid": 'money(lookup({"Open": true, "Paid": true}, record.status, false) ? '
            "double(record.totalAmountIncludingTax) - double(record.remainingAmount) : 0.0, record.currency)",
            "amount_due": 'money(record.status == "Draft" ? double(record.totalAmountIncludingTax) : '
            "double(record.remainingAmount), record.currency)",
            "lines": lines("salesInvoiceLines"),
        },
        refs=CUSTOMER_REF,
    ),
    StreamSpec(
        name="quotes",
        label="Sales quotes",
        entity="quote",
        fields={
            "name": 'coalesce(get(record, "number"), record.id)',
            "number": 'get(record, "number")',
            "status": QUOTE_STATUS,
            "currency": "record.currency",
            "total": amount("totalAmountIncludingTax"),
            "issue_date": 'get(record, "documentDate")',
            "expiry_date": 'get(record, "validUntilDate")',
            "lines": lines("salesQuoteLines"),
        },
        refs=CUSTOMER_REF,
    ),
    StreamSpec(
        name="payments",
        label="Customer payments",
        entity="payment",
        fields={
            # A credit in the journal: negative there, money received here.
            "amount": "money(0.0 - double(record.amount), record.currency)",
            "paid_date": "record.postingDate",
            "method": 'get(record, "journalDisplayName")',
            "reference": 'coalesce(get(record, "externalDocumentNumber"), get(record, "description"))',
        },
        refs={"invoice": {"stream": "invoices", "id": 'get(record, "appliesToInvoiceId")'}},
    ),
)
