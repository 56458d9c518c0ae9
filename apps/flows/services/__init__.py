"""Every write of this room, by aggregate; the names below are what other rooms may call."""

from apps.flows.services.checks import mapping_findings
from apps.flows.services.deployment import UnableToDeployIntegration, deploy_integration
from apps.flows.services.drafts import change_bindings, change_settings, change_starts
from apps.flows.services.integrations import (
    UnableToChangeIntegration,
    go_live,
    pause_flow,
    pause_integration,
    resume_flow,
    resume_integration,
    retire_integration,
)
from apps.flows.services.mappings import UnableToMap, publish_mappings, save_mapping
from apps.flows.services.partner_layer import Outcome, Publication, change_partner_fields, publish_to
from apps.flows.services.policies import UnableToSetPolicy, reset_field_policy, set_field_policy
from apps.flows.services.publications import (
    AT_ONCE,
    UnableToPublishToAll,
    UnableToStopPublication,
    cancel_publication,
    carry_out_publication,
    start_publication,
)
from apps.flows.services.publishing import MappingRefused, NothingToPublish
from apps.flows.services.release_rules import set_release_rules
from apps.flows.services.revisions import (
    discard_revision,
    publish_revision,
    restore_revision,
    return_revision,
    submit_revision,
)
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
    submit_template,
)
from apps.flows.services.templates import TemplateChanged, load_templates

__all__ = [
    "AT_ONCE",
    "MappingRefused",
    "NothingToPublish",
    "Outcome",
    "Publication",
    "TemplateChanged",
    "UnableToChangeIntegration",
    "UnableToDeployIntegration",
    "UnableToMap",
    "UnableToPublishToAll",
    "UnableToRelease",
    "UnableToSetPolicy",
    "UnableToStopPublication",
    "UnableToWriteTemplate",
    "cancel_publication",
    "carry_out_publication",
    "change_bindings",
    "change_partner_fields",
    "change_settings",
    "change_starts",
    "create_template",
    "deploy_integration",
    "deprecate_template",
    "discard_revision",
    "discard_template_draft",
    "fork_template",
    "go_live",
    "load_templates",
    "mapping_findings",
    "open_template_draft",
    "pause_flow",
    "pause_integration",
    "publish_mappings",
    "publish_revision",
    "publish_template",
    "publish_to",
    "reset_field_policy",
    "restore_revision",
    "resume_flow",
    "resume_integration",
    "retire_integration",
    "return_revision",
    "return_template",
    "revive_template",
    "save_mapping",
    "save_template_draft",
    "set_field_policy",
    "set_release_rules",
    "start_publication",
    "submit_revision",
    "submit_template",
]
