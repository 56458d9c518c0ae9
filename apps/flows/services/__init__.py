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
from apps.flows.services.template_versions import (
    UnableToRelease,
    UnableToWriteTemplate,
    create_template,
    deprecate_template,
    discard_template_draft,
    fork_template,
    open_template_draft,
    publish_template,
    return_template,
    revive_template,
    save_template_draft,
    set_release_rules,
    submit_template,
)
from apps.flows.services.templates import TemplateChanged, load_templates

__all__ = [
    "MappingRefused",
    "NothingToPublish",
    "TemplateChanged",
    "UnableToChangeIntegration",
    "UnableToDeployIntegration",
    "UnableToMap",
    "UnableToRelease",
    "UnableToSetPolicy",
    "UnableToWriteTemplate",
    "change_bindings",
    "change_settings",
    "create_template",
    "deploy_integration",
    "deprecate_template",
    "discard_template_draft",
    "fork_template",
    "go_live",
    "load_templates",
    "mapping_findings",
    "open_template_draft",
    "pause_flow",
    "pause_integration",
    "publish_mappings",
    "publish_template",
    "reset_field_policy",
    "restore_mappings",
    "resume_flow",
    "resume_integration",
    "retire_integration",
    "return_template",
    "revive_template",
    "save_mapping",
    "save_template_draft",
    "set_field_policy",
    "set_release_rules",
    "submit_template",
]
