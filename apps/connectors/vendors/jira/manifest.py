"""What Jira Cloud offers and how its objects read in canonical words."""

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

CONFIG = (
    ConfigField(key="base_url", label="Site", help="For example https://your-company.atlassian.net", kind="url"),
    ConfigField(key="email", label="Email", help="Of the Atlassian account that owns the API token."),
    ConfigField(
        key="api_token",
        label="API token",
        help="From id.atlassian.com > Security > API tokens. The account must see all projects to be synchronized and "
        "may administer Jira if projects are to be created.",
        secret=True,
    ),
    ConfigField(key="issue_type", label="Issue type", help="Of issues created here.", required=False, default="Task"),
    ConfigField(
        key="project_type",
        label="Project type",
        help="Of projects created here: software, business or service_desk.",
        required=False,
        default="software",
    ),
    ConfigField(
        key="project_template",
        label="Project template",
        help="Key of the template of projects created here; empty: a Kanban board.",
        required=False,
    ),
)

PROJECTS = StreamSpec(
    name="projects",
    label="Projects",
    entity="project",
    incremental=False,
    deletes=True,
    fields={
        "name": "record.name",
        "code": "record.key",
        "status": 'record.archived ? "closed" : "open"',
    },
)
ISSUES = StreamSpec(
    name="issues",
    label="Issues",
    entity="task",
    fields={
        "name": "record.summary",
        "status": 'record.status_category == "done" ? "done" : "open"',
        "estimate_seconds": "integer(record.timeoriginalestimate)",
    },
    refs={
        "project": {"stream": "projects", "id": "record.project_id"},
        "resource": {"stream": "users", "id": "record.assignee_id"},
    },
)
VERSIONS = StreamSpec(
    name="versions",
    label="Versions",
    entity="milestone",
    incremental=False,
    fields={
        "name": "record.name",
        "status": 'record.released ? "done" : "open"',
        "due_date": "date(record.releaseDate)",
        "completed_date": "record.released ? date(record.releaseDate) : null",
    },
    refs={"project": {"stream": "projects", "id": "coalesce(text(record.projectId), null)"}},
)
USERS = StreamSpec(
    name="users",
    label="People",
    entity="resource",
    incremental=False,
    fields={
        "name": "coalesce(record.displayName, record.accountId)",
        # Hidden for people who do not share it.
        "email": "lower(coalesce(record.emailAddress, null))",
        "status": 'record.active ? "active" : "inactive"',
    },
)
WORKLOGS = StreamSpec(
    name="worklogs",
    label="Worklogs",
    entity="time_entry",
    deletes=True,
    fields={
        "work_date": "record.work_date",
        "duration_seconds": "integer(record.timeSpentSeconds)",
        "description": "coalesce(record.comment, null)",
        # Jira knows neither approval nor what is billable.
        "status": '"approved"',
        "billable": "true",
    },
    refs={
        "project": {"stream": "projects", "id": "record.project_id"},
        "task": {"stream": "issues", "id": "record.issueId"},
        "resource": {"stream": "users", "id": "record.author_id"},
    },
)

SINKS = (
    SinkSpec(
        name="projects",
        deletes=True,
        label="Projects",
        entity="project",
        stream="projects",
        # Archiving needs Jira Premium and hides the project's worklogs, so a closed project stays as it is.
        fields={"name": "record.name"},
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
            "summary": "record.name",
            "done": 'record.status == "done"',
            "estimate_minutes": "record.estimate_seconds == null ? null : int(record.estimate_seconds) / 60",
            "assignee": "refs.resource",
        },
        refs={"project": "projects", "resource": "users"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP_AFTER_SETTLE,
        settle_seconds=120,
        batch_size=50,
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
            "released": 'record.status == "done"',
            "releaseDate": "record.due_date",
        },
        refs={"project": "projects"},
        required_refs=("project",),
        resolve=Resolve.LOOKUP,
    ),
)

MANIFEST = ConnectorManifest(
    key="jira",
    name="Jira Cloud",
    domain=Domain.DELIVERY,
    description="Projects, issues, versions, people and worklogs of a Jira Cloud site.",
    evidence=Evidence.RECORDED,
    evidence_note=(
        "Requests are valid against Atlassian's published description, except issue search and bulk fetch, which it does "
        "not hold; recorded answers of a real site are parsed and mapped. Not run against a live site."
    ),
    auth=AuthKind.API_KEY,
    base_url="",
    config=CONFIG,
    streams=(PROJECTS, USERS, ISSUES, VERSIONS, WORKLOGS),
    sinks=SINKS,
    nothing_to_hide="Projects, issues, worklogs, and of people what their own privacy settings show.",
    # Three limits hold at once and differ by plan; the smallest burst seen in recordings is 350 calls.
    rate_limit=RateLimit(calls=100, seconds=10, concurrent=4),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="x-hub-signature",
        streams=("issues", "worklogs", "projects", "versions", "users"),
    ),
)
