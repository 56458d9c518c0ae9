"""What ConnectWise PSA offers and how its objects read in canonical words."""

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
    WebhookSpec,
)

BILLABLE = 'record.billableOption == "Billable"'
APPROVAL = (
    'lookup({"Open": "draft", "Rejected": "%s", "RejectBySecondTier": "%s", "PendingApproval": "submitted", "ErrorsCorrected": "submitted", '
    '"PendingProjectApproval": "submitted"}, record.status, "approved")'
)
FULL_NAME = 'trim(text(record.firstName) + " " + text(get(record, "lastName")))'
CURRENCY = 'coalesce(get(record, "currency.currencyCode"), coalesce(get(connection, "currency"), "USD"))'


def ref(path: str) -> str:
    """An id as text, null where there is none."""
    return f'coalesce(text(get(record, "{path}")), null)'


COMPANY = {"stream": "companies", "id": ref("company.id")}
WORK = {
    "project": {"stream": "projects", "id": ref("project_id")},
    "task": {"stream": "tasks", "id": ref("task_id")},
    "resource": {"stream": "members", "id": ref("member.id")},
}

STREAMS = (
    StreamSpec(
        name="companies",
        label="Companies",
        entity="account",
        deletes=True,
        fields={
            "name": "record.name",
            "number": "record.identifier",
            "phone": 'coalesce(get(record, "phoneNumber"), null)',
            "website": 'coalesce(get(record, "website"), null)',
            "tax_id": 'coalesce(get(record, "taxIdentifier"), null)',
            "status": 'get(record, "status.name")',
        },
    ),
    StreamSpec(
        name="contacts",
        label="Contacts",
        entity="contact",
        fields={
            "name": f"coalesce({FULL_NAME}, text(record.id))",
            "first_name": "coalesce(record.firstName, null)",
            "last_name": 'coalesce(get(record, "lastName"), null)',
            "email": "lower(record.email)",
            "phone": "record.phone",
        },
        refs={"account": COMPANY},
    ),
    StreamSpec(
        name="members",
        label="Members",
        entity="resource",
        fields={
            "name": f"coalesce({FULL_NAME}, record.identifier)",
            "email": "lower(record.email)",
            "status": 'get(record, "inactiveFlag") == true ? "inactive" : "active"',
        },
    ),
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        fields={
            "name": "record.name",
            "status": 'record.closed ? "closed" : "open"',
            "start_date": 'date(get(record, "estimatedStart"))',
            "end_date": 'date(get(record, "estimatedEnd"))',
        },
        refs={"account": COMPANY},
    ),
    StreamSpec(
        name="tasks",
        label="Project tickets",
        entity="task",
        fields={
            "name": "record.summary",
            "status": 'get(record, "closedFlag") == true ? "done" : "open"',
            "estimate_seconds": 'seconds(get(record, "budgetHours"))',
        },
        refs={
            "project": {"stream": "projects", "id": ref("project.id")},
            "resource": {"stream": "members", "id": ref("owner.id")},
        },
    ),
    StreamSpec(
        name="tickets",
        label="Service tickets",
        entity="ticket",
        fields={
            "name": "record.summary",
            "number": "text(record.id)",
            "status": 'get(record, "closedFlag") == true ? "closed" : '
            '(lower(get(record, "status.name")) == "new" ? "new" : "open")',
            "requester_email": 'lower(coalesce(get(record, "contactEmailAddress"), null))',
            "due_date": 'date(get(record, "requiredDate"))',
        },
        refs={
            "account": COMPANY,
            "contact": {"stream": "contacts", "id": ref("contact.id")},
            "resource": {"stream": "members", "id": ref("owner.id")},
        },
    ),
    StreamSpec(
        name="time_entries",
        label="Time entries",
        entity="time_entry",
        fields={
            "work_date": "record.work_date",
            "duration_seconds": "seconds(record.actualHours)",
            "description": 'coalesce(get(record, "notes"), null)',
            "status": APPROVAL.replace("%s", "draft"),
            "billable": BILLABLE,
        },
        refs=WORK,
    ),
    StreamSpec(
        name="expenses",
        label="Expenses",
        entity="expense",
        fields={
            "spent_date": "date(record.date)",
            "amount": f"money(record.amount, {CURRENCY})",
            "status": APPROVAL.replace("%s", "rejected"),
            "billable": BILLABLE,
            "description": 'coalesce(get(record, "notes"), null)',
            "category": 'get(record, "type.name")',
        },
        refs=WORK,
    ),
)

SINKS = (
    SinkSpec(
        name="companies",
        deletes=True,
        label="Companies",
        entity="account",
        stream="companies",
        fields={"name": "record.name", "phoneNumber": "record.phone", "website": "record.website"},
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="contacts",
        deletes=True,
        label="Contacts",
        entity="contact",
        stream="contacts",
        fields={
            "company": "refs.account",
            "firstName": "coalesce(record.first_name, record.name)",
            "lastName": "record.last_name",
            "email": "lower(record.email)",
            "phone": "record.phone",
        },
        refs={"account": "companies"},
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
            "company": "refs.account",
            "name": "record.name",
            "closed": 'record.status == "closed"',
            "estimatedStart": "record.start_date",
            "estimatedEnd": "record.end_date",
        },
        refs={"account": "companies"},
        required_refs=("account",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="tasks",
        deletes=True,
        label="Project tickets",
        entity="task",
        stream="tasks",
        fields={
            "project": "refs.project",
            "summary": "record.name",
            "closedFlag": 'record.status == "done"',
            "budgetHours": "hours(record.estimate_seconds)",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.IDEMPOTENCY_KEY,
    ),
    SinkSpec(
        name="tickets",
        deletes=True,
        label="Service tickets",
        entity="ticket",
        stream="tickets",
        fields={
            "company": "refs.account",
            "contact": "refs.contact",
            "summary": "record.name",
            "description": "record.description",
            "closedFlag": 'record.status == "closed" || record.status == "solved"',
        },
        refs={"account": "companies", "contact": "contacts"},
        required_refs=("account",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="time_entries",
        deletes=True,
        label="Time entries",
        entity="time_entry",
        stream="time_entries",
        fields={
            "task": "refs.task",
            "member": "refs.resource",
            "work_date": "record.work_date",
            "hours": "hours(record.duration_seconds)",
            "billable": "record.billable",
            "notes": "record.description",
        },
        refs={"task": "tasks", "resource": "members"},
        required_refs=("task", "resource"),
        resolve=Resolve.LOOKUP,
    ),
)


def _optional(key: str, label: str, default: str, text: str = "") -> ConfigField:
    return ConfigField(key=key, label=label, help=text, required=False, default=default)


MANIFEST = ConnectorManifest(
    key="connectwise",
    name="ConnectWise PSA",
    domain=Domain.DELIVERY,
    description="Companies, contacts, members, projects, project and service tickets, time and expenses.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "ConnectWise's description is not public and there are no recordings: shown against a simulator. A client library "
        "generated from the description accepts its answers and knows every field we send. Only companies tell when they were deleted."
    ),
    auth=AuthKind.API_KEY,
    base_url="",
    config=(
        ConfigField(key="base_url", label="Site", help="For example https://api-eu.myconnectwise.net", kind="url"),
        ConfigField(key="company_id", label="Company ID", help="As at sign-in."),
        ConfigField(key="public_key", label="Public key", help="Of an API member."),
        ConfigField(key="private_key", label="Private key", help="Shown once when the key is made.", secret=True),
        ConfigField(key="client_id", label="Client ID", help="From developer.connectwise.com."),
        _optional("time_zone", "Time zone", "UTC", "Where working days begin, for example Europe/Berlin."),
        _optional("currency", "Currency", "USD", "Of expenses that name none."),
        _optional("project_board", "Project board", "Projects", "Of projects created here."),
        _optional("service_board", "Service board", "Service", "Of tickets created here."),
        _optional("billing_method", "Billing method", "ActualRates", "Of projects created here."),
        _optional("open_status", "Open status", "New", "Name of the status of open projects and tickets."),
        _optional("closed_status", "Closed status", "Closed", "Name of the status of closed projects and tickets."),
    ),
    streams=STREAMS,
    sinks=SINKS,
    # Tax numbers of companies, what contacts say of themselves, what an hour of a member costs.
    redact=("taxidentifier", "tax_id", "birthday", "anniversary", "hourlycost"),
    # No numbers are published; a 429 says how long to wait.
    rate_limit=RateLimit(calls=10, seconds=1.0, concurrent=4),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="x-content-signature",
        streams=("companies", "contacts", "members", "projects", "tasks", "tickets", "time_entries", "expenses"),
    ),
)
