"""An integration's life: live, paused, resumed, retired."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.models import ConnectionStatus
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotVisible
from apps.dispatch.services import cancel, schedule
from apps.flows.models import Flow, Integration, IntegrationStatus
from apps.flows.rivals import rivalry

# Carried out by the sync room, which stands above and registers the task for it.
FLOW_DUE_KIND = "sync.flow"


class UnableToChangeIntegration(Conflict):
    """The integration's state does not allow this step."""


def go_live(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """This function will enable every flow and make the first run due at once. Raises UnableToChangeIntegration."""
    pending = integration.role_bindings.exclude(
        connection__status__in=[ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED]
    ).select_related("connection")
    waiting = [binding.connection.name for binding in pending]
    if waiting:
        raise UnableToChangeIntegration(f"Connect {', '.join(waiting)} first.")
    return _move(actor, now, integration, {IntegrationStatus.DRAFT}, IntegrationStatus.LIVE)


def pause_integration(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """This function will stop the flows from starting; a run under way ends by itself."""
    return _move(actor, now, integration, {IntegrationStatus.LIVE}, IntegrationStatus.PAUSED)


def resume_integration(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """Raises UnableToChangeIntegration."""
    return _move(actor, now, integration, {IntegrationStatus.PAUSED}, IntegrationStatus.LIVE)


def retire_integration(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """This function will end the integration for good; its history stays."""
    before = {IntegrationStatus.DRAFT, IntegrationStatus.LIVE, IntegrationStatus.PAUSED}
    return _move(actor, now, integration, before, IntegrationStatus.RETIRED)


def _require_no_rival(integration: Integration) -> None:
    reason = rivalry(integration, as_drafted=False)
    if reason:
        raise UnableToChangeIntegration(reason)


@transaction.atomic
def _move(
    actor: Actor, now: datetime, integration: Integration, allowed: set[IntegrationStatus], status: IntegrationStatus
) -> Integration:
    actor.require("integrations.manage")
    if not actor.sees(integration.customer_id):
        raise NotVisible("There is no such integration.")
    locked = Integration.objects.select_for_update().get(pk=integration.pk)
    if locked.status not in allowed:
        raise UnableToChangeIntegration(f"The integration is {locked.get_status_display().lower()}.")
    if status == IntegrationStatus.LIVE:
        _require_no_rival(locked)
    before, integration.status = locked.status, status
    if status == IntegrationStatus.LIVE and locked.live_at is None:
        integration.live_at = now
    integration.save(update_fields=["status", "live_at"])
    _switch_flows(integration, now)
    record_audit(
        actor=actor,
        action=f"integration.{status}",
        target_key=f"integration:{integration.pk}",
        target_label=integration.name,
        owner_key=f"customer:{integration.customer_id}",
        before={"status": before},
        after={"status": status},
        now=now,
    )
    return integration


def _switch_flows(integration: Integration, now: datetime) -> None:
    is_live = integration.status == IntegrationStatus.LIVE
    Flow.objects.filter(integration=integration).update(is_enabled=is_live)
    for flow in Flow.objects.filter(integration=integration):
        if is_live:
            schedule(kind=FLOW_DUE_KIND, key=str(flow.pk), due_at=now)
        else:
            cancel(kind=FLOW_DUE_KIND, key=str(flow.pk))
