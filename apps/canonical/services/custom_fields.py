"""Declaring fields beside the canonical ones."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.canonical.models import CustomField
from apps.canonical.models.custom_fields import CustomFieldKind
from apps.connectors.sdk.entities import ENTITIES
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Customer

KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


class UnableToDeclare(AnticipatedError):
    """The field cannot be added; `field` says what is wrong with it."""


@transaction.atomic
def declare_custom_field(
    *, actor: Actor, now: datetime, customer: Customer | None, entity: str, key: str, label: str, kind: str
) -> CustomField:
    """This function will add `x_<key>` to an entity, for one customer or (None) for all; an archived one comes back.

    Raises UnableToDeclare.
    """
    _require(actor, customer)
    if entity not in ENTITIES:
        raise UnableToDeclare("There is no such kind of record.", field="entity")
    if not KEY.match(key):
        raise UnableToDeclare("Use small letters, digits and _, beginning with a letter.", field="key")
    if kind not in CustomFieldKind.values:
        raise UnableToDeclare("Choose what it holds.", field="kind")
    same = CustomField.objects.select_for_update().filter(entity=entity, key=key)
    archived = same.filter(only_for=customer, kind=kind, archived_at__isnull=False).first()
    if archived is not None:
        return _revive(actor, now, archived)
    clashing = same if customer is None else same.filter(only_for=None) | same.filter(only_for=customer)
    if clashing.exists():
        raise UnableToDeclare("There is such a field already. Choose another name.", field="key")
    made = CustomField.objects.create(
        only_for=customer, entity=entity, key=key, label=label.strip()[:80] or key.replace("_", " "), kind=kind,
        declared_at=now, declared_by_label=actor.label,
    )  # fmt: skip
    _audit(actor, now, made, "custom_field.declared")
    return made


def _revive(actor: Actor, now: datetime, custom_field: CustomField) -> CustomField:
    custom_field.archived_at = None
    custom_field.save(update_fields=["archived_at"])
    _audit(actor, now, custom_field, "custom_field.revived")
    return custom_field


@transaction.atomic
def archive_custom_field(*, actor: Actor, now: datetime, custom_field: CustomField) -> CustomField:
    """This function will offer the field no more; what maps to it and what records hold stays.

    Doing so again changes nothing.
    """
    _require(actor, custom_field.only_for)
    archived = CustomField.objects.filter(pk=custom_field.pk, archived_at=None).update(archived_at=now)
    custom_field.refresh_from_db()
    if archived:
        _audit(actor, now, custom_field, "custom_field.archived")
    return custom_field


def _require(actor: Actor, customer: Customer | None) -> None:
    actor.require("integrations.manage")
    if customer is None:
        actor.require_sight_of_all("Only the partner's own people declare what holds for all customers.")
    else:
        actor.require_sight(customer.pk, "There is no such customer.")


def _audit(actor: Actor, now: datetime, found: CustomField, action: str) -> None:
    after = {"entity": found.entity, "key": found.key, "kind": found.kind}
    record_change(actor=actor, now=now, target=found, action=action, before={}, after=after)
