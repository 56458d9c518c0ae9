"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.flows.services.checks import mapping_findings
from apps.flows.services.deployment import UnableToDeployIntegration, deploy_integration
from apps.flows.services.drafts import change_bindings, change_settings
from apps.flows.services.integrations import (
    UnableToChangeIntegration,
    go_live,
    pause_flow,
    pause_integration,
    resume_flow,
    resume_integration,
    retire_integration,
)
from apps.flows.services.mappings import (
    MappingRefused,
    NothingToPublish,
    UnableToMap,
    publish_mappings,
    restore_mappings,
    save_mapping,
)
from apps.flows.services.policies import UnableToSetPolicy, reset_field_policy, set_field_policy
from apps.flows.services.templates import TemplateChanged, load_templates

__all__ = [
    "MappingRefused",
    "NothingToPublish",
    "TemplateChanged",
    "UnableToChangeIntegration",
    "UnableToDeployIntegration",
    "UnableToMap",
    "UnableToSetPolicy",
    "change_bindings",
    "change_settings",
    "deploy_integration",
    "go_live",
    "load_templates",
    "mapping_findings",
    "pause_flow",
    "pause_integration",
    "publish_mappings",
    "reset_field_policy",
    "restore_mappings",
    "resume_flow",
    "resume_integration",
    "retire_integration",
    "save_mapping",
    "set_field_policy",
]
