"""What applying a text would do to a customer's integrations; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Environment
from apps.flows.comparing import starts_in_words
from apps.flows.configuration import IntegrationDoc, describe, read_customer
from apps.flows.definition import TemplateSpec, parse_template
from apps.flows.inputs import InvalidSetting, clean_settings
from apps.flows.models import (
    Integration,
    IntegrationStatus,
    IntegrationTemplateVersion,
    MappingOverride,
    VersionStatus,
)
from apps.flows.services.deployment import UnableToDeployIntegration, check_bindings, lock_place
from apps.flows.services.policies import UnableToSetPolicy, check_policy
from apps.flows.sources import Document, InvalidSource
from apps.flows.states import Starts, UnableToStart, read_starts, starts_of

LONGEST_NAME = 120


class UnableToApply(AnticipatedError):
    """The text is none, or something in it cannot be; the message names line and place."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that changes: before and after as texts, "" where there is none."""

    name: str
    before: str
    after: str


@dataclass
class PlanEntry:
    """What applying does to one part of the text: create, change, remove, or same."""

    action: str
    name: str
    details: list[Detail] = field(default_factory=list, kw_only=True)
    problems: list[str] = field(default_factory=list, kw_only=True)


Entry = TypeVar("Entry", bound=PlanEntry)


@dataclass
class Plan(Generic[Entry]):
    entries: list[Entry]

    @property
    def changes(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.action != "same"]

    @property
    def problems(self) -> list[str]:
        return [problem for entry in self.entries for problem in entry.problems]

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.problems


@dataclass
class Planned(PlanEntry):
    """One integration."""

    doc: IntegrationDoc | None = None
    integration: Integration | None = None
    version: IntegrationTemplateVersion | None = None
    systems: dict[str, Connection] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    starts: Starts = field(default_factory=dict)


@dataclass
class ConfigurationPlan(Plan[Planned]):
    environment: Environment


def plan_configuration(
    *, actor: Actor, text: str, environment: Environment | None = None, waits: bool = False
) -> ConfigurationPlan:
    """This function will say what applying the text would do; nothing is written.

    `environment`: instead of the text's. `waits`: until nobody else applies. Raises UnableToApply, NotVisible.
    """
    actor.require("integrations.manage")
    try:
        document, doc = read_customer(text)
    except InvalidSource as error:
        raise UnableToApply(str(error), field="source") from error
    place = environment or _environment(actor, doc.customer, doc.environment)
    actor.require_sight(place.customer_id, "There is no such customer.")
    if waits:
        lock_place(place)
    entries = []
    known = _by_name(place)
    seen: set[str] = set()
    for index, wanted in enumerate(doc.integrations):
        where = f".integrations[{index}]"
        entry = plan_one(place, wanted, known.get(wanted.name, []))
        if wanted.name in seen:
            entry.problems.append("Two integrations of the text have this name.")
        seen.add(wanted.name)
        entry.problems = [_placed(document, where, problem) for problem in entry.problems]
        entries.append(entry)
    for name in sorted(set(known) - seen):
        entries += [Planned("remove", name, integration=one) for one in known[name]]
    return ConfigurationPlan(entries, place)


def plan_one(
    environment: Environment,
    wanted: IntegrationDoc,
    existing: list[Integration],
    systems: Mapping[str, Connection] | None = None,
) -> Planned:
    """One integration of the text against what is there. `systems`: instead of those it names."""
    entry = Planned("create", wanted.name, doc=wanted)
    if len(existing) > 1:
        entry.problems.append("Several integrations of this customer have this name. Rename them first.")
        return entry
    entry.integration = existing[0] if existing else None
    versions = IntegrationTemplateVersion.objects.select_related("template")
    entry.version = versions.filter(template__key=wanted.template, number=wanted.version).first()
    if entry.version is None:
        entry.problems.append(f"There is no template {wanted.template} {wanted.version}.")
        return entry
    spec = parse_template(entry.version.definition)
    entry.systems = dict(systems) if systems is not None else _systems(environment, wanted, entry)
    _check(environment, wanted, entry, spec)
    if entry.problems:
        return entry
    entry.details = list(_details(entry, spec))
    if entry.integration is not None:
        entry.action = "change" if entry.details else "same"
    return entry


def _details(entry: Planned, spec: TemplateSpec) -> Iterator[Detail]:
    """What differs, part by part; a new integration differs in everything that is not its template's standard."""
    doc = entry.doc
    assert doc is not None  # noqa: S101 - the caller's
    starts = {flow.key: starts_of(msgspec.to_builtins(flow)) for flow in spec.flows}
    wanted = _flat(doc, entry.settings, {**starts, **entry.starts})
    wanted |= {f"systems {role}": connection.name for role, connection in entry.systems.items()}
    there: dict[str, str] = {}
    if entry.integration is not None:
        own = describe(entry.integration)
        there = _flat(own, own.settings, own.starts) | {f"systems {role}": name for role, name in own.systems.items()}
    for name in [*wanted, *(name for name in there if name not in wanted)]:
        before, after = there.get(name, ""), wanted.get(name, "")
        if before != after:
            yield Detail(name, before, after)


def _flat(doc: IntegrationDoc, settings: Mapping[str, Any], starts: Starts) -> dict[str, str]:
    found = {"template": f"{doc.template} {doc.version}", "status": doc.status}
    found |= {f"settings {key}": _told(value) for key, value in sorted(settings.items())}
    found |= {f"starts {key}": starts_in_words(value) for key, value in sorted(starts.items())}
    for mapping in doc.mappings:
        where = f"mappings {mapping.role} {mapping.direction} {mapping.object}"
        found |= {f"{where} {name}": source or "left out" for name, source in sorted(mapping.fields.items())}
    found |= {f"policies {p.entity} {p.field}": f"{p.policy} {p.role}".strip() for p in doc.policies}
    return found


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value, order="sorted").decode()


def _systems(environment: Environment, wanted: IntegrationDoc, entry: Planned) -> dict[str, Connection]:
    there: dict[str, list[Connection]] = {}
    for one in Connection.objects.filter(environment=environment, archived_at=None).order_by("id"):
        there.setdefault(one.name, []).append(one)
    found = {}
    for role, name in wanted.systems.items():
        fitting = there.get(name, [])
        if len(fitting) == 1:
            found[role] = fitting[0]
        else:
            word = "There is no connection" if not fitting else "Several connections are named"
            entry.problems.append(f".systems.{role}|{word} “{name}” at this customer.")
    return found


def _check(environment: Environment, wanted: IntegrationDoc, entry: Planned, spec: TemplateSpec) -> None:
    """Everything that stands against it; a problem may begin with its place and a bar."""
    entry.problems += _unusable(wanted)
    unknown = sorted(set(wanted.starts) - {flow.key for flow in spec.flows})
    entry.problems += [f".starts.{key}|The template has no flow {key}." for key in unknown]
    for key, given in wanted.starts.items():
        try:
            entry.starts[key] = read_starts(given, set(spec.roles))
        except UnableToStart as error:
            entry.problems.append(f".starts.{key}|{error.user_message}")
    entry.problems += _unfit_policies(wanted, spec)
    try:
        entry.settings = clean_settings(spec.settings, wanted.settings, environment.customer.currency)
    except InvalidSetting as error:
        entry.problems.append(f".settings.{error.key}|{error}")
    if set(entry.systems) == set(wanted.systems):
        try:
            check_bindings(spec, environment, entry.systems)
        except UnableToDeployIntegration as error:
            entry.problems.append(f".systems.{error.field}|{error.user_message}")
    _check_change(wanted, entry)


def _longest_texts() -> list[int]:
    """Of a mapping's role, object and field."""
    fields: Any = [MappingOverride._meta.get_field(name) for name in ("role", "object_name", "field")]
    return [field.max_length for field in fields]


def _unusable(wanted: IntegrationDoc) -> Iterator[str]:
    """What no integration can hold, whatever its template says."""
    if not wanted.name.strip() or wanted.name != wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        yield f".name|A name has up to {LONGEST_NAME} characters and no spaces around it."
    seen: set[tuple[str, str, str]] = set()
    for index, mapping in enumerate(wanted.mappings):
        place = (mapping.role, mapping.direction, mapping.object)
        lengths = (len(mapping.role), len(mapping.object), max(map(len, mapping.fields), default=0))
        if any(length > most for length, most in zip(lengths, _longest_texts(), strict=True)):
            yield f".mappings[{index}]|A role, an object or a field has a name that is too long."
        if place in seen:
            yield f".mappings[{index}]|This object is given twice."
        seen.add(place)


def _unfit_policies(wanted: IntegrationDoc, spec: TemplateSpec) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for index, policy in enumerate(wanted.policies):
        where = f".policies[{index}]"
        try:
            check_policy(spec, policy.entity, policy.field, policy.policy, policy.role)
        except UnableToSetPolicy as error:
            yield f"{where}|{error.user_message}"
        if (policy.entity, policy.field) in seen:
            yield f"{where}|This field is given twice."
        seen.add((policy.entity, policy.field))


def _check_change(wanted: IntegrationDoc, entry: Planned) -> None:
    one, version = entry.integration, entry.version
    assert version is not None  # noqa: S101 - the caller's
    if one is None:
        if version.status != VersionStatus.PUBLISHED:
            entry.problems.append(f".version|This version is {VersionStatus(version.status).label.lower()}.")
        return
    if version.template_id != one.template_version.template_id:
        entry.problems.append(".template|The integration has another template. Give the new one another name.")
    elif version.pk != one.template_version_id and version.status in (VersionStatus.DRAFT, VersionStatus.IN_REVIEW):
        entry.problems.append(".version|This version is not published.")
    if one.status != IntegrationStatus.DRAFT and wanted.status == "draft":
        entry.problems.append(".status|It is live already and cannot be a draft again.")
    bound = {binding.role: binding.connection_id for binding in one.role_bindings.all()}
    moved = sorted(role for role, found in entry.systems.items() if bound.get(role) not in (None, found.pk))
    entry.problems += [f".systems.{role}|An integration keeps its systems. Set up a new one." for role in moved]


def _placed(document: Document, where: str, problem: str) -> str:
    inner, bar, message = problem.rpartition("|")
    place = f"{where}{inner if bar else ''}"
    return f"Line {document.line_of(place)}, {place.lstrip('.')}: {message}"


def _environment(actor: Actor, slug: str, kind: str) -> Environment:
    places = Environment.objects.visible_to(actor).select_related("customer")
    found = places.filter(customer__slug=slug, kind=kind).first()
    if found is None:
        raise UnableToApply(f"There is no customer “{slug}”.", field="source")
    return found


def _by_name(environment: Environment) -> dict[str, list[Integration]]:
    found: dict[str, list[Integration]] = {}
    related = Integration.objects.select_related("template_version__template", "environment", "customer")
    for one in related.filter(environment=environment).exclude(status=IntegrationStatus.RETIRED).order_by("name", "id"):
        found.setdefault(one.name, []).append(one)
    return found
