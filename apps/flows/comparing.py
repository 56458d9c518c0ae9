"""Two states of an integration, compared for people: settings, starts, policies, mappings, template version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from apps.flows.definition import CONFLICT_POLICIES, DELETE_POLICIES, DELETION, MappingSpec, TriggerSpec
from apps.flows.layers import Place, place_of
from apps.flows.states import Policies, State
from apps.flows.triggers import in_words

BY_TEMPLATE = "as the template says"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise: where, what it was and what it becomes, in words ("" where there is none)."""

    place: str
    name: str
    before: str
    after: str


def compare_states(before: State, after: State) -> list[Difference]:
    """Everything that differs, in the order in which people ask for it."""
    found = []
    if before.version.pk != after.version.pk:
        found.append(Difference("Template", "version", before.version.number, after.version.number))
    for key in sorted({*before.settings, *after.settings}):
        was, becomes = before.settings.get(key), after.settings.get(key)
        if was != becomes:
            found.append(Difference("Settings", key.replace("_", " "), told(was), told(becomes)))
    for key in sorted({*before.starts, *after.starts}):
        was, becomes = starts_in_words(before.starts.get(key)), starts_in_words(after.starts.get(key))
        if was != becomes:
            found.append(Difference("Starts", key, was, becomes))
    found += _policy_differences(before.policies, after.policies)
    return [*found, *_mapping_differences(before.mappings, after.mappings)]


def told(value: Any) -> str:
    if isinstance(value, dict) and {"amount", "currency"} <= set(value):
        return f"{value['amount'] / 100:.2f} {value['currency']}"
    return "" if value is None else str(value)


def starts_in_words(starts: list[dict[str, Any]] | None) -> str:
    """For example “every 5 minutes, at once when the crm tells of a change”; "" for a flow that is not there."""
    return "" if starts is None else in_words(msgspec.convert(starts, list[TriggerSpec]))


def _policy_differences(before: Policies, after: Policies) -> list[Difference]:
    was, becomes = ({(p["entity"], p["field"]): _policy(p) for p in policies} for policies in (before, after))
    return [
        Difference(
            "Deletions" if field == DELETION else "Edited on both sides",
            entity.replace("_", " ") + ("" if field == DELETION else f" · {'all other fields' if field == '*' else field}"),
            was.get((entity, field), BY_TEMPLATE), becomes.get((entity, field), BY_TEMPLATE),
        )
        for entity, field in sorted({*was, *becomes})
        if was.get((entity, field)) != becomes.get((entity, field))
    ]  # fmt: skip


def _policy(policy: dict[str, str]) -> str:
    words = {**CONFLICT_POLICIES, **DELETE_POLICIES}[policy["policy"]]
    return f"{words}: {policy['role'].upper()}" if policy["role"] else words


def _mapping_differences(before: list[MappingSpec], after: list[MappingSpec]) -> list[Difference]:
    old: dict[Place, dict[str, str]] = {place_of(mapping): mapping.fields for mapping in before}
    new: dict[Place, dict[str, str]] = {place_of(mapping): mapping.fields for mapping in after}
    found = []
    for place in sorted({*old, *new}):
        was, becomes = old.get(place, {}), new.get(place, {})
        role, direction, name = place
        label = f"{role.upper()} · {name.replace('_', ' ')} · {'read' if direction == 'read' else 'written'}"
        names = [key for key in {**was, **becomes} if was.get(key) != becomes.get(key)]
        found += [Difference(label, key, _expression(was.get(key)), _expression(becomes.get(key))) for key in names]
    return found


def _expression(source: str | None) -> str:
    if source is None:
        return "as the connector does"
    return source or "left out"
