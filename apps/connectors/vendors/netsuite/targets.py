"""What is written to NetSuite. Payload keys are fields of the record service."""

from __future__ import annotations

from apps.connectors.sdk.erp_sinks import DOCUMENT_LINES, marked_sink

# A time entry's hours are written as on a clock: 3:15.
MINUTES = "(record.duration_seconds + 30) / 60"
CLOCK_HOURS = f'text({MINUTES} / 60) + ":" + ({MINUTES} % 60 < 10 ? "0" : "") + text({MINUTES} % 60)'

SINKS = (
    marked_sink(
        name="customers",
        deletes=True,
        label="Customers",
        entity="account",
        fields={
            "companyName": "record.name",
            "email": "record.email",
            "phone": "record.phone",
            "url": "record.website",
            "isInactive": 'record.status == "inactive"',
        },
    ),
    marked_sink(
        name="contacts",
        deletes=True,
        label="Contacts",
        entity="contact",
        fields={
            "entityId": "record.name",
            "firstName": "record.first_name",
            "lastName": "record.last_name",
            "email": "record.email",
            "phone": "record.phone",
            "company": "refs.account",
        },
        refs={"account": "customers"},
    ),
    marked_sink(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        fields={
            "companyName": "record.name",
            "parent": "refs.account",
            "startDate": "record.start_date",
            "projectedEndDate": "record.end_date",
            "isInactive": 'record.status == "closed"',
        },
        refs={"account": "customers"},
        required_refs=("account",),
    ),
    marked_sink(
        name="tasks",
        deletes=True,
        label="Project tasks",
        entity="task",
        fields={
            "title": "record.name",
            "project": "refs.project",
            "estimatedWork": "number(hours(record.estimate_seconds))",
            "status": 'record.status == "done" ? "COMPLETE" : "PROGRESS"',
        },
        refs={"project": "projects"},
        required_refs=("project",),
    ),
    marked_sink(
        name="employees",
        deletes=True,
        label="Employees",
        entity="resource",
        fields={
            "entityId": "record.name",
            "email": "record.email",
            "isInactive": 'record.status == "inactive"',
        },
    ),
    marked_sink(
        name="time_bills",
        deletes=True,
        label="Time",
        entity="time_entry",
        fields={
            "employee": "refs.resource",
            "customer": "refs.project",
            "caseTaskEvent": "refs.task",
            "tranDate": "record.work_date",
            "hours": CLOCK_HOURS,
            "memo": "record.description",
            "isBillable": "record.billable",
        },
        refs={"resource": "employees", "project": "projects", "task": "tasks"},
        required_refs=("resource",),
    ),
    marked_sink(
        name="invoices",
        deletes=True,
        label="Invoices",
        entity="invoice",
        fields={
            "entity": "refs.account",
            "status": "record.status",
            "otherRefNum": "coalesce(record.reference, record.number)",
            "tranDate": "record.issue_date",
            "dueDate": "record.due_date",
            "currency": "record.currency",
            "total": "decimal(record.total)",
            "lines": DOCUMENT_LINES,
        },
        refs={"account": "customers"},
        required_refs=("account",),
        updates=False,
    ),
    marked_sink(
        name="quotes",
        deletes=True,
        label="Estimates",
        entity="quote",
        fields={
            "entity": "refs.account",
            "title": "record.name",
            "tranDate": "record.issue_date",
            "dueDate": "record.expiry_date",
            "currency": "record.currency",
            "total": "decimal(record.total)",
            "lines": DOCUMENT_LINES,
        },
        refs={"account": "customers"},
        required_refs=("account",),
    ),
    marked_sink(
        name="payments",
        deletes=True,
        label="Customer payments",
        entity="payment",
        fields={
            "invoice": "refs.invoice",
            "amount": "decimal(record.amount)",
            "tranDate": "record.paid_date",
            "memo": "record.reference",
        },
        refs={"invoice": "invoices"},
        required_refs=("invoice",),
        updates=False,
    ),
    marked_sink(
        name="expenses",
        label="Expenses",
        entity="expense",
        fields={
            "employee": "refs.resource",
            "project": "refs.project",
            "amount": "decimal(record.amount)",
            "date": "record.spent_date",
            "memo": "record.description",
            "billable": "record.billable",
        },
        refs={"resource": "employees", "project": "projects"},
        required_refs=("resource",),
        updates=False,
    ),
)
