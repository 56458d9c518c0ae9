"""Design time: template → version → integration (deployed for a customer) → flow → flow version."""

from apps.flows.models.integrations import (
    FieldPolicy,
    Flow,
    FlowVersion,
    Integration,
    IntegrationStatus,
    RoleBinding,
)
from apps.flows.models.mappings import MappingOverride
from apps.flows.models.publications import MappingPublication
from apps.flows.models.revisions import (
    IntegrationRevision,
    MemberStatus,
    RolloutMember,
    RolloutStatus,
    TemplateRollout,
)
from apps.flows.models.templates import (
    OPEN_VERSIONS,
    IntegrationTemplate,
    IntegrationTemplateVersion,
    ReleaseRules,
    VersionStatus,
)

__all__ = [
    "OPEN_VERSIONS",
    "FieldPolicy",
    "Flow",
    "FlowVersion",
    "Integration",
    "IntegrationRevision",
    "IntegrationStatus",
    "IntegrationTemplate",
    "IntegrationTemplateVersion",
    "MappingOverride",
    "MappingPublication",
    "MemberStatus",
    "ReleaseRules",
    "RoleBinding",
    "RolloutMember",
    "RolloutStatus",
    "TemplateRollout",
    "VersionStatus",
]
