"""What Harvest offers and how its objects read in canonical words."""

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

BASE_URL = "https://api.harvestapp.com"
ACTIVE = 'record.is_active ? "active" : "inactive"'
CURRENCY = 'get(record, "client.currency")'
# Time is "unsubmitted" until its week is handed in.
APPROVAL = 'lookup({"submitted": "submitted", "approved": "approved"}, get(record, "approval_status"), "draft")'
FULL_NAME = 'trim(text(record.first_name) + " " + text(record.last_name))'


def ref(path: str) -> str:
    """An id as text, null where there is none."""
    return f'coalesce(text(get(record, "{path}")), null)'


PROJECT = {"stream": "projects", "id": ref("project.id")}
USER = {"stream": "users", "id": ref("user.id")}
INVOICE = {"stream": "invoices", "id": ref("invoice.id")}
TASK = {
    "stream": "tasks",
    "id": 'get(record, "task_assignment.id") == null ? null : '
    'text(get(record, "project.id")) + "-" + text(get(record, "task_assignment.id"))',
}

STREAMS = (
    StreamSpec(
        name="clients",
        label="Clients",
        entity="account",
        fields={"name": "record.name", "currency": "coalesce(record.currency, null)", "status": ACTIVE},
    ),
    StreamSpec(
        name="contacts",
        label="Contacts",
        entity="contact",
        fields={
            "name": f"coalesce({FULL_NAME}, coalesce(record.email, text(record.id)))",
            "first_name": "coalesce(record.first_name, null)",
            "last_name": "coalesce(record.last_name, null)",
            "email": "lower(coalesce(record.email, null))",
            "phone": "coalesce(record.phone_office, coalesce(record.phone_mobile, null))",
        },
        refs={"account": {"stream": "clients", "id": ref("client.id")}},
    ),
    StreamSpec(
        name="users",
        label="People",
        entity="resource",
        fields={"name": FULL_NAME, "email": "lower(record.email)", "status": ACTIVE},
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        fields={
            "name": "record.name",
            "code": "coalesce(record.code, null)",
            "status": 'record.is_active ? "open" : "closed"',
            "budget": f"money(coalesce(record.fee, record.cost_budget), {CURRENCY})",
            "start_date": "date(record.starts_on)",
            "end_date": "date(record.ends_on)",
        },
        refs={"account": {"stream": "clients", "id": ref("client.id")}},
    ),
    StreamSpec(
        name="tasks",
        label="Tasks of projects",
        entity="task",
        fields={
            "name": "record.task.name",
            "status": 'record.is_active ? "open" : "done"',
        },
        refs={"project": PROJECT},
    ),
    StreamSpec(
        name="assignments",
        label="People on projects",
        entity="assignment",
        fields={"name": 'record.user.name + " · " + record.project.name', "status": ACTIVE},
        refs={"project": PROJECT, "resource": USER},
    ),
    StreamSpec(
        name="invoices",
        label="Invoices",
        entity="invoice",
        fields={
            "number": "record.number",
            "reference": "coalesce(record.purchase_order, null)",
            # "closed" is written off.
            "status": 'lookup({"open": "open", "paid": "paid", "closed": "void"}, record.state, "draft")',
            "issue_date": "date(record.issue_date)",
            "due_date": "date(record.due_date)",
            "currency": "record.currency",
            "total": "money(record.amount, record.currency)",
            "amount_due": "money(record.due_amount, record.currency)",
            "lines": 'record.line_items.map(line, {"description": coalesce(line.description, line.kind), '
            '"quantity": decimal(line.quantity), "unit_price": money(line.unit_price, record.currency), '
            '"amount": money(line.amount, record.currency)})',
        },
        refs={"account": {"stream": "clients", "id": ref("client.id")}},
    ),
    StreamSpec(
        name="time_entries",
        label="Time entries",
        entity="time_entry",
        fields={
            "work_date": "record.spent_date",
            "duration_seconds": "seconds(record.hours)",
            "description": "coalesce(record.notes, null)",
            "status": APPROVAL,
            "billable": "record.billable",
        },
        refs={"project": PROJECT, "task": TASK, "resource": USER, "invoice": INVOICE},
    ),
    StreamSpec(
        name="expenses",
        label="Expenses",
        entity="expense",
        fields={
            "spent_date": "record.spent_date",
            "amount": f"money(record.total_cost, {CURRENCY})",
            "status": APPROVAL,
            "billable": "record.billable",
            "description": "coalesce(record.notes, null)",
            "category": 'get(record, "expense_category.name")',
        },
        refs={"project": PROJECT, "resource": USER, "invoice": INVOICE},
    ),
)

SINKS = (
    SinkSpec(
        name="clients",
        deletes=True,
        label="Clients",
        entity="account",
        stream="clients",
        fields={
            "name": "record.name",
            "currency": "record.currency",
            "is_active": 'record.status == "inactive" ? false : null',
        },
        resolve=Resolve.IDEMPOTENCY_KEY,
    ),
    SinkSpec(
        name="contacts",
        deletes=True,
        label="Contacts",
        entity="contact",
        stream="contacts",
        fields={
            "client_id": "integer(refs.account)",
            "first_name": "coalesce(record.first_name, record.name)",
            "last_name": "record.last_name",
            "email": "lower(record.email)",
            "phone_office": "record.phone",
        },
        refs={"account": "clients"},
        required_refs=("account",),
        resolve=Resolve.IDEMPOTENCY_KEY,
    ),
    SinkSpec(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        stream="projects",
        fields={
            "client_id": "integer(refs.account)",
            "name": "record.name",
            "code": "record.code",
            "is_active": 'record.status != "closed"',
            "budget": "decimal(record.budget)",
            "starts_on": "record.start_date",
            "ends_on": "record.end_date",
        },
        refs={"account": "clients"},
        required_refs=("account",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="tasks",
        deletes=True,
        label="Tasks of projects",
        entity="task",
        stream="tasks",
        fields={"project_id": "integer(refs.project)", "name": "record.name", "is_active": 'record.status != "done"'},
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.IDEMPOTENCY_KEY,
    ),
    SinkSpec(
        name="assignments",
        deletes=True,
        label="People on projects",
        entity="assignment",
        stream="assignments",
        fields={
            "project_id": "integer(refs.project)",
            "user_id": "integer(refs.resource)",
            "is_active": 'record.status == "active"',
            "hourly_rate": "decimal(record.hourly_rate)",
        },
        refs={"project": "projects", "resource": "users"},
        required_refs=("project", "resource"),
        resolve=Resolve.IDEMPOTENCY_KEY,
    ),
    SinkSpec(
        name="time_entries",
        deletes=True,
        label="Time entries",
        entity="time_entry",
        stream="time_entries",
        fields={
            "project_id": "integer(refs.project)",
            "task": "refs.task",
            "user_id": "integer(refs.resource)",
            "spent_date": "record.work_date",
            "hours": "hours(record.duration_seconds)",
            "notes": "record.description",
        },
        refs={"project": "projects", "task": "tasks", "resource": "users"},
        required_refs=("project", "task", "resource"),
        resolve=Resolve.LOOKUP,
    ),
)

MANIFEST = ConnectorManifest(
    key="harvest",
    name="Harvest",
    domain=Domain.DELIVERY,
    description="Clients, contacts, projects, tasks, people and their assignments, time, expenses and invoices.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "Harvest publishes no machine-readable description and there are no recordings: shown against a simulator built "
        "from its documentation only. Harvest does not tell what was deleted."
    ),
    auth=AuthKind.API_KEY,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="access_token",
            label="Personal access token",
            help="From id.getharvest.com > Developers, of an administrator.",
            secret=True,
        ),
        ConfigField(key="account_id", label="Account ID", help="Shown beside the token."),
        ConfigField(key="base_url", label="API address", kind="url", required=False, default=BASE_URL),
    ),
    streams=STREAMS,
    sinks=SINKS,
    # What an hour of a person costs.
    redact=("cost_rate", "default_hourly_rate"),
    # Harvest allows 100 calls in 15 seconds.
    rate_limit=RateLimit(calls=90, seconds=15),
)
