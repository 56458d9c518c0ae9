"""The step from the old interface to what replaces it, back, and at last the end of the old one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.flows.models import IntegrationStatus
from apps.flows.services import pause_integration
from apps.modernization.models import InterfaceStatus, LegacyInterface
from apps.modernization.models.estate import GONE
from apps.modernization.readiness import QUIET_FOR, checks_of, open_errors, unmet
from apps.modernization.services.interfaces import (
    UnableToChangeInterface,
    UnableToSaveInterface,
    lock_interface,
)

OVERRIDE = "cutover.override"


class NotReady(Conflict):
    """The checklist has open points, or the quiet days are not over."""

    code = "not_ready"


@transaction.atomic
def cut_over(*, actor: Actor, now: datetime, interface: LegacyInterface, reason: str = "") -> LegacyInterface:
    """This function will note that the replacement does the work from now on.

    With open points only an owner may, who says why (`reason`). Raises NotReady, UnableToChangeInterface, NotPermitted.
    """
    locked = lock_interface(actor, interface)
    if locked.is_gone:
        raise UnableToChangeInterface("It is cut over already.")
    missing = unmet(checks_of(locked, now))
    reason = _reason(reason, needed=False)
    if missing and not reason:
        raise NotReady(f"Not all points hold: {'; '.join(check.label for check in missing)}.")
    if missing:
        actor.require(OVERRIDE)
    before, locked.status = locked.status, InterfaceStatus.CUT_OVER
    locked.cut_over_at, locked.cut_over_by_label = now, actor.signature[:200]
    locked.override_reason = reason if missing else ""
    locked.rolled_back_at, locked.rolled_back_by_label, locked.rollback_reason = None, "", ""
    locked.save()
    record_change(
        actor=actor, now=now, target=locked, action="legacy_interface.cut_over", before={"status": before},
        after={"status": locked.status, "open_points": [check.label for check in missing], "reason": locked.override_reason},
    )  # fmt: skip
    return locked


@transaction.atomic
def roll_back(
    *, actor: Actor, now: datetime, interface: LegacyInterface, reason: str, leaves_running: bool = False
) -> LegacyInterface:
    """This function will pause the replacement and note that the old interface is in use again.

    `leaves_running`: the replacement goes on, since it does the work of other interfaces too. Raises
    UnableToChangeInterface, UnableToSaveInterface.
    """
    locked = lock_interface(actor, interface)
    reason = _reason(reason, needed=True)
    if locked.status != InterfaceStatus.CUT_OVER:
        raise UnableToChangeInterface("Only what is cut over can be rolled back.")
    if is_replacement_shared(locked) and not leaves_running:
        raise UnableToChangeInterface(
            f"{locked.integration} does the work of other interfaces that are cut over, too: pausing it would stop them. "
            "Choose to leave it running, and switch off by hand what this interface does again."
        )
    is_paused = not leaves_running and _pause(actor, now, locked)
    before, locked.status = locked.status, InterfaceStatus.IN_USE
    locked.rolled_back_at, locked.rolled_back_by_label, locked.rollback_reason = now, actor.signature[:200], reason
    locked.cut_over_at, locked.cut_over_by_label, locked.override_reason = None, "", ""
    locked.save()
    record_change(
        actor=actor, now=now, target=locked, action="legacy_interface.rolled_back", before={"status": before},
        after={"status": locked.status, "reason": reason, "replacement_paused": is_paused},
    )  # fmt: skip
    return locked


@transaction.atomic
def retire_interface(*, actor: Actor, now: datetime, interface: LegacyInterface) -> LegacyInterface:
    """This function will end the old interface for good, after some quiet days. Raises NotReady, UnableToChangeInterface."""
    locked = lock_interface(actor, interface)
    if locked.status != InterfaceStatus.CUT_OVER or locked.cut_over_at is None:
        raise UnableToChangeInterface("Only what is cut over can be retired.")
    if waiting := why_not_retired(locked, now):
        raise NotReady(waiting)
    locked.status, locked.retired_at = InterfaceStatus.RETIRED, now
    locked.save(update_fields=["status", "retired_at"])
    record_change(actor=actor, now=now, target=locked, action="legacy_interface.retired")
    return locked


def why_not_retired(interface: LegacyInterface, now: datetime) -> str:
    """Empty when the old interface may go."""
    if interface.cut_over_at is None:
        return "It is not cut over."
    left = (interface.cut_over_at + QUIET_FOR - now).days + 1
    if interface.cut_over_at + QUIET_FOR > now:
        return f"Keep it for {QUIET_FOR.days} quiet days after the cut-over: {left} to go."
    if open_errors(interface.integration):
        return "The integration that replaces it has open errors."
    return ""


def is_replacement_shared(interface: LegacyInterface) -> bool:
    """Whether others are cut over to the same integration: pausing it would stop them as well."""
    if interface.integration is None:
        return False
    others = LegacyInterface.objects.filter(integration=interface.integration, status__in=GONE)
    return others.exclude(pk=interface.pk).exists()


def _pause(actor: Actor, now: datetime, interface: LegacyInterface) -> bool:
    integration = interface.integration
    if integration is None or integration.status != IntegrationStatus.LIVE:
        return False
    pause_integration(actor=actor, now=now, integration=integration)
    return True


def _reason(text: str, *, needed: bool) -> str:
    text = text.strip()
    if (needed and not text) or len(text) > 300:
        raise UnableToSaveInterface("Say in at most 300 characters why.", field="reason")
    return text
