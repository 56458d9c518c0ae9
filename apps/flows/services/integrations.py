"""An integration's life: live, paused, resumed, retired."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import ConnectionStatus
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict
from apps.customers.models import EnvironmentKind
from apps.dispatch.services import cancel, schedule
from apps.events.services import record_event
from apps.flows.definition import parse_triggers
from apps.flows.models import Flow, Integration, IntegrationStatus
from apps.flows.rivals import rivalry
from apps.flows.services.release_rules import requires_second_person
from apps.flows.services.template_versions import UnableToRelease
from apps.flows.triggers import first_due

# Carried out by the sync room, which stands above and registers the task for it.
FLOW_DUE_KIND = "sync.flow"
FLOWS_STARTED, FLOWS_STOPPED = "flows.flow.started", "flows.flow.stopped"


class UnableToChangeIntegration(Conflict):
    """The integration's state does not allow this step."""


def go_live(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """This function will enable every flow and make the first run due at once. Raises UnableToChangeIntegration, UnableToRelease."""
    pending = integration.role_bindings.exclude(
        connection__status__in=[ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED]
    ).select_related("connection")
    waiting = [binding.connection.name for binding in pending]
    if waiting:
        raise UnableToChangeIntegration(f"Connect {', '.join(waiting)} first.")
    check_first_start(actor, integration)
    return _move(actor, now, integration, {IntegrationStatus.DRAFT}, IntegrationStatus.LIVE)


def check_first_start(actor: Actor, integration: Integration) -> None:
    """Raises UnableToRelease unless the actor may be the one who takes a new integration live in production.

    Where a second person publishes changes, one looks over what all changes begin with too.
    """
    if not requires_second_person() or integration.environment.kind != EnvironmentKind.PRODUCTION:
        return
    if actor.kind is ActorKind.API_KEY:
        raise UnableToRelease("A person has to take it live: an API key is nobody's second pair of eyes.")
    if actor.people & _authors_of(integration):
        raise UnableToRelease(
            "You set this up yourself, or a part of it. Somebody else of your team has to take it live."
        )


def may_start_first(actor: Actor, integration: Integration) -> bool:
    try:
        check_first_start(actor, integration)
    except UnableToRelease:
        return False
    return True


def note_author(actor: Actor, integration: Integration) -> None:
    """This function will remember who had a part in setting a draft up; to be called with the integration locked."""
    known = set(integration.author_ids)
    if integration.status == IntegrationStatus.DRAFT and not actor.people <= known:
        integration.author_ids = sorted(known | actor.people)
        integration.save(update_fields=["author_ids"])


def _authors_of(integration: Integration) -> set[str]:
    rows = integration.revisions.values_list("author_id", "author_ids")
    own = set(Integration.objects.values_list("author_ids", flat=True).get(pk=integration.pk))
    return own.union(*({author_id, *author_ids} for author_id, author_ids in rows)) - {""}


def pause_integration(*, actor: Actor, now: datetime, integration: Integration) -> Integration:
    """This function will stop the flows from starting; runs under way stop after their page and wait."""
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
    actor.require_sight(integration.customer_id, "There is no such integration.")
    locked = Integration.objects.select_for_update().get(pk=integration.pk)
    if locked.status not in allowed:
        raise UnableToChangeIntegration(
            f"The integration is {locked.get_status_display().lower()}. Reload its page for what can be done now."
        )
    if status == IntegrationStatus.LIVE:
        _require_no_rival(locked)
    before, integration.status = locked.status, status
    if status == IntegrationStatus.LIVE and locked.live_at is None:
        integration.live_at = now
    integration.save(update_fields=["status", "live_at"])
    switch_flows(integration, now)
    record_change(
        actor=actor, now=now, target=integration, action=f"integration.{status}", before={"status": before},
        after={"status": status},
    )  # fmt: skip
    return integration


@transaction.atomic
def pause_flow(*, actor: Actor, now: datetime, flow: Flow) -> Flow:
    """This function will stop one flow of a live integration; its run stops after its page and waits."""
    return _set_paused(actor, now, flow, is_paused=True)


@transaction.atomic
def resume_flow(*, actor: Actor, now: datetime, flow: Flow) -> Flow:
    """This function will let a paused flow go on where it stopped."""
    return _set_paused(actor, now, flow, is_paused=False)


def _set_paused(actor: Actor, now: datetime, flow: Flow, *, is_paused: bool) -> Flow:
    actor.require("integrations.manage")
    actor.require_sight(flow.customer_id, "There is no such flow.")
    integration = Integration.objects.select_for_update().get(pk=flow.integration_id)
    locked = Flow.objects.select_for_update().get(pk=flow.pk)
    if integration.status != IntegrationStatus.LIVE:
        raise UnableToChangeIntegration(f"The integration is {integration.get_status_display().lower()}.")
    if (locked.paused_at is not None) == is_paused:
        raise UnableToChangeIntegration(
            "The flow is paused already. Reload the page to resume it."
            if is_paused
            else "The flow is running already. Reload the page to pause it."
        )
    locked.paused_at = now if is_paused else None
    locked.paused_reason = f"Paused by {actor.label}."[:300] if is_paused else ""
    locked.save(update_fields=["paused_at", "paused_reason"])
    switch_flows(integration, now)
    record_change(actor=actor, now=now, target=flow, action="flow.paused" if is_paused else "flow.resumed")
    locked.refresh_from_db(fields=["is_enabled"])
    return locked


def switch_flows(integration: Integration, now: datetime) -> None:
    """Those that a person paused by themselves stay so when the integration goes live again."""
    is_live = integration.status == IntegrationStatus.LIVE
    flows = list(Flow.objects.filter(integration=integration).select_related("current_version").order_by("id"))
    zone = integration.customer.time_zone
    switched: dict[bool, list[str]] = {True: [], False: []}
    for flow in flows:
        before = flow.is_enabled
        flow.is_enabled = is_live and flow.paused_at is None and flow.retired_at is None
        triggers = parse_triggers(flow.current_version.definition) if flow.current_version else []
        due_at = first_due(triggers, now, zone)
        if flow.is_enabled and due_at:
            schedule(kind=FLOW_DUE_KIND, key=str(flow.pk), due_at=due_at)
        else:
            cancel(kind=FLOW_DUE_KIND, key=str(flow.pk))
        if before != flow.is_enabled:
            switched[flow.is_enabled].append(str(flow.pk))
            flow.save(update_fields=["is_enabled"])
    is_final = integration.status == IntegrationStatus.RETIRED
    for name, ids in ((FLOWS_STARTED, switched[True]), (FLOWS_STOPPED, switched[False])):
        if ids or (is_final and name == FLOWS_STOPPED):
            payload = {"flow_ids": ids or [str(flow.pk) for flow in flows], "is_final": is_final}
            record_event(name=name, subject_key=integration.owner_key, payload=payload, now=now)
