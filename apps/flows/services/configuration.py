"""Making a customer's integrations what a text says, once somebody has confirmed the plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Environment
from apps.flows.configuration import IntegrationDoc
from apps.flows.definition import parse_template
from apps.flows.layers import draft_mappings, published_mappings
from apps.flows.models import (
    Integration,
    IntegrationStatus,
    MappingOverride,
    RoleBinding,
    VersionStatus,
)
from apps.flows.services.deployment import deploy_integration
from apps.flows.services.integrations import (
    go_live,
    may_start_first,
    pause_integration,
    resume_integration,
    retire_integration,
)
from apps.flows.services.planning import ConfigurationPlan, Planned, UnableToApply, plan_configuration
from apps.flows.services.publishing import (
    NothingToPublish,
    bring_about,
    lock_integration,
    require_no_rival,
    reset_layer,
)
from apps.flows.states import Policies, starts_of


@transaction.atomic
def apply_configuration(
    *,
    actor: Actor,
    now: datetime,
    text: str,
    environment: Environment | None = None,
    with_removals: bool = False,
) -> ConfigurationPlan:
    """This function will carry out the plan, all of it or nothing; returns it. Applying the same again changes nothing.

    `with_removals`: integrations that the text does not name are retired; otherwise they are left alone. Raises
    UnableToApply.
    """
    plan = plan_configuration(actor=actor, text=text, environment=environment, waits=True)
    if plan.problems:
        raise UnableToApply(plan.problems[0], field="source")
    for entry in plan.changes:
        if entry.action == "remove":
            if with_removals and entry.integration is not None:
                retire_integration(actor=actor, now=now, integration=entry.integration)
        else:
            carry_out(actor=actor, now=now, environment=plan.environment, entry=entry)
    record_change(
        actor=actor, now=now, target=plan.environment, action="configuration.applied",
        after={"changes": [f"{entry.action} {entry.name}" for entry in plan.changes]},
    )  # fmt: skip
    return plan


def carry_out(*, actor: Actor, now: datetime, environment: Environment, entry: Planned) -> Integration:
    """This function will make one integration what its entry says. Raises UnableToApply with why it cannot be."""
    doc, version = entry.doc, entry.version
    if doc is None or version is None:
        raise UnableToApply("There is nothing to carry out.")
    try:
        integration = entry.integration or deploy_integration(
            actor=actor, now=now, environment=environment, template_version=version, name=doc.name,
            bindings=entry.systems, settings=entry.settings,
        )  # fmt: skip
        _bring_in_line(actor, now, integration, entry)
        return _move(actor, now, integration, doc.status)
    except UnableToApply:
        raise
    except AnticipatedError as error:
        raise UnableToApply(f"{doc.name}: {error.user_message}", field="source") from error


def _bring_in_line(actor: Actor, now: datetime, integration: Integration, entry: Planned) -> None:
    """One new version for everything; where a second person publishes, a draft, and nothing else is changed by it."""
    assert entry.doc is not None  # noqa: S101 - carry_out saw to it
    assert entry.version is not None  # noqa: S101
    locked = lock_integration(actor, integration)
    bound = set(locked.role_bindings.values_list("role", flat=True))
    added = [role for role in entry.systems if role not in bound]
    RoleBinding.objects.bulk_create(
        [RoleBinding(integration=locked, role=role, connection=entry.systems[role]) for role in added]
    )
    before = published_mappings(locked)
    spec = parse_template(entry.version.definition)
    MappingOverride.objects.filter(integration=locked).delete()
    MappingOverride.objects.bulk_create(_overrides(actor, now, locked, entry.doc))
    starts = {flow.key: starts_of(msgspec.to_builtins(flow)) for flow in spec.flows}
    try:
        made = bring_about(
            actor=actor, now=now, integration=locked, note="Applied from a text", is_return=True,
            version=entry.version, settings=entry.settings, starts={**starts, **entry.starts},
            mappings=draft_mappings(locked, spec), policies=_policies(entry.doc),
        )  # fmt: skip
    except NothingToPublish:
        return
    if made.status == VersionStatus.PUBLISHED:
        require_no_rival(locked)
    else:
        reset_layer(actor, now, locked, before)


def _policies(doc: IntegrationDoc) -> Policies:
    found: Policies = [msgspec.to_builtins(policy) for policy in doc.policies]
    return sorted(found, key=lambda policy: (policy["entity"], policy["field"]))


def _overrides(actor: Actor, now: datetime, integration: Integration, doc: IntegrationDoc) -> Iterator[MappingOverride]:
    for mapping in doc.mappings:
        for name, source in mapping.fields.items():
            yield MappingOverride(
                integration=integration, role=mapping.role, direction=mapping.direction, object_name=mapping.object,
                field=name, expression=source, changed_at=now, changed_by_label=actor.label,
            )  # fmt: skip


def _move(actor: Actor, now: datetime, integration: Integration, status: str) -> Integration:
    integration.refresh_from_db()
    if integration.status == IntegrationStatus.DRAFT and status != "draft" and may_start_first(actor, integration):
        go_live(actor=actor, now=now, integration=integration)
    if integration.status == IntegrationStatus.LIVE and status == "paused":
        pause_integration(actor=actor, now=now, integration=integration)
    if integration.status == IntegrationStatus.PAUSED and status == "live":
        resume_integration(actor=actor, now=now, integration=integration)
    return integration
