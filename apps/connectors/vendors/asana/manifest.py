"""What Asana offers and how its objects read in canonical words."""

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

BASE_URL = "https://app.asana.com/api/1.0"
PROJECT = {"stream": "projects", "id": 'get(record, "projects.0.gid")'}

STREAMS = (
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        incremental=False,
        fields={
            "name": "coalesce(record.name, record.gid)",
            "status": 'record.archived || get(record, "completed") == true ? "closed" : "open"',
            "start_date": 'date(get(record, "start_on"))',
            "end_date": 'date(get(record, "due_on"))',
        },
    ),
    StreamSpec(
        name="users",
        label="People",
        entity="resource",
        incremental=False,
        fields={
            "name": "coalesce(record.name, record.gid)",
            "email": 'lower(coalesce(get(record, "email"), null))',
            # Those who left are not in the list any more.
            "status": '"active"',
        },
    ),
    StreamSpec(
        name="tasks",
        label="Tasks",
        entity="task",
        fields={
            # A task may be without a name.
            "name": "coalesce(trim(record.name), record.gid)",
            "status": 'record.completed ? "done" : "open"',
        },
        refs={"project": PROJECT, "resource": {"stream": "users", "id": 'get(record, "assignee.gid")'}},
    ),
    StreamSpec(
        name="milestones",
        label="Milestones",
        entity="milestone",
        fields={
            "name": "coalesce(trim(record.name), record.gid)",
            "status": 'record.completed ? "done" : "open"',
            "due_date": 'date(get(record, "due_on"))',
            "completed_date": 'date(get(record, "completed_at"))',
        },
        refs={"project": PROJECT},
    ),
    StreamSpec(
        name="time_entries",
        label="Tracked time",
        entity="time_entry",
        incremental=False,
        fields={
            "work_date": "record.entered_on",
            "duration_seconds": "integer(record.duration_minutes) * 60",
            "status": 'lookup({"SUBMITTED": "submitted", "DRAFT": "draft", "REJECTED": "draft"}, '
            'get(record, "approval_status"), "approved")',
            "billable": "true",
        },
        refs={
            "project": {"stream": "projects", "id": 'get(record, "attributable_to.gid")'},
            "task": {"stream": "tasks", "id": 'get(record, "task.gid")'},
            "resource": {"stream": "users", "id": 'get(record, "created_by.gid")'},
        },
    ),
)

SINKS = (
    SinkSpec(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        stream="projects",
        fields={
            "name": "record.name",
            "archived": 'record.status == "closed"',
            "start_on": "record.end_date == null ? null : record.start_date",
            "due_on": "record.end_date",
        },
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="tasks",
        deletes=True,
        label="Tasks",
        entity="task",
        stream="tasks",
        fields={
            "project": "refs.project",
            "name": "record.name",
            "completed": 'record.status == "done"',
            "assignee": "refs.resource",
        },
        refs={"project": "projects", "resource": "users"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="milestones",
        deletes=True,
        label="Milestones",
        entity="milestone",
        stream="milestones",
        fields={
            "project": "refs.project",
            "name": "record.name",
            "completed": 'record.status == "done"',
            "due_on": "record.due_date",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP,
    ),
)

MANIFEST = ConnectorManifest(
    key="asana",
    name="Asana",
    domain=Domain.DELIVERY,
    description="Projects, tasks, milestones, people and tracked time of an Asana workspace.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "Shown against a simulator built from Asana's documentation, which Asana's own client library accepts. Tasks in no project, subtasks and deletions "
        "that no webhook told of are not seen."
    ),
    auth=AuthKind.API_KEY,
    base_url=BASE_URL,
    config=(
        ConfigField(
            key="access_token",
            label="Personal access token",
            help="From app.asana.com/0/my-apps, of a member who sees all projects.",
            secret=True,
        ),
        ConfigField(key="workspace", label="Workspace ID", help="The number in the address of the admin console."),
        ConfigField(key="team", label="Team ID", help="Of projects created here, in an organization.", required=False),
        ConfigField(
            key="time_since",
            label="Time since",
            help="Leave out time spent before this day (YYYY-MM-DD). Asana cannot list time by change.",
            required=False,
        ),
        ConfigField(key="base_url", label="API address", kind="url", required=False, default=BASE_URL),
    ),
    streams=STREAMS,
    sinks=SINKS,
    nothing_to_hide="Tasks, projects and the names and addresses of people; only fields that were asked for come at all.",
    # Workspaces without a paid plan may call 150 times a minute, others 1,500 times.
    rate_limit=RateLimit(calls=140, seconds=60, concurrent=5),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="x-hook-signature",
        streams=("tasks", "milestones", "projects", "users", "time_entries"),
    ),
)
