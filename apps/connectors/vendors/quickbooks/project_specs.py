"""What of projects and time is read and written."""

from __future__ import annotations

from apps.connectors.sdk.manifest import Resolve, SinkSpec, StreamSpec

PROJECTS = StreamSpec(
    name="projects",
    label="Projects and jobs",
    entity="project",
    fields={
        "name": "record.DisplayName",
        "status": 'get(record, "Active") == false ? "closed" : "open"',
    },
    refs={"account": {"stream": "customers", "id": 'get(record, "CustomerId")'}},
    deletes=True,
)
EMPLOYEES = StreamSpec(
    name="employees",
    label="Employees",
    entity="resource",
    fields={
        "name": "record.DisplayName",
        "email": 'get(record, "PrimaryEmailAddr.Address")',
        "status": 'get(record, "Active") == false ? "inactive" : "active"',
    },
    deletes=True,
)
TIME = StreamSpec(
    name="time_entries",
    label="Time activities",
    entity="time_entry",
    fields={
        "work_date": "date(record.TxnDate)",
        "duration_seconds": "integer(record.Seconds)",
        "description": 'get(record, "Description")',
        # QuickBooks knows no approval: what is in QuickBooks counts.
        "status": '"approved"',
        "billable": 'get(record, "BillableStatus") != "NotBillable"',
    },
    refs={
        "project": {"stream": "projects", "id": 'get(record, "ProjectId")'},
        "resource": {"stream": "employees", "id": 'get(record, "EmployeeId")'},
    },
    deletes=True,
)
PROJECT_SINK = SinkSpec(
    name="projects",
    label="Projects and jobs",
    entity="project",
    stream="projects",
    fields={
        "DisplayName": "record.name",
        "CustomerId": "refs.account",
        "Active": 'record.status == null ? null : record.status != "closed"',
    },
    refs={"account": "customers"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)
TIME_SINK = SinkSpec(
    name="time_entries",
    label="Time activities",
    entity="time_entry",
    stream="time_entries",
    fields={
        "TxnDate": "record.work_date",
        "Seconds": "record.duration_seconds",
        "EmployeeId": "refs.resource",
        "ProjectId": "refs.project",
        "ItemId": 'get(connection, "sales_item")',
        "Description": "record.description",
        "Billable": "record.billable",
    },
    refs={"resource": "employees", "project": "projects"},
    required_refs=("resource",),
    resolve=Resolve.IDEMPOTENCY_KEY,
    batch_size=30,
    deletes=True,
)
STREAMS = (PROJECTS, EMPLOYEES, TIME)
SINKS = (PROJECT_SINK, TIME_SINK)
