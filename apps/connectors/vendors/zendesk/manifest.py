"""What Zendesk offers and how its objects read in canonical words."""

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


def ref(name: str) -> str:
    """An id as text, null where there is none."""
    return f"coalesce(text(record.{name}), null)"


STREAMS = (
    StreamSpec(
        name="organizations",
        label="Organizations",
        entity="account",
        deletes=True,
        fields={"name": "record.name", "domain": 'lower(get(record, "domain_names.0"))'},
    ),
    StreamSpec(
        name="contacts",
        label="End users",
        entity="contact",
        deletes=True,
        fields={
            "name": "coalesce(record.name, text(record.id))",
            "email": "lower(coalesce(record.email, null))",
            "phone": "coalesce(record.phone, null)",
        },
        refs={"account": {"stream": "organizations", "id": ref("organization_id")}},
    ),
    StreamSpec(
        name="agents",
        label="Agents",
        entity="resource",
        fields={
            "name": "coalesce(record.name, text(record.id))",
            "email": "lower(coalesce(record.email, null))",
            "status": 'record.working ? "active" : "inactive"',
        },
    ),
    StreamSpec(
        name="tickets",
        label="Tickets",
        entity="ticket",
        deletes=True,
        fields={
            "name": 'coalesce(record.subject, "#" + text(record.id))',
            "number": "text(record.id)",
            "status": 'lookup({"new": "new", "pending": "pending", "hold": "pending", "solved": "solved", '
            '"closed": "closed"}, record.status, "open")',
            "priority": "coalesce(record.priority, null)",
            "description": "coalesce(record.description, null)",
            "requester_email": "lower(coalesce(record.requester_email, null))",
            "due_date": "date(record.due_at)",
        },
        refs={
            "account": {"stream": "organizations", "id": ref("organization_id")},
            "contact": {"stream": "contacts", "id": ref("contact_id")},
            "resource": {"stream": "agents", "id": ref("assignee_id")},
        },
    ),
)

SINKS = (
    SinkSpec(
        name="organizations",
        deletes=True,
        label="Organizations",
        entity="account",
        stream="organizations",
        fields={
            "name": "record.name",
            "domain_names": "record.domain == null ? null : [lower(record.domain)]",
        },
        resolve=Resolve.EXTERNAL_ID,
    ),
    SinkSpec(
        name="contacts",
        deletes=True,
        label="End users",
        entity="contact",
        stream="contacts",
        fields={
            "name": "record.name",
            "email": "lower(record.email)",
            "phone": "record.phone",
            "organization_id": "integer(refs.account)",
        },
        refs={"account": "organizations"},
        resolve=Resolve.LOOKUP,
    ),
    SinkSpec(
        name="tickets",
        deletes=True,
        label="Tickets",
        entity="ticket",
        stream="tickets",
        fields={
            "subject": "record.name",
            "description": "record.description",
            "priority": "record.priority",
            # Only Zendesk itself closes a ticket, some days after it was solved.
            "status": 'record.status == "closed" ? "solved" : record.status',
            "requester_id": "integer(refs.contact)",
            "organization_id": "integer(refs.account)",
            "assignee_id": "integer(refs.resource)",
        },
        refs={"account": "organizations", "contact": "contacts", "resource": "agents"},
        resolve=Resolve.LOOKUP,
    ),
)

MANIFEST = ConnectorManifest(
    key="zendesk",
    name="Zendesk",
    domain=Domain.DELIVERY,
    description="Organizations, end users, agents and support tickets.",
    evidence=Evidence.SIMULATED,
    evidence_note=(
        "There is no official description to be had and no recording: shown against a simulator built from Zendesk's "
        "documentation only."
    ),
    auth=AuthKind.API_KEY,
    base_url="",
    config=(
        ConfigField(key="base_url", label="Address", help="For example https://your-company.zendesk.com", kind="url"),
        ConfigField(key="email", label="Email", help="Of an administrator, the token's owner."),
        ConfigField(
            key="api_token",
            label="API token",
            help="Admin Center > Apps and integrations > Zendesk API, with token access enabled.",
            secret=True,
        ),
    ),
    streams=STREAMS,
    sinks=SINKS,
    # How agents sign in, what they note about people for themselves, and a one-time token that `users/me` shows.
    redact=(
        "authenticity_token",
        "two_factor_auth_enabled",
        "last_login_at",
        "resource.notes",
        "contact.notes",
        "details",
    ),
    # The smallest plan allows 200 calls a minute; exports have their own limit, which the streams obey.
    rate_limit=RateLimit(calls=180, seconds=60),
    webhook=WebhookSpec(
        scope="connection",
        signature_header="x-zendesk-webhook-signature",
        streams=("tickets", "organizations", "contacts", "agents"),
    ),
)
