"""From a customer's sandbox to its production, as often as the sandbox has something new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.customers.models import Environment, EnvironmentKind
from apps.flows.configuration import describe
from apps.flows.models import Integration, IntegrationStatus
from apps.flows.services.configuration import carry_out
from apps.flows.services.deployment import lock_place
from apps.flows.services.planning import Planned, plan_one


class UnableToPromote(AnticipatedError):
    """The integration is none of a sandbox, or a system for a role is missing; `field` names the role."""


def production_of(integration: Integration) -> Environment:
    """Raises UnableToPromote unless the integration is in a sandbox."""
    if integration.environment.kind != EnvironmentKind.SANDBOX:
        raise UnableToPromote("Only what is in the sandbox can be promoted. Choose an integration there.")
    related = Environment.objects.select_related("customer")
    return related.get(customer_id=integration.customer_id, kind=EnvironmentKind.PRODUCTION)


def counterpart_of(integration: Integration) -> Integration | None:
    """What it was promoted to, if that is still in use."""
    related = Integration.objects.select_related("template_version__template", "environment", "customer")
    found = related.filter(promoted_from=integration).exclude(status=IntegrationStatus.RETIRED)
    return found.order_by("-created_at", "-id").first()


def suggested_systems(integration: Integration) -> dict[str, Connection]:
    """By role: the connection the counterpart has, else the one of production with the same vendor."""
    there = counterpart_of(integration)
    bound = there.role_bindings.select_related("connection") if there else []
    found = {binding.role: binding.connection for binding in bound}
    usable = list(Connection.objects.filter(environment=production_of(integration), archived_at=None).order_by("id"))
    for binding in integration.role_bindings.select_related("connection").order_by("role"):
        alike = [one for one in usable if one.vendor == binding.connection.vendor]
        if binding.role not in found and alike:
            found[binding.role] = next((one for one in alike if one.name == binding.connection.name), alike[0])
    return found


def plan_promotion(
    *, actor: Actor, integration: Integration, systems: Mapping[str, Connection] | None = None
) -> Planned:
    """This function will say what production gets; nothing is written. Raises UnableToPromote, NotVisible."""
    actor.require("integrations.manage")
    actor.require_sight(integration.customer_id, "There is no such integration.")
    place = production_of(integration)
    chosen = dict(systems if systems is not None else suggested_systems(integration))
    there = counterpart_of(integration)
    doc = describe(integration)
    missing = sorted(set(doc.systems) - set(chosen))
    if missing:
        raise UnableToPromote(f"Choose the system that plays {missing[0]} in production.", field=missing[0])
    doc = msgspec.structs.replace(
        doc, name=there.name if there else doc.name, status="live", systems={r: c.name for r, c in chosen.items()}
    )
    return plan_one(place, doc, [there] if there else [], chosen)


@transaction.atomic
def promote_integration(
    *, actor: Actor, now: datetime, integration: Integration, systems: Mapping[str, Connection] | None = None
) -> Integration:
    """This function will make production what the sandbox is, and live. Raises UnableToPromote, UnableToApply."""
    actor.require("integrations.manage")
    lock_place(production_of(integration))
    entry = plan_promotion(actor=actor, integration=integration, systems=systems)
    if entry.problems:
        raise UnableToPromote(entry.problems[0].rpartition("|")[2])
    made = carry_out(actor=actor, now=now, environment=production_of(integration), entry=entry)
    if made.promoted_from_id != integration.pk:
        made.promoted_from = integration
        made.save(update_fields=["promoted_from"])
    record_change(actor=actor, now=now, target=made, action="integration.promoted", after={"from": str(integration.pk)})
    return made
