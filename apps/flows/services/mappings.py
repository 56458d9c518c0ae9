"""Editing mappings and publishing them: changed fields are kept by layer, and go into new versions of all flows at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import msgspec
from django.db import transaction

from apps.audit.services import record_change
from apps.canonical.custom_fields import custom_kinds
from apps.connectors.sdk.entities import ENTITIES
from apps.core import expressions
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.flows.definition import Direction
from apps.flows.layers import (
    MappedObject,
    Place,
    differs,
    draft_mappings,
    mapped_objects,
    published_mappings,
)
from apps.flows.models import Integration, IntegrationRevision, MappingOverride
from apps.flows.services.checks import mapping_findings
from apps.flows.services.integrations import note_author
from apps.flows.services.publishing import (
    MappingRefused,
    NothingToPublish,
    bring_about,
    lock_integration,
    publish_state,
    require_no_rival,
)
from apps.flows.states import state_of

LONGEST_NAME = 120
Layer = Literal["partner", "customer"]


class UnableToMap(AnticipatedError):
    """An expression is wrong or the field cannot be mapped; `field` names it."""


@transaction.atomic
def save_mapping(
    *,
    actor: Actor,
    now: datetime,
    integration: Integration,
    place: Place,
    fields: Mapping[str, str | None],
    layer: Layer = "customer",
) -> None:
    """This function will keep changed fields of one layer: an expression, "" to leave the field out, None to reset.

    Nothing is in force before it is published. Raises UnableToMap with the first wrong field.
    """
    locked = lock_integration(actor, integration)
    if layer == "partner":
        actor.require("templates.manage")
        actor.require_sight_of_all("Only the partner's own people change what holds for all customers.")
    mapped = _find(locked, place)
    for name, expression in fields.items():
        if expression is not None:
            check_field(mapped, name, expression, custom_kinds(locked.customer_id, mapped.entity))
    owner: dict[str, Any] = {"integration": locked, "role": mapped.role}
    if layer == "partner":
        owner = {"integration": None, "vendor": mapped.manifest.key}
    note_author(actor, locked)
    store_fields(actor, now, {**owner, "direction": mapped.direction, "object_name": mapped.object_name}, fields)
    after = {f"{mapped.object_name}.{name}": source for name, source in fields.items()}
    record_change(actor=actor, now=now, target=locked, action=f"mapping.changed_by_{layer}", before={}, after=after)


def check_field(mapped: MappedObject, name: str, expression: str, custom: Mapping[str, str]) -> None:
    """Raises UnableToMap unless the target may have this field and the expression is one."""
    check_expression(mapped.entity, mapped.direction, name, expression, custom)


def check_expression(
    entity: str, direction: Direction, name: str, expression: str, custom: Mapping[str, str] | None = None
) -> None:
    """The same for an object of no integration. Raises UnableToMap."""
    if not name or len(name) > LONGEST_NAME:
        raise UnableToMap("Name the field in at most 120 characters.", field=name)
    if direction == "read" and name not in (custom or {}):
        _check_canonical(entity, name, expression)
    if not expression:
        return
    try:
        expressions.compile({name: expression})
    except expressions.ExpressionError as error:
        raise UnableToMap(f"{error.message[:1].upper()}{error.message[1:]}.", field=name) from error


def _check_canonical(entity: str, name: str, expression: str) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(ENTITIES[entity])}
    if name not in fields:
        raise UnableToMap(f"{entity.replace('_', ' ').capitalize()} has no field {name!r}.", field=name)
    if fields[name].required and not expression:
        raise UnableToMap("This field is required and cannot be left out.", field=name)


def publish_mappings(
    *, actor: Actor, now: datetime, integration: Integration, note: str = "", accepted: bool = False
) -> IntegrationRevision:
    """This function will put the edited mappings into a new version of every flow.

    `accepted`: even if sample records would be refused. The systems are asked for them outside the transaction. Raises
    NothingToPublish, MappingRefused.
    """
    actor.require("integrations.manage")
    actor.require_sight(integration.customer_id, "There is no such integration.")
    against = [] if accepted else mapping_findings(actor, integration)
    if against:
        mapped, finding = against[0]
        raise MappingRefused(
            f"{mapped.label}, {finding.field}: {finding.message} Mend it, or publish and say that you accept it.",
            field=finding.field,
        )
    return _publish_draft(actor, now, integration, note)


@transaction.atomic
def _publish_draft(actor: Actor, now: datetime, integration: Integration, note: str) -> IntegrationRevision:
    locked = lock_integration(actor, integration)
    after = draft_mappings(locked)
    if not differs(published_mappings(locked), after):
        raise NothingToPublish("The flows use these mappings already.")
    require_no_rival(locked)
    return bring_about(actor=actor, now=now, integration=locked, note=note, mappings=after)


def refresh_mappings(*, actor: Actor, now: datetime, integration: Integration) -> None:
    """This function will bring a draft's flows in line with the layers below it, after it was deployed or bound anew."""
    after = draft_mappings(integration)
    if differs(published_mappings(integration), after):
        state = replace(state_of(integration), mappings=after)
        publish_state(actor=actor, now=now, integration=integration, state=state, note="As deployed")


def store_fields(actor: Actor, now: datetime, owner: Mapping[str, Any], fields: Mapping[str, str | None]) -> None:
    """This function will write the rows of one layer of one object, checked before; None removes one."""
    resets = [name for name, expression in fields.items() if expression is None]
    MappingOverride.objects.filter(**owner, field__in=resets).delete()
    for name, expression in fields.items():
        if expression is not None:
            values = {"expression": expression.strip(), "changed_at": now, "changed_by_label": actor.label}
            MappingOverride.objects.update_or_create(**owner, field=name, defaults=values)


def _find(integration: Integration, place: Place) -> MappedObject:
    found = next((mapped for mapped in mapped_objects(integration) if mapped.place == place), None)
    if found is None:
        raise NotVisible("The integration does not use this object.")
    return found
