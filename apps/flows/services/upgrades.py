"""Giving an integration another version of its template: what that changes, and doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from apps.connectors.models import Connection
from apps.connectors.registry import get_manifest
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.flows.binding import domains_of
from apps.flows.definition import FlowSpec, SettingSpec, TemplateSpec, parse_template
from apps.flows.inputs import InvalidSetting, clean_settings
from apps.flows.layers import differs, draft_mappings, place_of, published_mappings, with_resolved
from apps.flows.models import Integration, IntegrationRevision, IntegrationTemplateVersion, RoleBinding, VersionStatus
from apps.flows.services.deployment import UnableToDeployIntegration, check_bindings
from apps.flows.services.publishing import lock_integration, publish_state, require_no_rival
from apps.flows.sources import as_source
from apps.flows.states import Starts, State, policies_of, starts_of, state_of


class UnableToUpgrade(AnticipatedError):
    """The integration cannot take this version; `field` names the setting that needs an answer."""


@dataclass(frozen=True, slots=True)
class FlowChange:
    """What happens to one flow. `before` and `after` are its definitions as YAML, "" where there is none."""

    key: str
    name: str
    kind: str  # added | removed | changed
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that comes or goes. `is_asked`: it is needed and nothing is known for it."""

    key: str
    label: str
    kind: str  # added | removed
    value: Any = None
    is_asked: bool = False


@dataclass
class UpgradePlan:
    """Everything a version would change in one integration; `problems` stand against it."""

    integration: Integration
    version: IntegrationTemplateVersion
    flows: list[FlowChange] = field(default_factory=list)
    settings: list[SettingChange] = field(default_factory=list)
    roles: list[tuple[str, Connection]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    state: State | None = None

    @property
    def asked(self) -> list[SettingChange]:
        return [setting for setting in self.settings if setting.is_asked]

    @property
    def is_ready(self) -> bool:
        return self.state is not None and not self.problems

    @property
    def is_same(self) -> bool:
        return not (self.flows or self.settings or self.roles or self.dropped)


def plan_upgrade(
    integration: Integration, version: IntegrationTemplateVersion, answers: Mapping[str, Any] | None = None
) -> UpgradePlan:
    """This function will say what the version changes for the customer: nothing is written.

    Settings, mappings and schedules that the customer has of its own are kept; policies are the integration's anyway.
    """
    plan = UpgradePlan(integration, version)
    old, new = parse_template(integration.template_version.definition), parse_template(version.definition)
    plan.flows = list(_flow_changes(old, new))
    settings = _settings(plan, old, new, answers or {})
    _bind_new_roles(plan, old, new)
    published = published_mappings(integration)
    if differs(published, draft_mappings(integration)):
        plan.problems.append("Its mappings were edited and not published. Publish or reset them first.")
    mappings = draft_mappings(integration, new)
    kept = {place_of(mapping) for mapping in mappings}
    plan.dropped = [
        f"{m.role}: {m.object_name}" for m in published if "customer" in m.origins.values() and place_of(m) not in kept
    ]
    if settings is not None and not plan.problems:
        policies = policies_of(integration)
        plan.state = State(version, settings, _starts(integration, old, new), mappings, policies)
    return plan


@transaction.atomic
def upgrade_integration(
    *,
    actor: Actor,
    now: datetime,
    integration: Integration,
    version: IntegrationTemplateVersion,
    answers: Mapping[str, Any] | None = None,
    note: str = "",
) -> IntegrationRevision:
    """This function will give the integration the version; flows keep their history and where they have read to.

    Raises UnableToUpgrade, MappingRefused.
    """
    locked = lock_integration(actor, integration)
    if version.status != VersionStatus.PUBLISHED or version.template_id != locked.template_version.template_id:
        raise UnableToUpgrade("Only a published version of the same template can be taken.")
    plan = plan_upgrade(locked, version, answers)
    if plan.problems or plan.state is None:
        first = plan.asked[0].key if plan.asked else ""
        raise UnableToUpgrade(plan.problems[0], field=first)
    for role, connection in plan.roles:
        RoleBinding.objects.create(integration=locked, role=role, connection=connection)
    revision = publish_state(
        actor=actor, now=now, integration=locked, state=plan.state, note=note or f"Template version {version.number}"
    )
    require_no_rival(locked)
    return revision


def planned_flows(plan: UpgradePlan) -> list[FlowSpec]:
    """The flows as they would be, for trying them out."""
    mappings = plan.state.mappings if plan.state else []
    return [with_resolved(spec, mappings) for spec in parse_template(plan.version.definition).flows]


def _flow_changes(old: TemplateSpec, new: TemplateSpec) -> Iterator[FlowChange]:
    before, after = ({flow.key: flow for flow in spec.flows} for spec in (old, new))
    for key in [*after, *(key for key in before if key not in after)]:
        was, becomes = before.get(key), after.get(key)
        if was == becomes:
            continue
        kind = "changed" if was and becomes else "added" if becomes else "removed"
        name = (becomes or was).name  # type: ignore[union-attr]
        yield FlowChange(key, name, kind, _text(was), _text(becomes))


def _text(flow: FlowSpec | None) -> str:
    return as_source({k: v for k, v in msgspec.to_builtins(flow).items() if v not in ("", [], {})}) if flow else ""


def _settings(
    plan: UpgradePlan, old: TemplateSpec, new: TemplateSpec, answers: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The settings as they would be; None when one has to be asked for."""
    specs = {spec.key: spec for spec in new.settings}
    known = {spec.key: spec for spec in old.settings}
    held = plan.integration.settings
    values = {key: value for key, value in {**held, **answers}.items() if key in specs}
    cleaned, asked = _cleaned(plan, new, answers, fresh=set(specs) - set(known))
    for key, spec in specs.items():
        if key not in known or key in asked:
            value = cleaned.get(key, spec.default) if cleaned else values.get(key, spec.default)
            plan.settings.append(SettingChange(key, spec.label, "added", value, key in asked))
    gone = [spec for key, spec in known.items() if key not in specs]
    plan.settings += [SettingChange(spec.key, spec.label, "removed", held.get(spec.key)) for spec in gone]
    return cleaned


def _cleaned(
    plan: UpgradePlan, new: TemplateSpec, answers: Mapping[str, Any], *, fresh: set[str]
) -> tuple[dict[str, Any] | None, set[str]]:
    """Each setting by itself, so that everything that needs an answer is asked for at once."""
    found: dict[str, Any] = {}
    asked: set[str] = set()
    for spec in new.settings:
        try:
            found.update(_clean_one(plan, spec, answers, is_fresh=spec.key in fresh))
        except InvalidSetting as error:
            asked.add(spec.key)
            plan.problems.append(f"{spec.label}: {error}")
    return (None if asked else found), asked


def _clean_one(plan: UpgradePlan, spec: SettingSpec, answers: Mapping[str, Any], *, is_fresh: bool) -> dict[str, Any]:
    """An answer counts for what is new or can stay no longer; what else is held is changed where it is looked over."""
    currency, held = plan.integration.customer.currency, plan.integration.settings
    own = {spec.key: held[spec.key]} if spec.key in held else {}
    answer = {spec.key: answers[spec.key]} if spec.key in answers else own
    if is_fresh:
        return clean_settings([spec], answer, currency)
    try:
        return clean_settings([spec], own, currency)
    except InvalidSetting:
        return clean_settings([spec], answer, currency)


def _bind_new_roles(plan: UpgradePlan, old: TemplateSpec, new: TemplateSpec) -> None:
    """A role that the version adds is played by the one connection that can; else somebody has to set it up."""
    bindings = plan.integration.role_bindings.select_related("connection")
    bound = {binding.role: binding.connection for binding in bindings}
    for role, spec in new.roles.items():
        if role in bound:
            continue
        there = Connection.objects.filter(environment=plan.integration.environment, archived_at=None).order_by("id")
        fitting = [found for found in there if spec.domain in domains_of(get_manifest(found.vendor))]
        if len(fitting) == 1:
            plan.roles.append((role, fitting[0]))
            bound[role] = fitting[0]
        else:
            word = "none is connected" if not fitting else f"{len(fitting)} could be it"
            plan.problems.append(f"It needs a system for {spec.label}, and {word}.")
    if all(role in bound for role in new.roles):
        try:
            check_bindings(new, plan.integration.environment, bound)
        except UnableToDeployIntegration as error:
            plan.problems.append(error.user_message)


def _starts(integration: Integration, old: TemplateSpec, new: TemplateSpec) -> Starts:
    """What the customer's flows are started by, where that was changed for the customer; else what the version says."""
    shipped = {flow.key: starts_of(msgspec.to_builtins(flow)) for flow in old.flows}
    current = state_of(integration).starts
    found = {}
    for flow in new.flows:
        own = current.get(flow.key)
        is_own = own is not None and own != shipped.get(flow.key)
        found[flow.key] = own if is_own and own is not None else starts_of(msgspec.to_builtins(flow))
    return found
