"""The business services as a person or a program calls them: permitted, once per key, audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.services import record_audit
from apps.canonical.workspace import ChangeSource, Workspace, lock_environment
from apps.connectors.sdk.entities import InvalidRecord
from apps.core import clock
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.customers.models import Environment
from apps.flows.definition import parse_flow
from apps.flows.models import Flow
from apps.sync.business import Outcome, UnableToCall, call_service
from apps.sync.engine.events import facts_of, record_facts
from apps.sync.engine.listening import heard_events, tell
from apps.sync.services.runs import make_due


@transaction.atomic
def call_business_service(
    *, actor: Actor, now: datetime, environment: Environment, service: str, inputs: dict[str, Any], key: str = ""
) -> Outcome:
    """This function will do the service's work and have the environment's flows write what changed.

    With a `key` the same call is made once, however often it comes. Raises UnableToCall, NotVisible, NotPermitted.
    """
    actor.require("services.call")
    actor.require_sight(environment.customer_id, "There is no such customer.")
    lock_environment(environment.pk)
    workspace = Workspace(environment, ChangeSource("service"), now)
    today = clock.local_date(now, environment.customer.time_zone).isoformat()
    own_key = f"{actor.kind}:{actor.id}:{key}" if key else str(uuid7())
    try:
        outcome = call_service(workspace, service, inputs, key=own_key, today=today)
    except InvalidRecord as error:
        raise UnableToCall(f"{error}.", field=error.field) from error
    workspace.flush()
    if workspace.changes:
        _pass_on(environment, workspace, now)
        _audit(actor, environment, service, outcome, inputs, now)
    return outcome


def _pass_on(environment: Environment, workspace: Workspace, now: datetime) -> None:
    """The facts go out, and every live flow with rules for what changed runs now: each catches up with the history."""
    facts = facts_of(workspace)
    record_facts(facts, now)
    heard = heard_events(environment.pk)
    tell(environment.pk, environment.customer_id, heard & {name for name, _, _ in facts}, None, now)
    changed = {change.state.entity for change in workspace.changes}
    flows = Flow.objects.filter(environment=environment, is_enabled=True).select_related("current_version")
    for flow in flows:
        if flow.current_version and changed & {rule.on for rule in parse_flow(flow.current_version.definition).rules}:
            make_due(flow.pk, now)


def _audit(
    actor: Actor, environment: Environment, service: str, outcome: Outcome, inputs: dict[str, Any], now: datetime
) -> None:
    record_audit(
        actor=actor, action=f"service.{service}", target_key=f"record:{outcome.record.id}",
        target_label=outcome.record.title, owner_key=f"customer:{environment.customer_id}", after=inputs, now=now,
    )  # fmt: skip
