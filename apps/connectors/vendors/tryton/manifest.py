"""What Tryton offers and how its objects read in canonical words."""

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
)

CONFIG = (
    ConfigField(
        key="base_url",
        label="Address",
        help="The server's address followed by the name of the database, e.g. https://erp.example.com/production",
        kind="url",
    ),
    ConfigField(
        key="api_key",
        label="Application key",
        help="In Tryton: user preferences, Applications, REST API. The user needs the groups Party, Project, Timesheet "
        "and Accounting Administration; for quotes and contracts also Sale and Subscription.",
        secret=True,
    ),
    ConfigField(
        key="company", label="Company number", help="Only where Tryton holds several companies.", required=False
    ),
    ConfigField(
        key="revenue_account",
        label="Revenue account",
        help="Code of the account that invoice lines are booked to; empty: the first revenue account.",
        required=False,
    ),
    ConfigField(
        key="tax_account",
        label="Tax account",
        help="Code of the account that taxes on invoices are booked to; needed only for invoices with tax.",
        required=False,
    ),
)

WORK_STATUS = 'get(record, "status.progress") == 1.0 ? "{done}" : "open"'
INVOICE_STATUS = (
    'lookup({"draft": "draft", "validated": "draft", "posted": "open", "paid": "paid", "cancelled": "void"}, '
    'record.state, "draft")'
)


def amount(name: str) -> str:
    return f'money(record.{name}, get(record, "currency.code"))'


def ref(expression: str) -> str:
    """An id as text, null where there is none."""
    return f"coalesce(text({expression}), null)"


def named(kind: str) -> str:
    """What people wrote, else the number, which a draft does not have yet."""
    return f'coalesce(record.description, coalesce(record.reference, coalesce(record.number, "{kind} " + text(record.id))))'


STREAMS = (
    StreamSpec(
        name="parties",
        label="Parties",
        entity="account",
        deletes=True,
        fields={
            "name": "text(record.name)",
            "number": "record.code",
            "email": "coalesce(record.email, null)",
            "phone": "coalesce(record.phone, null)",
            "website": "coalesce(record.website, null)",
            "tax_id": 'get(record, "tax_identifier.code")',
            "status": 'record.active ? "active" : "inactive"',
        },
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        deletes=True,
        fields={
            "name": "record.name",
            "code": "record.number",
            "status": WORK_STATUS.format(done="closed"),
        },
        refs={"account": {"stream": "parties", "id": ref("record.party")}},
    ),
    StreamSpec(
        name="tasks",
        label="Tasks",
        entity="task",
        deletes=True,
        fields={
            "name": "record.name",
            "status": WORK_STATUS.format(done="done"),
            "estimate_seconds": "integer(record.effort_duration)",
        },
        refs={"project": {"stream": "projects", "id": ref("record.project")}},
    ),
    StreamSpec(
        name="employees",
        label="Employees",
        entity="resource",
        incremental=False,
        fields={
            "name": 'text(get(record, "party.name"))',
            "email": 'coalesce(lower(get(record, "party.email")), null)',
            "status": 'record.active ? "active" : "inactive"',
        },
    ),
    StreamSpec(
        name="timesheet_lines",
        label="Timesheet lines",
        entity="time_entry",
        deletes=True,
        fields={
            "work_date": "record.date",
            "duration_seconds": "integer(record.duration)",
            "description": "coalesce(record.description, null)",
            "status": '"approved"',
            "billable": "true",
        },
        refs={
            "project": {"stream": "projects", "id": ref("record.project")},
            "task": {"stream": "tasks", "id": ref("record.task")},
            "resource": {"stream": "employees", "id": ref("record.employee")},
        },
    ),
    StreamSpec(
        name="invoices",
        label="Customer invoices",
        entity="invoice",
        deletes=True,
        fields={
            "number": "record.number",
            "reference": "record.reference",
            "status": INVOICE_STATUS,
            "issue_date": "record.invoice_date",
            "due_date": "record.due_date",
            "currency": 'get(record, "currency.code")',
            "subtotal": amount("untaxed_amount"),
            "tax": amount("tax_amount"),
            "total": amount("total_amount"),
            "amount_paid": amount("amount_paid"),
            "amount_due": amount("amount_due"),
            "lines": 'record.lines.map(l, {"description": text(l.description), "quantity": decimal(l.quantity), '
            '"unit_price": money(l.unit_price, record.currency.code), "amount": money(l.amount, record.currency.code)})',
        },
        refs={"account": {"stream": "parties", "id": ref("record.party")}},
    ),
    StreamSpec(
        name="payments",
        label="Payments",
        entity="payment",
        fields={
            "amount": "money(record.amount, record.currency)",
            "paid_date": "record.date",
            "method": 'get(record, "move.journal.name")',
            "reference": 'coalesce(record.description, get(record, "move.number"))',
        },
        refs={"invoice": {"stream": "invoices", "id": ref("record.invoice_payment")}},
    ),
    StreamSpec(
        name="quotes",
        label="Sales and quotations",
        entity="quote",
        deletes=True,
        fields={
            "name": named("Sale"),
            "number": "record.number",
            "status": 'lookup({"draft": "draft", "quotation": "sent", "cancelled": "declined"}, record.state, "accepted")',
            "currency": 'get(record, "currency.code")',
            "total": amount("total_amount"),
            "issue_date": "coalesce(record.quotation_date, record.sale_date)",
            "expiry_date": "record.quotation_expire",
            "lines": 'record.lines.map(l, {"description": coalesce(text(l.description), text(l.summary)), '
            '"quantity": decimal(l.quantity), "unit_price": money(l.unit_price, record.currency.code), '
            '"amount": money(l.amount, record.currency.code)})',
        },
        refs={"account": {"stream": "parties", "id": ref("record.party")}},
    ),
    StreamSpec(
        name="contracts",
        label="Subscriptions",
        entity="contract",
        deletes=True,
        fields={
            "name": named("Subscription"),
            "number": "record.number",
            "status": 'lookup({"running": "active", "closed": "ended", "cancelled": "cancelled"}, record.state, "draft")',
            "start_date": "record.start_date",
            "end_date": "record.end_date",
            "billing_method": '"retainer"',
        },
        refs={"account": {"stream": "parties", "id": ref("record.party")}},
    ),
)

SINKS = (
    SinkSpec(
        name="parties",
        deletes=True,
        label="Parties",
        entity="account",
        stream="parties",
        fields={name: f"record.{name}" for name in ("name", "email", "phone", "website")},
        batch_size=50,
    ),
    SinkSpec(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        stream="projects",
        fields={"name": "record.name", "party": "refs.account", "done": 'record.status == "closed"'},
        refs={"account": "parties"},
        required_refs=("account",),
        batch_size=50,
    ),
    SinkSpec(
        name="tasks",
        deletes=True,
        label="Tasks",
        entity="task",
        stream="tasks",
        fields={
            "name": "record.name",
            "parent": "refs.project",
            "done": 'record.status == "done"',
            "effort_seconds": "record.estimate_seconds",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        batch_size=50,
    ),
    SinkSpec(
        name="timesheet_lines",
        deletes=True,
        label="Timesheet lines",
        entity="time_entry",
        stream="timesheet_lines",
        fields={
            "employee": "refs.resource",
            "project": "refs.project",
            "task": "refs.task",
            "date": "record.work_date",
            "duration_seconds": "record.duration_seconds",
            "description": "record.description",
        },
        refs={"resource": "employees", "project": "projects", "task": "tasks"},
        required_refs=("resource", "project"),
        batch_size=50,
    ),
    SinkSpec(
        name="invoices",
        label="Customer invoices",
        entity="invoice",
        stream="invoices",
        fields={
            "party": "refs.account",
            "status": "record.status",
            "reference": "coalesce(record.reference, record.number)",
            "issue_date": "record.issue_date",
            "due_date": "record.due_date",
            "currency": "record.currency",
            "tax": "decimal(record.tax)",
            "total": "decimal(record.total)",
            "lines": 'record.lines.map(l, {"description": l.description, "quantity": l.quantity, '
            '"unit_price": decimal(l.unit_price), "amount": decimal(l.amount)})',
        },
        refs={"account": "parties"},
        required_refs=("account",),
        resolve=Resolve.LOOKUP,
        batch_size=20,
        updates=False,
    ),
)

MANIFEST = ConnectorManifest(
    key="tryton",
    name="Tryton",
    domain=Domain.ERP,
    also_domains=(Domain.BILLING,),
    description="Parties, projects, tasks, timesheets, sales, subscriptions, customer invoices and payments of a Tryton 8 ERP.",
    evidence=Evidence.REAL_SERVER,
    evidence_note="The whole suite runs against a Tryton 8.2 server with PostgreSQL.",
    auth=AuthKind.API_KEY,
    base_url="",
    config=CONFIG,
    streams=STREAMS,
    sinks=SINKS,
    # Tax numbers; nothing else of that kind is read.
    redact=("tax_identifier", "tax_id"),
    # The server names no limit; this keeps one customer's sync from crowding out the people at their screens.
    rate_limit=RateLimit(calls=20, seconds=1.0, concurrent=4),
)
