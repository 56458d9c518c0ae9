from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import NotVisible
from apps.core.visible import get_visible
from apps.flows.definition import DELETION, FlowSpec, TemplateSpec, parse_flow, parse_template
from apps.flows.models import (
    OPEN_VERSIONS,
    FieldPolicy,
    Flow,
    Integration,
    IntegrationRevision,
    IntegrationStatus,
    IntegrationTemplate,
    IntegrationTemplateVersion,
    RoleBinding,
    RolloutMember,
    TemplateRollout,
    VersionStatus,
)
from apps.flows.sources import number_key

# The template version in force has no such flow any more: its history stays, it is no part of the integration.
FLOWS_IN_FORCE = Prefetch("flows", Flow.objects.filter(retired_at=None).order_by("created_at", "id"))


def list_templates() -> QuerySet[IntegrationTemplateVersion]:
    """The newest published version of every template, by name: what can be deployed."""
    newest: dict[UUID, tuple[tuple[int, ...], UUID]] = {}
    published = IntegrationTemplateVersion.objects.filter(status=VersionStatus.PUBLISHED)
    for version_id, template_id, number in published.values_list("id", "template_id", "number"):
        found = (number_key(number), version_id)
        newest[template_id] = max(found, newest.get(template_id, found))
    versions = IntegrationTemplateVersion.objects.filter(pk__in=[version_id for _, version_id in newest.values()])
    return versions.select_related("template").order_by("template__name", "id")


def list_template_versions() -> QuerySet[IntegrationTemplateVersion]:
    """Every version of every template, the newest written first."""
    versions = IntegrationTemplateVersion.objects.defer("definition", "source").select_related("template")
    return versions.order_by("-id")


def list_template_drafts() -> QuerySet[IntegrationTemplateVersion]:
    """What is being written or looked over, by name."""
    versions = IntegrationTemplateVersion.objects.filter(status__in=OPEN_VERSIONS).defer("definition", "source")
    return versions.select_related("template").order_by("template__name", "id")


def get_template(version_id: UUID) -> IntegrationTemplateVersion:
    """Raises NotVisible."""
    related = IntegrationTemplateVersion.objects.select_related("template__forked_from__template")
    return get_visible(related, version_id, "There is no such template.")


def integrations_of(actor: Actor, template: IntegrationTemplate) -> list[Integration]:
    """Everything deployed from any version of the template that is not retired, by customer."""
    deployed = Integration.objects.visible_to(actor).filter(template_version__template=template)
    related = deployed.exclude(status=IntegrationStatus.RETIRED).select_related("customer", "environment")
    version = Prefetch("template_version", IntegrationTemplateVersion.objects.defer("definition", "source"))
    return list(related.prefetch_related(version).order_by("customer__name", "name", "id"))


def template_versions(template: IntegrationTemplate) -> list[IntegrationTemplateVersion]:
    """All versions, newest first, each with `use_count`: how many integrations have it that are not retired."""
    in_use = Q(integrations__status__in=[s for s in IntegrationStatus if s != IntegrationStatus.RETIRED])
    versions = template.versions.defer("definition").annotate(use_count=Count("integrations", filter=in_use))
    return sorted(versions, key=lambda version: number_key(version.number), reverse=True)


def newer_version(integration: Integration) -> IntegrationTemplateVersion | None:
    """The newest published version of the integration's template, where that is above the one it has."""
    own = number_key(integration.template_version.number)
    versions = IntegrationTemplateVersion.objects.filter(
        template_id=integration.template_version.template_id, status=VersionStatus.PUBLISHED
    ).defer("definition", "source")
    above = [version for version in versions if number_key(version.number) > own]
    return max(above, key=lambda version: number_key(version.number), default=None)


def template_spec(version: IntegrationTemplateVersion) -> TemplateSpec:
    """Roles, settings and flows of a template, typed: what a deployment form is made from."""
    return parse_template(version.definition)


def flow_spec(flow: Flow) -> FlowSpec:
    """What a flow's current version does."""
    if flow.current_version is None:
        raise NotVisible("The flow has no published version.")
    return parse_flow(flow.current_version.definition)


def list_integrations(actor: Actor) -> QuerySet[Integration]:
    """All but retired ones, by name."""
    visible = Integration.objects.visible_to(actor).exclude(status=IntegrationStatus.RETIRED)
    related = visible.select_related("customer", "environment", "template_version__template")
    return related.prefetch_related(FLOWS_IN_FORCE, "role_bindings__connection").order_by("name", "id")


def get_integration(actor: Actor, integration_id: UUID) -> Integration:
    """Raises NotVisible."""
    visible = Integration.objects.visible_to(actor)
    related = visible.select_related("customer", "environment", "template_version__template")
    return get_visible(related, integration_id, "There is no such integration.")


def list_flows(actor: Actor) -> QuerySet[Flow]:
    visible = Flow.objects.visible_to(actor).filter(retired_at=None)
    visible = visible.exclude(integration__status=IntegrationStatus.RETIRED)
    return visible.select_related("customer", "environment", "integration", "current_version").order_by("name", "id")


def get_flow(actor: Actor, flow_id: UUID) -> Flow:
    """Raises NotVisible."""
    return get_visible(list_flows(actor), flow_id, "There is no such flow.")


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """What happens to a field edited on both sides, or (`@deleted`) to a deletion. `own`: the integration's, not its template's."""

    flow: str
    entity: str
    field: str
    policy: str
    role: str
    own: FieldPolicy | None


def list_policies(integration: Integration) -> list[PolicyInForce]:
    """The integration's own and its template's, by entity and field."""
    own = {(policy.entity, policy.field): policy for policy in integration.field_policies.all()}
    found = {key: PolicyInForce("", *key, policy.policy, policy.role, policy) for key, policy in own.items()}
    for flow in template_spec(integration.template_version).flows:
        for entity, fields in flow.conflicts.items():
            for name, spec in fields.items():
                found.setdefault((entity, name), PolicyInForce(flow.name, entity, name, spec.policy, spec.role, None))
        for entity, policy in flow.deletes.items():
            found.setdefault((entity, DELETION), PolicyInForce(flow.name, entity, DELETION, policy, "", None))
    return [found[key] for key in sorted(found)]


def get_policy(actor: Actor, policy_id: UUID) -> FieldPolicy:
    """Raises NotVisible."""
    visible = Integration.objects.visible_to(actor)
    found = FieldPolicy.objects.filter(pk=policy_id, integration__in=visible).select_related("integration").first()
    if found is None:
        raise NotVisible("There is no such policy.")
    return found


def get_revision(integration: Integration, revision_id: UUID) -> IntegrationRevision:
    """Raises NotVisible."""
    found = IntegrationRevision.objects.filter(integration=integration, pk=revision_id).first()
    if found is None:
        raise NotVisible("There is no such version.")
    return found


def revision_before(revision: IntegrationRevision) -> IntegrationRevision | None:
    """The version before it, of the same integration; None of the first."""
    earlier = revision.integration.revisions.filter(number__lt=revision.number).select_related("template_version")
    found = earlier.order_by("-number").first()
    if found is not None:
        found.integration = revision.integration
    return found


def list_uses(connection: Connection) -> QuerySet[RoleBinding]:
    """Where the connection plays a role, by integration."""
    uses = RoleBinding.objects.filter(connection=connection)
    return uses.select_related("integration").order_by("integration__name", "integration_id", "role")


def list_rollouts(actor: Actor) -> QuerySet[TemplateRollout]:
    """Rollouts are the partner's own matter: who sees only some customers sees none."""
    rows = TemplateRollout.objects.select_related("version__template").order_by("-id")
    return rows if actor.scope is None else rows.none()


def get_rollout(actor: Actor, rollout_id: UUID) -> TemplateRollout:
    """Raises NotVisible."""
    return get_visible(list_rollouts(actor), rollout_id, "There is no such rollout.")


def get_rollout_member(actor: Actor, member_id: UUID) -> RolloutMember:
    """Raises NotVisible."""
    visible = RolloutMember.objects.visible_to(actor).filter(rollout__in=list_rollouts(actor))
    return get_visible(
        visible.select_related("rollout__version", "integration", "customer"),
        member_id,
        "There is no such customer in a rollout.",
    )
