"""Putting an integration's settings, schedule, policies, mappings and template version in force: each time a new version."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Max

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict
from apps.flows.definition import (
    MappingSpec,
    parse_flow,
    parse_template,
)
from apps.flows.layers import place_of, with_resolved
from apps.flows.models import (
    OPEN_VERSIONS,
    FieldPolicy,
    Flow,
    FlowVersion,
    Integration,
    IntegrationRevision,
    IntegrationStatus,
    MappingOverride,
    VersionStatus,
)
from apps.flows.rivals import rivalry
from apps.flows.services.integrations import switch_flows
from apps.flows.services.release_rules import requires_second_person
from apps.flows.states import Policies, State, state_of, state_of_revision


class NothingToPublish(Conflict):
    """The integration is this way already."""


class MappingRefused(AnticipatedError):
    """Sample records would be refused, or another live integration reads the same objects differently."""

    code = "mapping_refused"


def bring_about(
    *, actor: Actor, now: datetime, integration: Integration, note: str = "", is_return: bool = False, **changes: Any
) -> IntegrationRevision:
    """This function will publish the changes (fields of State), or keep them as a draft where a second person publishes.

    To be called with the integration locked. A change is added to the draft that is open. Raises NothingToPublish,
    MappingRefused.
    """
    opened = _opened(integration)
    current = state_of(integration)
    if not is_reviewed(integration):
        wanted = replace(current, **changes)
        if wanted.is_same(current):
            raise NothingToPublish("The integration is this way already.")
        return publish_state(actor=actor, now=now, integration=integration, state=wanted, note=note)
    base = current if opened is None or is_return else state_of_revision(within(opened, integration))
    wanted = replace(base, **changes)
    if wanted.is_same(current):
        raise NothingToPublish("The integration is this way already.")
    revision = opened or IntegrationRevision(integration=integration)
    return _keep(actor, now, revision, wanted, note or revision.note, is_return=is_return)


def is_reviewed(integration: Integration) -> bool:
    """Whether a second person puts its changes in force."""
    return requires_second_person() and integration.status != IntegrationStatus.DRAFT


def state_to_change(integration: Integration) -> State:
    """What a further change is added to: the draft that is open, where changes are looked over, else what is in force."""
    opened = _opened(integration) if is_reviewed(integration) else None
    return state_of(integration) if opened is None else state_of_revision(within(opened, integration))


def _opened(integration: Integration) -> IntegrationRevision | None:
    return integration.revisions.filter(status__in=OPEN_VERSIONS).select_related("template_version").first()


def publish_state(
    *,
    actor: Actor,
    now: datetime,
    integration: Integration,
    state: State,
    note: str = "",
    revision: IntegrationRevision | None = None,
) -> IntegrationRevision:
    """This function will make the integration what `state` says: new versions of its flows, and its settings.

    To be called with the integration locked; the one way in which any of it changes once it is deployed.
    """
    before = state_of(integration)
    ensure_first_revision(actor, integration, before)
    mappings = _stamped(before.mappings, state.mappings, now)
    definitions = _definitions(integration, replace(state, mappings=mappings), before)
    integration.template_version, integration.settings = state.version, state.settings
    integration.save(update_fields=["template_version", "settings"])
    write_policies(actor, now, integration, state.policies)
    _publish_flows(actor, now, integration, definitions)
    if state.version.pk != before.version.pk or state.starts != before.starts:
        switch_flows(integration, now)
    integration.revisions.filter(status=VersionStatus.PUBLISHED).update(status=VersionStatus.DEPRECATED)
    kept = _published(actor, now, integration, replace(state, mappings=mappings), note, revision)
    after = {"version": kept.number, "note": kept.note}
    record_change(actor=actor, now=now, target=integration, action="integration.published", before={}, after=after)
    return kept


def write_policies(actor: Actor, now: datetime, integration: Integration, policies: Policies) -> None:
    """This function will make these the integration's own policies; those that stay as they are keep who set them."""
    wanted = {(policy["entity"], policy["field"]): policy for policy in policies}
    for own in integration.field_policies.all():
        policy = wanted.get((own.entity, own.field))
        if policy and (policy["policy"], policy["role"]) == (own.policy, own.role):
            del wanted[own.entity, own.field]
        elif policy is None:
            own.delete()
    FieldPolicy.objects.bulk_create(
        [
            FieldPolicy(integration=integration, **policy, changed_at=now, changed_by_label=actor.label)
            for policy in wanted.values()
        ],
        update_conflicts=True, unique_fields=["integration", "entity", "field"],
        update_fields=["policy", "role", "changed_at", "changed_by_label"],
    )  # fmt: skip


def require_no_rival(integration: Integration) -> None:
    """Raises MappingRefused when another live integration reads the same objects otherwise."""
    reason = rivalry(integration, as_drafted=True) if integration.status == IntegrationStatus.LIVE else ""
    if reason:
        raise MappingRefused(reason)


def lock_integration(actor: Actor, integration: Integration) -> Integration:
    """The integration, nobody else's to change until the transaction ends. Raises NotVisible, NotPermitted, Conflict."""
    actor.require("integrations.manage")
    actor.require_sight(integration.customer_id, "There is no such integration.")
    related = Integration.objects.select_related("template_version", "environment", "customer")
    locked: Integration = related.select_for_update(of=("self",)).get(pk=integration.pk)
    if locked.status == IntegrationStatus.RETIRED:
        raise Conflict("The integration is retired. Deploy its template anew instead.")
    return locked


def reset_layer(actor: Actor, now: datetime, integration: Integration, mappings: list[MappingSpec]) -> None:
    """This function will set the customer's layer back to what the published mappings say of it."""
    MappingOverride.objects.filter(integration=integration).delete()
    rows = [
        MappingOverride(
            integration=integration, role=mapping.role, direction=mapping.direction, object_name=mapping.object_name,
            field=name, expression=source, changed_at=now, changed_by_label=actor.label,
        )
        for mapping in mappings
        for name, source in mapping.fields.items()
        if mapping.origins.get(name) == "customer"
    ]  # fmt: skip
    MappingOverride.objects.bulk_create(rows)


def ensure_first_revision(actor: Actor, integration: Integration, state: State | None = None) -> None:
    """The first publication keeps what was there before it too, so that there is a way back."""
    if integration.revisions.exclude(status__in=OPEN_VERSIONS).exists():
        return
    state = state or state_of(integration)
    IntegrationRevision.objects.create(
        integration=integration, number=_next_number(integration), status=VersionStatus.PUBLISHED,
        template_version=state.version, settings=state.settings, starts=state.starts, policies=state.policies,
        mappings=msgspec.to_builtins(state.mappings), note="As deployed", published_at=integration.created_at,
        published_by_label=actor.label,
    )  # fmt: skip


def _next_number(integration: Integration) -> int:
    return int(integration.revisions.aggregate(last=Max("number"))["last"] or 0) + 1


def _stamped(before: list[MappingSpec], after: list[MappingSpec], now: datetime) -> list[MappingSpec]:
    """What changed is read and planned again, what is default again too."""
    held = {place_of(mapping): mapping for mapping in before}
    known = {place_of(mapping) for mapping in after}
    gone = [msgspec.structs.replace(m, fields={}, origins={}) for m in before if place_of(m) not in known]
    return [_stamp(mapping, held.get(place_of(mapping)), now) for mapping in (*after, *gone)]


def _stamp(mapping: MappingSpec, before: MappingSpec | None, now: datetime) -> MappingSpec:
    if mapping.fields == (before.fields if before else {}):
        return msgspec.structs.replace(mapping, changed_at=before.changed_at if before else "")
    return msgspec.structs.replace(mapping, changed_at=now.isoformat())


def _definitions(integration: Integration, state: State, before: State) -> dict[str, dict[str, Any]]:
    """What each flow of the state does, by key: from the template where its version changes."""
    if state.version.pk == before.version.pk:
        flows = integration.flows.filter(retired_at=None).select_related("current_version").order_by("created_at", "id")
        specs = {flow.key: parse_flow(flow.current_version.definition) for flow in flows if flow.current_version}
    else:
        specs = {spec.key: spec for spec in parse_template(state.version.definition).flows}
    found = {}
    for key, spec in specs.items():
        definition: dict[str, Any] = msgspec.to_builtins(with_resolved(spec, state.mappings))
        found[key] = {**definition, "triggers": state.starts[key]} if key in state.starts else definition
    return found


def _publish_flows(
    actor: Actor, now: datetime, integration: Integration, definitions: dict[str, dict[str, Any]]
) -> None:
    known = {flow.key: flow for flow in integration.flows.order_by("created_at", "id")}
    for key, definition in definitions.items():
        spec = parse_flow(definition)
        flow = known.get(key) or Flow(
            customer_id=integration.customer_id, environment_id=integration.environment_id, integration=integration,
            key=key, created_at=now,
        )  # fmt: skip
        flow.name, flow.description, flow.retired_at = spec.name, spec.description, None
        flow.schedule_seconds = spec.schedule_seconds
        flow.save()
        last = flow.versions.aggregate(last=Max("number"))["last"] or 0
        flow.current_version = FlowVersion.objects.create(
            flow=flow, number=last + 1, definition=definition, published_at=now, published_by_label=actor.label
        )
        flow.save(update_fields=["current_version"])
    for key, flow in known.items():
        if key not in definitions and flow.retired_at is None:
            flow.retired_at = now
            flow.save(update_fields=["retired_at"])


def _keep(
    actor: Actor, now: datetime, revision: IntegrationRevision, state: State, note: str, *, is_return: bool
) -> IntegrationRevision:
    integration = revision.integration
    ensure_first_revision(actor, integration)
    revision.number = revision.number or _next_number(integration)
    revision.status, revision.is_return = VersionStatus.DRAFT, is_return or revision.is_return
    _fill(revision, state, note)
    # A change is added to what others wrote without looking at it: all of them are its authors.
    earlier = set() if revision._state.adding else {revision.author_id, *revision.author_ids} - {""}
    revision.author_ids = sorted(actor.people | earlier)
    revision.author_id, revision.author_label = actor.id, actor.label
    revision.save()
    after = {"version": revision.number, "note": revision.note}
    record_change(actor=actor, now=now, target=integration, action="integration.drafted", before={}, after=after)
    return revision


def _published(
    actor: Actor,
    now: datetime,
    integration: Integration,
    state: State,
    note: str,
    revision: IntegrationRevision | None,
) -> IntegrationRevision:
    if revision is None:
        revision = IntegrationRevision(
            integration=integration, number=_next_number(integration), author_id=actor.id, author_label=actor.label,
            author_ids=sorted(actor.people),
        )  # fmt: skip
    _fill(revision, state, note)
    revision.status, revision.published_at, revision.published_by_label = VersionStatus.PUBLISHED, now, actor.label
    revision.save()
    return revision


def _fill(revision: IntegrationRevision, state: State, note: str) -> None:
    revision.template_version, revision.settings, revision.starts = state.version, state.settings, state.starts
    revision.policies = state.policies
    revision.mappings, revision.note = msgspec.to_builtins(state.mappings), note.strip()[:200]


def within(revision: IntegrationRevision, integration: Integration) -> IntegrationRevision:
    """The version with the integration as it is locked, and not one that is read anew."""
    revision.integration = integration
    return revision
