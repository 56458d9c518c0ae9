"""What is written to NetSuite. Payload keys are fields of the record service."""

from __future__ import annotations

from apps.connectors.sdk.manifest import Resolve, SinkSpec

# A time entry's hours are written as on a clock: 3:15.
MINUTES = "(record.duration_seconds + 30) / 60"
CLOCK_HOURS = f'text({MINUTES} / 60) + ":" + ({MINUTES} % 60 < 10 ? "0" : "") + text({MINUTES} % 60)'

SINKS = (
    SinkSpec(
        name="customers",
        label="Customers",
        entity="account",
        stream="customers",
        fields={
            "companyName": "record.name",
            "email": "record.email",
            "phone": "record.phone",
            "url": "record.website",
            "isInactive": 'record.status == "inactive"',
        },
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="contacts",
        label="Contacts",
        entity="contact",
        stream="contacts",
        fields={
            "entityId": "record.name",
            "firstName": "record.first_name",
            "lastName": "record.last_name",
            "email": "record.email",
            "phone": "record.phone",
            "company": "refs.account",
        },
        refs={"account": "customers"},
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="projects",
        label="Projects",
        entity="project",
        stream="projects",
        fields={
            "companyName": "record.name",
            "parent": "refs.account",
            "startDate": "record.start_date",
            "projectedEndDate": "record.end_date",
            "isInactive": 'record.status == "closed"',
        },
        refs={"account": "customers"},
        required_refs=("account",),
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="tasks",
        label="Project tasks",
        entity="task",
        stream="tasks",
        fields={
            "title": "record.name",
            "project": "refs.project",
            "estimatedWork": "number(hours(record.estimate_seconds))",
            "status": 'record.status == "done" ? "COMPLETE" : "PROGRESS"',
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="employees",
        label="Employees",
        entity="resource",
        stream="employees",
        fields={
            "entityId": "record.name",
            "email": "record.email",
            "isInactive": 'record.status == "inactive"',
        },
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="time_bills",
        label="Time",
        entity="time_entry",
        stream="time_bills",
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
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="invoices",
        label="Invoices",
        entity="invoice",
        stream="invoices",
        fields={
            "entity": "refs.account",
            "status": "record.status",
            "otherRefNum": "coalesce(record.reference, record.number)",
            "tranDate": "record.issue_date",
            "dueDate": "record.due_date",
            "currency": "record.currency",
            "total": "decimal(record.total)",
            "lines": 'record.lines.map(l, {"description": l.description, "quantity": l.quantity, '
            '"unit_price": decimal(l.unit_price)})',
        },
        refs={"account": "customers"},
        required_refs=("account",),
        resolve=Resolve.EXTERNAL_ID,
        updates=False,
    ),
    SinkSpec(
        name="payments",
        label="Customer payments",
        entity="payment",
        stream="payments",
        fields={
            "invoice": "refs.invoice",
            "amount": "decimal(record.amount)",
            "tranDate": "record.paid_date",
            "memo": "record.reference",
        },
        refs={"invoice": "invoices"},
        required_refs=("invoice",),
        resolve=Resolve.EXTERNAL_ID,
        updates=False,
    ),
    SinkSpec(
        name="expenses",
        label="Expenses",
        entity="expense",
        stream="expenses",
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
        resolve=Resolve.EXTERNAL_ID,
        updates=False,
    ),
)
