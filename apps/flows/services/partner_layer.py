"""Changing what holds for all customers with a system, and putting it in force in their integrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.flows.definition import Direction
from apps.flows.models import Integration, VersionStatus
from apps.flows.partner_layer import PartnerObject, find_partner_object
from apps.flows.services.mappings import check_expression, publish_mappings, store_fields
from apps.flows.services.publishing import NothingToPublish


class Publication(StrEnum):
    """What became of one integration."""

    PUBLISHED = "published"
    WAITING = "waiting"  # for the second person that releases take
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    integration: Integration
    status: Publication
    message: str = ""


@transaction.atomic
def change_partner_fields(
    *, actor: Actor, now: datetime, vendor: str, direction: Direction, object_name: str,
    fields: Mapping[str, str | None],
) -> PartnerObject:  # fmt: skip
    """This function will keep fields of the partner's layer: an expression, "" to leave the field out, None to take it back.

    Nothing is in force before it is published. Raises UnableToMap with the first wrong field, NotVisible, NotPermitted.
    """
    actor.require("templates.manage")
    actor.require_sight_of_all("Only the partner's own people change what holds for all customers.")
    found = find_partner_object(vendor, direction, object_name)
    for name, expression in fields.items():
        if expression is not None:
            check_expression(found.entity, direction, name, expression)
    place = {"integration": None, "vendor": vendor, "direction": direction, "object_name": object_name}
    store_fields(actor, now, place, fields)
    record_audit(
        actor=actor, action="mapping.changed_for_all", target_key=f"vendor:{vendor}", target_label=found.vendor_name,
        before={}, after={f"{object_name}.{name}": source for name, source in fields.items()},
        now=now,
    )  # fmt: skip
    return found


def publish_to(
    *, actor: Actor, now: datetime, integrations: Sequence[Integration], note: str = "", accepted: bool = False
) -> list[Outcome]:
    """This function will publish the mappings of each integration by itself; what one refuses keeps no other back.

    The systems are asked for sample records, which takes seconds each: many are a `start_publication`.
    """
    actor.require("integrations.manage")
    return [_publish_one(actor, now, integration, note, accepted) for integration in integrations]


def _publish_one(actor: Actor, now: datetime, integration: Integration, note: str, accepted: bool) -> Outcome:
    try:
        made = publish_mappings(actor=actor, now=now, integration=integration, note=note, accepted=accepted)
    except NothingToPublish as error:
        return Outcome(integration, Publication.UNCHANGED, error.user_message)
    except AnticipatedError as error:
        return Outcome(integration, Publication.REFUSED, error.user_message)
    if made.status != VersionStatus.PUBLISHED:
        return Outcome(integration, Publication.WAITING, "Kept as a draft: a second person publishes it.")
    return Outcome(integration, Publication.PUBLISHED, f"Version {made.number}")
