"""Trying a version of a template on a customer's real records before anybody relies on it; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Environment
from apps.flows.binding import domains_of
from apps.flows.definition import FlowSpec, SettingSpec, parse_template
from apps.flows.models import Flow, FlowVersion, Integration, IntegrationTemplateVersion, RoleBinding
from apps.flows.services.deployment import check_bindings
from apps.flows.services.upgrades import UnableToUpgrade, plan_upgrade, planned_flows
from apps.sync.services.dry_run import MAX_RECORDS, DryRun, try_flow


class UnableToTry(AnticipatedError):
    """The customer has no systems that could play the template's roles."""


def try_upgrade(
    *,
    actor: Actor,
    now: datetime,
    integration: Integration,
    version: IntegrationTemplateVersion,
    answers: Mapping[str, Any] | None = None,
    limit: int = 20,
) -> DryRun:
    """This function will show what runs would write if the integration had the version, published or not.

    Raises UnableToUpgrade.
    """
    _demand(actor, integration.customer_id)
    plan = plan_upgrade(integration, version, answers)
    if plan.problems or plan.state is None:
        raise UnableToUpgrade(plan.problems[0])
    bindings = list(integration.role_bindings.select_related("connection"))
    bindings += [RoleBinding(integration=integration, role=role, connection=found) for role, found in plan.roles]
    integration.settings = plan.state.settings
    return _try(now, integration, planned_flows(plan), bindings, limit)


def try_template(
    *, actor: Actor, now: datetime, version: IntegrationTemplateVersion, environment: Environment, limit: int = 20
) -> DryRun:
    """This function will show what a first run would write, with the customer's systems and the settings' defaults.

    Raises UnableToTry, UnableToDeployIntegration.
    """
    _demand(actor, environment.customer_id)
    spec = parse_template(version.definition)
    bound = _bound(spec.roles, environment)
    check_bindings(spec, environment, bound)
    integration = Integration(
        customer=environment.customer, environment=environment, template_version=version, name=spec.name,
        settings={setting.key: _example(setting) for setting in spec.settings},
    )  # fmt: skip
    bindings = [RoleBinding(integration=integration, role=role, connection=found) for role, found in bound.items()]
    return _try(now, integration, spec.flows, bindings, limit)


def _try(
    now: datetime, integration: Integration, specs: list[FlowSpec], bindings: list[RoleBinding], limit: int
) -> DryRun:
    related = Flow.objects.select_related("environment", "customer", "current_version")
    known = {flow.key: flow for flow in related.filter(integration_id=integration.pk)}
    tried = []
    for spec in specs:
        flow = known.get(spec.key) or _unsaved(integration, spec)
        flow.integration, flow.name = integration, spec.name
        tried.append(try_flow(flow, min(limit, MAX_RECORDS), spec, bindings))
    return DryRun(now, tried)


def _unsaved(integration: Integration, spec: FlowSpec) -> Flow:
    flow = Flow(
        customer=integration.customer, environment=integration.environment, integration=integration, key=spec.key
    )
    flow.current_version = FlowVersion(flow=flow, number=0, definition={})
    return flow


def _bound(roles: Mapping[str, Any], environment: Environment) -> dict[str, Connection]:
    there = list(Connection.objects.filter(environment=environment, archived_at=None).order_by("id"))
    found: dict[str, Connection] = {}
    for role, spec in roles.items():
        fitting = [one for one in there if spec.domain in domains_of(get_manifest(one.vendor))]
        if not fitting:
            raise UnableToTry(f"The customer has no system for {spec.label}.")
        # One that plays no other role yet, where there is one.
        found[role] = next((one for one in fitting if one not in found.values()), fitting[0])
    return found


def _example(setting: SettingSpec) -> Any:
    if setting.default is None and setting.choices:
        return setting.choices[0]
    return setting.default


def _demand(actor: Actor, customer_id: Any) -> None:
    actor.require("integrations.manage")
    actor.require_sight(customer_id, "There is no such customer.")
