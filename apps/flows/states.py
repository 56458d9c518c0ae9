"""All of an integration that has versions, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from apps.core.errors import AnticipatedError
from apps.flows.checks import check_flow
from apps.flows.definition import FlowSpec, InvalidDefinition, MappingSpec, TriggerSpec, parse_triggers
from apps.flows.layers import differs, published_mappings
from apps.flows.models import Integration, IntegrationRevision, IntegrationTemplateVersion

Starts = dict[str, list[dict[str, Any]]]
Policies = list[dict[str, str]]


class UnableToStart(AnticipatedError):
    """What should start a flow is nothing that can; the message says why."""


@dataclass(frozen=True)
class State:
    """All of an integration that has versions. `starts`: by flow, its triggers. `policies`: see `policies_of`."""

    version: IntegrationTemplateVersion
    settings: dict[str, Any]
    starts: Starts
    mappings: list[MappingSpec]
    policies: Policies

    def is_same(self, other: State) -> bool:
        own, its = ((s.version.pk, s.settings, s.starts, s.policies) for s in (self, other))
        return own == its and not differs(self.mappings, other.mappings)


def state_of(integration: Integration) -> State:
    """The integration as it is."""
    flows = integration.flows.filter(retired_at=None).select_related("current_version").order_by("created_at", "id")
    starts = {flow.key: starts_of(flow.current_version.definition) for flow in flows if flow.current_version}
    return State(
        integration.template_version, integration.settings, starts, published_mappings(integration),
        policies_of(integration),
    )  # fmt: skip


def policies_of(integration: Integration) -> Policies:
    """The integration's own answers to edits on both sides and to deletions, by entity and field."""
    return [
        {"entity": own.entity, "field": own.field, "policy": own.policy, "role": own.role}
        for own in integration.field_policies.order_by("entity", "field")
    ]


def state_of_revision(revision: IntegrationRevision) -> State:
    """The integration as the revision has it; what was not kept then is as it is now."""
    now = state_of(revision.integration)
    return State(
        revision.template_version or now.version,
        now.settings if revision.settings is None else revision.settings,
        now.starts if revision.starts is None else revision.starts,
        msgspec.convert(revision.mappings, list[MappingSpec]),
        now.policies if revision.policies is None else revision.policies,
    )


def starts_of(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """The triggers of a stored flow, of any form it was stored in, without what says nothing."""
    return _told(parse_triggers(definition))


def read_starts(given: Any, roles: set[str]) -> list[dict[str, Any]]:
    """Triggers as a person or a program gives them. Raises UnableToStart."""
    try:
        triggers = msgspec.convert(given, list[TriggerSpec])
        check_flow(FlowSpec(key="flow", name="", description="", triggers=triggers), roles, "", 0)
    except msgspec.ValidationError as error:
        raise UnableToStart(str(error).partition(" - at")[0]) from error
    except InvalidDefinition as error:
        raise UnableToStart(error.reason) from error
    return _told(triggers)


def _told(triggers: list[TriggerSpec]) -> list[dict[str, Any]]:
    return [{name: value for name, value in msgspec.to_builtins(one).items() if value} for one in triggers]
