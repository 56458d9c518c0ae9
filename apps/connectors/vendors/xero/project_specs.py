"""What of Xero Projects is read and written."""

from __future__ import annotations

from apps.connectors.sdk.manifest import Resolve, SinkSpec, StreamSpec

PROJECTS = StreamSpec(
    name="projects",
    label="Projects",
    entity="project",
    fields={
        "name": "record.name",
        "status": 'record.status == "CLOSED" ? "closed" : "open"',
        "budget": 'get(record, "estimate.value") == null ? null : money(text(get(record, "estimate.value")), record.currencyCode)',
        "end_date": 'date(get(record, "deadlineUtc"))',
    },
    refs={"account": {"stream": "contacts", "id": 'get(record, "contactId")'}},
    incremental=False,
)
USERS = StreamSpec(
    name="project_users",
    label="Project members",
    entity="resource",
    fields={"name": "record.name", "email": 'get(record, "email")', "status": '"active"'},
    incremental=False,
)
TASKS = StreamSpec(
    name="tasks",
    label="Project tasks",
    entity="task",
    fields={
        "name": "record.name",
        "status": 'record.status == "ACTIVE" ? "open" : "done"',
        "estimate_seconds": 'get(record, "estimateMinutes") == null ? null : integer(record.estimateMinutes) * 60',
    },
    refs={"project": {"stream": "projects", "id": "record.projectId"}},
    incremental=False,
)
TIME = StreamSpec(
    name="time_entries",
    label="Project time",
    entity="time_entry",
    fields={
        "work_date": "date(record.dateUtc)",
        "duration_seconds": "integer(record.duration) * 60",
        "description": 'get(record, "description")',
        # Xero knows no approval: what is in Xero counts.
        "status": '"approved"',
        "billable": "true",
    },
    refs={
        "project": {"stream": "projects", "id": "record.projectId"},
        "task": {"stream": "tasks", "id": 'record.projectId + "/" + record.taskId'},
        "resource": {"stream": "project_users", "id": "record.userId"},
    },
    incremental=False,
)
PROJECT_SINK = SinkSpec(
    name="projects",
    deletes=True,
    label="Projects",
    entity="project",
    stream="projects",
    fields={
        "name": "record.name",
        "contactId": "refs.account",
        "estimateAmount": "decimal(record.budget)",
        "deadlineUtc": 'record.end_date == null ? null : record.end_date + "T00:00:00Z"',
        "status": 'record.status == "closed" ? "CLOSED" : "INPROGRESS"',
    },
    refs={"account": "contacts"},
    required_refs=("account",),
    resolve=Resolve.IDEMPOTENCY_KEY,
)
TASK_SINK = SinkSpec(
    name="tasks",
    deletes=True,
    label="Project tasks",
    entity="task",
    stream="tasks",
    fields={
        "project": "refs.project",
        "name": "record.name",
        "estimateMinutes": "record.estimate_seconds == null ? null : (record.estimate_seconds + 30) / 60",
    },
    refs={"project": "projects"},
    required_refs=("project",),
    resolve=Resolve.IDEMPOTENCY_KEY,
)
TIME_SINK = SinkSpec(
    name="time_entries",
    deletes=True,
    label="Project time",
    entity="time_entry",
    stream="time_entries",
    fields={
        "task": "refs.task",
        "userId": "refs.resource",
        "date": "record.work_date",
        "duration": "(record.duration_seconds + 30) / 60",
        "description": "record.description",
    },
    refs={"task": "tasks", "resource": "project_users"},
    required_refs=("task", "resource"),
    resolve=Resolve.IDEMPOTENCY_KEY,
)
STREAMS = (PROJECTS, USERS, TASKS, TIME)
SINKS = (PROJECT_SINK, TASK_SINK, TIME_SINK)
