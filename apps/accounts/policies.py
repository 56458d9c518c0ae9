"""The one table of roles and what they may do. Views and the API both consult it; nothing else decides."""

from __future__ import annotations

from django.db import models


class StaffRole(models.TextChoices):
    """Roles of a partner's own people."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    ENGINEER = "engineer", "Integration engineer"
    SUPPORT = "support", "Support"
    FINANCE = "finance", "Finance"
    VIEWER = "viewer", "Viewer"


class CustomerRole(models.TextChoices):
    """Roles of a customer's people, held per customer."""

    ADMIN = "admin", "Administrator"
    VIEWER = "viewer", "Viewer"


OPERATOR_PERMISSIONS = frozenset({"partners.view", "partners.manage"})

_READ = frozenset(
    {
        "customers.view", "connections.view", "integrations.view", "runs.view", "records.view", "errors.view",
        "sla.view", "webhooks.view", "approvals.view", "exceptions.view",
    }
)  # fmt: skip
_ENGINEERING = _READ | {
    "connections.manage", "integrations.manage", "templates.manage", "runs.start", "errors.resolve", "payloads.view",
    "webhooks.manage", "approvals.decide", "services.call", "exceptions.resolve", "connectors.manage",
}  # fmt: skip
# Who sells the service promises it: which policy a customer has is part of its contract, like its plan. What a policy says
# (`sla.manage`) is the owner's word, and an admin's. Closing a month early changes no figure of it: whoever sends reports
# or invoices may.
_MONEY = frozenset(
    {
        "approvals.view",
        "approvals.decide",
        "billing.view",
        "billing.manage",
        "sla.view",
        "sla.promise",
        "sla.close",
        "exceptions.view",
        "exceptions.resolve",
    }
)
_ADMINISTRATION = frozenset(
    {
        "customers.manage",
        "brand.manage",
        "team.view",
        "team.manage",
        "keys.manage",
        "sla.manage",
        "audit.view",
        "security.manage",
    }
)

STAFF_PERMISSIONS: dict[str, frozenset[str]] = {
    StaffRole.OWNER: _ENGINEERING | _MONEY | _ADMINISTRATION | {"partner.transfer", "cutover.override"},
    StaffRole.ADMIN: _ENGINEERING | _MONEY | _ADMINISTRATION,
    StaffRole.ENGINEER: _ENGINEERING | {"customers.manage", "team.view"},
    StaffRole.SUPPORT: _READ | {"errors.resolve", "exceptions.resolve", "runs.start", "sla.close", "team.view"},
    StaffRole.FINANCE: _MONEY | {"customers.view", "team.view"},
    StaffRole.VIEWER: _READ | {"team.view"},
}

# A customer's people act on their own customer only: the actor's scope sees to that.
_PORTAL_READ = frozenset(
    {
        "approvals.view",
        "portal.view",
        "integrations.view",
        "connections.view",
        "runs.view",
        "records.view",
        "sla.view",
        "invoices.view",
        "exceptions.view",
    }
)
CUSTOMER_PERMISSIONS: dict[str, frozenset[str]] = {
    CustomerRole.ADMIN: _PORTAL_READ
    | {"approvals.decide", "connections.authorize", "errors.view", "errors.resolve", "members.manage"},
    CustomerRole.VIEWER: _PORTAL_READ | {"errors.view"},
}

# What an API key may carry. A key bound to a customer may not carry the partner-wide ones.
API_SCOPES: dict[str, str] = {
    "customers.view": "Read customers",
    "customers.manage": "Create and change customers",
    "connections.view": "Read connections",
    "connections.manage": "Create, change and check connections",
    "connectors.manage": "Write connectors for systems that the catalogue does not have, and enter the partner’s apps at vendors",
    "integrations.view": "Read integrations",
    "integrations.manage": "Deploy and change integrations",
    "templates.manage": "Write, publish and roll out templates",
    "runs.view": "Read runs and their records",
    "runs.start": "Start and cancel runs",
    "records.view": "Read canonical records",
    "errors.view": "Read failed records",
    "exceptions.view": "Read business exceptions and their rules",
    "exceptions.resolve": "Assign, snooze and ignore business exceptions",
    "errors.resolve": "Answer questions about records and settle failures",
    "payloads.view": "Read what is sent, and correct failed records",
    "approvals.view": "Read what waits to be released",
    "approvals.decide": "Release and refuse what waits",
    "services.call": "Call business services",
    "sla.view": "Read SLA reports",
    "webhooks.view": "Read webhook endpoints, their deliveries and event types",
    "webhooks.manage": "Create and change webhook endpoints, and send deliveries again",
    "billing.view": "Read invoices",
    "billing.manage": "Record payments",
    "security.manage": "Read and change what the log keeps and which hosts may be called",
}
PARTNER_WIDE_SCOPES = frozenset(
    {
        "customers.manage",
        "connectors.manage",
        "templates.manage",
        "billing.manage",
        "payloads.view",
        "exceptions.resolve",
        "security.manage",
    }
)
