"""Deploying a template for a customer: roles bound to connections, settings chosen, flows made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Environment
from apps.flows.binding import NotOffered, domains_of, sink_of, stream_of
from apps.flows.definition import FlowSpec, TemplateSpec, parse_template
from apps.flows.inputs import InvalidSetting, clean_settings
from apps.flows.models import Flow, FlowVersion, Integration, IntegrationTemplateVersion, RoleBinding, VersionStatus
from apps.flows.services.mappings import refresh_mappings


class UnableToDeployIntegration(AnticipatedError):
    """A role is unbound or bound to a system that cannot play it, or a setting is wrong; `field` says which."""


@transaction.atomic
def deploy_integration(
    *,
    actor: Actor,
    now: datetime,
    environment: Environment,
    template_version: IntegrationTemplateVersion,
    name: str,
    bindings: Mapping[str, Connection],
    settings: Mapping[str, Any],
) -> Integration:
    """This function will set an integration up as a draft, with its flows disabled. Raises UnableToDeployIntegration."""
    actor.require("integrations.manage")
    if not actor.sees(environment.customer_id):
        raise UnableToDeployIntegration("There is no such customer.", field="environment")
    check_deployable(template_version)
    template = parse_template(template_version.definition)
    check_bindings(template, environment, bindings)
    integration = Integration.objects.create(
        customer_id=environment.customer_id, environment=environment, template_version=template_version,
        name=name.strip() or template.name, created_at=now,
        author_ids=sorted(actor.people),
        settings=clean_given_settings(template, settings, environment.customer.currency),
    )  # fmt: skip
    RoleBinding.objects.bulk_create(
        [RoleBinding(integration=integration, role=role, connection=bindings[role]) for role in template.roles]
    )
    for flow in template.flows:
        _create_flow(actor, now, integration, flow)
    refresh_mappings(actor=actor, now=now, integration=integration)
    record_change(
        actor=actor, now=now, target=integration, action="integration.deployed",
        after={"template": str(template_version), "bindings": {r: str(c.pk) for r, c in bindings.items()}},
    )  # fmt: skip
    return integration


def lock_place(environment: Environment) -> None:
    """This function will have whoever else applies something here wait: two at once would set it up twice."""
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)


def check_deployable(version: IntegrationTemplateVersion) -> None:
    """Raises UnableToDeployIntegration unless the version is published."""
    if version.status != VersionStatus.PUBLISHED:
        word = VersionStatus(version.status).label.lower()
        raise UnableToDeployIntegration(f"Version {version.number} of this template is {word}. Choose a published one.")


def clean_given_settings(template: TemplateSpec, settings: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The settings as they are stored. Raises UnableToDeployIntegration with the first that is wrong."""
    try:
        return clean_settings(template.settings, settings, currency)
    except InvalidSetting as error:
        raise UnableToDeployIntegration(str(error), field=error.key) from error


def check_bindings(template: TemplateSpec, environment: Environment, bindings: Mapping[str, Connection]) -> None:
    """Raises UnableToDeployIntegration with the role whose connection is missing, elsewhere, or cannot play it."""
    for role, spec in template.roles.items():
        connection = bindings.get(role)
        if connection is None:
            raise UnableToDeployIntegration(f"Choose the system for {spec.label}.", field=role)
        if connection.environment_id != environment.pk or connection.archived_at:
            raise UnableToDeployIntegration(
                "This connection belongs to another environment. Choose one of this environment.", field=role
            )
        manifest = get_manifest(connection.vendor)
        if spec.domain not in domains_of(manifest):
            raise UnableToDeployIntegration(
                f"{manifest.name} cannot play the role {spec.label}. Choose another system.", field=role
            )
    for flow in template.flows:
        _check_flow(flow, bindings)


def _check_flow(flow: FlowSpec, bindings: Mapping[str, Connection]) -> None:
    for read in flow.reads:
        try:
            stream_of(get_manifest(bindings[read.role].vendor), read)
        except NotOffered as error:
            if not read.optional:
                raise UnableToDeployIntegration(str(error), field=read.role) from error
    for rule in flow.rules:
        if rule.write is None:
            continue
        try:
            sink_of(get_manifest(bindings[rule.write.role].vendor), rule.write, rule.on)
        except NotOffered as error:
            if not rule.write.optional:
                raise UnableToDeployIntegration(str(error), field=rule.write.role) from error


def _create_flow(actor: Actor, now: datetime, integration: Integration, spec: FlowSpec) -> None:
    flow = Flow.objects.create(
        customer_id=integration.customer_id,
        environment_id=integration.environment_id,
        integration=integration,
        key=spec.key,
        name=spec.name,
        description=spec.description,
        schedule_seconds=spec.schedule_seconds,
        created_at=now,
    )
    flow.current_version = FlowVersion.objects.create(
        flow=flow, number=1, definition=msgspec.to_builtins(spec), published_at=now, published_by_label=actor.label
    )
    flow.save(update_fields=["current_version"])
