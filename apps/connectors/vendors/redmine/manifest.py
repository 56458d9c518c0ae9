"""What Redmine offers and how its objects read in canonical words."""

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
    ConfigField(key="base_url", label="Address", help="For example https://redmine.example.com", kind="url"),
    ConfigField(
        key="api_key",
        label="API key",
        help="An administrator's, from My account, with the REST API enabled in the administration.",
        secret=True,
    ),
    ConfigField(
        key="approval_field",
        label="Approval field",
        help="Name of the custom field of time entries that marks approval; empty: every entry counts as approved.",
        required=False,
    ),
    ConfigField(
        key="role",
        label="Role",
        help="Name of the role of people who are made members of a project.",
        required=False,
        default="Developer",
    ),
    ConfigField(
        key="time_since",
        label="Time since",
        help="Leave out time spent before this day (YYYY-MM-DD). Redmine cannot list time by change, so all of it is "
        "read every time.",
        required=False,
    ),
)


def ref(expression: str) -> str:
    """An id as text, null where there is none."""
    return f"coalesce(text({expression}), null)"


STREAMS = (
    StreamSpec(
        name="projects",
        label="Projects",
        entity="project",
        incremental=False,
        fields={"name": "record.name", "status": 'record.status == 1 ? "open" : "closed"'},
    ),
    StreamSpec(
        name="issues",
        label="Issues",
        entity="task",
        fields={
            "name": "record.subject",
            "status": 'record.status.is_closed ? "done" : "open"',
            "estimate_seconds": "seconds(record.estimated_hours)",
        },
        refs={
            "project": {"stream": "projects", "id": ref('get(record, "project.id")')},
            "resource": {"stream": "users", "id": ref('get(record, "assigned_to.id")')},
        },
    ),
    StreamSpec(
        name="users",
        label="Users",
        entity="resource",
        incremental=False,
        fields={
            "name": 'trim(text(record.firstname) + " " + text(record.lastname))',
            "email": "lower(record.mail)",
            "status": 'record.status == 1 ? "active" : "inactive"',
        },
    ),
    StreamSpec(
        name="versions",
        label="Versions",
        entity="milestone",
        incremental=False,
        fields={
            "name": "record.name",
            # A locked version takes no more issues, but is not done.
            "status": 'record.status == "closed" ? "done" : "open"',
            "due_date": 'date(get(record, "due_date"))',
        },
        refs={"project": {"stream": "projects", "id": ref('get(record, "project.id")')}},
    ),
    StreamSpec(
        name="memberships",
        label="Members of projects",
        entity="assignment",
        incremental=False,
        fields={"name": 'record.user.name + " · " + record.project.name', "status": '"active"'},
        refs={
            "project": {"stream": "projects", "id": ref('get(record, "project.id")')},
            "resource": {"stream": "users", "id": ref('get(record, "user.id")')},
        },
    ),
    StreamSpec(
        name="time_entries",
        label="Spent time",
        entity="time_entry",
        incremental=False,
        fields={
            "work_date": "record.spent_on",
            "duration_seconds": "seconds(record.hours)",
            "description": "coalesce(record.comments, null)",
            "status": 'record.approved ? "approved" : "submitted"',
            "billable": "true",
        },
        refs={
            "project": {"stream": "projects", "id": ref('get(record, "project.id")')},
            "task": {"stream": "issues", "id": ref('get(record, "issue.id")')},
            "resource": {"stream": "users", "id": ref('get(record, "user.id")')},
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
        fields={"name": "record.name", "closed": 'record.status == "closed"'},
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="issues",
        deletes=True,
        label="Issues",
        entity="task",
        stream="issues",
        fields={
            "project": "refs.project",
            "subject": "record.name",
            "done": 'record.status == "done"',
            "estimated_hours": "hours(record.estimate_seconds)",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="versions",
        deletes=True,
        label="Versions",
        entity="milestone",
        stream="versions",
        fields={
            "project": "refs.project",
            "name": "record.name",
            "status": 'record.status == "done" ? "closed" : "open"',
            "due_date": "record.due_date",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="memberships",
        deletes=True,
        label="Members of projects",
        entity="assignment",
        stream="memberships",
        fields={"project": "refs.project", "user": "refs.resource"},
        refs={"project": "projects", "resource": "users"},
        required_refs=("project", "resource"),
        resolve=Resolve.IDEMPOTENCY_KEY,
        updates=False,
    ),
)

MANIFEST = ConnectorManifest(
    key="redmine",
    name="Redmine",
    domain=Domain.DELIVERY,
    description="Projects, issues, versions, people, their memberships and spent time of a Redmine 5 server.",
    evidence=Evidence.REAL_SERVER,
    evidence_note="The whole suite runs against a Redmine 5.0 server. Redmine does not tell what was deleted.",
    auth=AuthKind.API_KEY,
    base_url="",
    config=CONFIG,
    streams=STREAMS,
    sinks=SINKS,
    # A user's own page shows an administrator the key that opens everything of theirs, and how they sign in.
    redact=("api_key", "last_login_on", "passwd_changed_on", "twofa_scheme"),
    # The server names no limit; this keeps one customer's sync from crowding out the people at their screens.
    rate_limit=RateLimit(calls=10, seconds=1.0, concurrent=4),
)
