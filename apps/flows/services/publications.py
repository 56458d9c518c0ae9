"""Mappings put in force in many integrations as one piece of work: in the background, watched, stopped.

Each integration is published by itself, and its outcome kept before the next one's turn, so that whoever takes over
from a worker that died goes on behind it. One that was published and not yet counted is found to be in force already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_audit
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, Conflict, NotVisible
from apps.customers.askers import RightsGone, note_asker, present_asker
from apps.dispatch.services import cancel, complete, extend_lease, schedule
from apps.flows.models import Integration, MappingPublication
from apps.flows.services.partner_layer import Publication, publish_to

PUBLICATION_KIND = "flows.publish_mappings"
AT_ONCE = 1000
MOST_ACTIVE = 5
PERMISSION = "integrations.manage"
SOON = 1  # somebody is watching


class UnableToPublishToAll(AnticipatedError):
    """No integration was chosen, or too many, or too much is under way."""


class UnableToStopPublication(Conflict):
    """It has ended."""


@transaction.atomic
def start_publication(
    *, actor: Actor, now: datetime, integrations: Sequence[Integration], note: str = "", accepted: bool = False
) -> MappingPublication:
    """This function will have the mappings of each integration published in the background, in this order.

    `accepted`: even where sample records would be refused. Raises UnableToPublishToAll, NotPermitted, NotVisible.
    """
    actor.require(PERMISSION)
    for integration in integrations:
        actor.require_sight(integration.customer_id, "There is no such integration.")
    if not 1 <= len(integrations) <= AT_ONCE:
        raise UnableToPublishToAll(f"Choose between one and {AT_ONCE:,} integrations.", field="integrations")
    if MappingPublication.objects.filter(finished_at=None, asked_by__id=actor.id).count() >= MOST_ACTIVE:
        raise UnableToPublishToAll("Several publications of yours are under way. Wait for one of them to end.")
    customers = sorted({integration.customer_id for integration in integrations})
    publication = MappingPublication.objects.create(
        customer_ids=customers, integration_ids=[integration.pk for integration in integrations], note=note[:200],
        is_accepted=accepted, asked_by=note_asker(actor), requested_by_label=actor.label, requested_at=now,
    )  # fmt: skip
    record_audit(
        actor=actor, action="mappings.publication_started", target_key=f"mapping_publication:{publication.pk}",
        target_label=str(publication), after={"integrations": publication.total}, now=now,
    )  # fmt: skip
    schedule(kind=PUBLICATION_KIND, key=str(publication.pk), due_at=now, priority=SOON)
    return publication


def carry_out_publication(*, publication_id: UUID, now: Callable[[], datetime]) -> None:
    """This function will publish to one integration after the other, as long as whoever asked may.

    Ended or canceled, it does nothing.
    """
    while _publish_next(publication_id, now()):
        extend_lease(kind=PUBLICATION_KIND, key=str(publication_id), now=now())
    complete(kind=PUBLICATION_KIND, key=str(publication_id))


def _publish_next(publication_id: UUID, now: datetime) -> bool:
    """False when there was none left. The systems are asked for samples, so no transaction is open meanwhile."""
    publication = MappingPublication.objects.filter(pk=publication_id).first()
    wanted = publication.next_id if publication else None
    if publication is None or wanted is None:
        return False
    try:
        actor = _asker(publication, now)
    except RightsGone as error:
        return _give_up(publication_id, error.user_message, now)
    found = Integration.objects.visible_to(actor).select_related("customer", "environment").filter(pk=wanted).first()
    outcome = {
        "integration": str(wanted),
        "label": "",
        "status": Publication.REFUSED,
        "message": "It is not there any more.",
    }
    if found is not None:
        (told,) = publish_to(
            actor=actor, now=now, integrations=[found], note=publication.note, accepted=publication.is_accepted
        )
        label = f"{found.customer.name}: {found.name}"
        outcome |= {"label": label, "status": told.status.value, "message": told.message}
    return _keep(publication_id, publication.done_count, outcome, now)


def _asker(publication: MappingPublication, now: datetime) -> Actor:
    """Whoever asked with the rights they hold now, over these customers alone. Raises RightsGone."""
    actor = present_asker(publication.asked_by, now=now, permissions=[PERMISSION])
    own = frozenset(publication.customer_ids)
    return replace(actor, scope=own if actor.scope is None else actor.scope & own)


def _give_up(publication_id: UUID, reason: str, now: datetime) -> bool:
    """Nobody stands for the rest any more: what was published stays, and somebody else may publish what is left."""
    MappingPublication.objects.filter(pk=publication_id, finished_at=None).update(
        finished_at=now, canceled_at=now, stop_reason=reason[:300]
    )
    return False


@transaction.atomic
def _keep(publication_id: UUID, turn: int, outcome: dict[str, str], now: datetime) -> bool:
    """What became of one turn, unless another worker has kept it."""
    locked = MappingPublication.objects.select_for_update().filter(pk=publication_id).first()
    if locked is None or locked.done_count != turn:
        return locked is not None and locked.is_active
    locked.outcomes = [*locked.outcomes, outcome]
    locked.done_count = turn + 1
    if locked.done_count == locked.total and locked.finished_at is None:
        locked.finished_at = now
    locked.save(update_fields=["outcomes", "done_count", "finished_at"])
    return locked.is_active


@transaction.atomic
def cancel_publication(*, actor: Actor, now: datetime, publication: MappingPublication) -> MappingPublication:
    """This function will leave out those whose turn has not come. Raises UnableToStopPublication, NotVisible."""
    actor.require(PERMISSION)
    locked = MappingPublication.objects.visible_to(actor).select_for_update().filter(pk=publication.pk).first()
    if locked is None:
        raise NotVisible("There is no such publication.")
    if not locked.is_active:
        raise UnableToStopPublication("It has ended: there is nothing left to stop.")
    locked.finished_at = locked.canceled_at = now
    locked.save(update_fields=["finished_at", "canceled_at"])
    cancel(kind=PUBLICATION_KIND, key=str(locked.pk))
    record_audit(
        actor=actor, action="mappings.publication_canceled", target_key=f"mapping_publication:{locked.pk}",
        target_label=str(locked), after={"left_out": locked.total - locked.done_count}, now=now,
    )  # fmt: skip
    return locked
