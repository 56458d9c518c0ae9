"""Changing how an integration is set up: its connections while it is a draft, its name and settings at any time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection
from apps.core.actor import Actor
from apps.flows.definition import parse_template
from apps.flows.models import Integration, IntegrationRevision, IntegrationStatus, RoleBinding
from apps.flows.services.deployment import check_bindings, clean_given_settings
from apps.flows.services.integrations import UnableToChangeIntegration, note_author
from apps.flows.services.mappings import refresh_mappings
from apps.flows.services.publishing import bring_about, lock_integration
from apps.flows.states import read_starts, state_of


@transaction.atomic
def change_bindings(
    *, actor: Actor, now: datetime, integration: Integration, bindings: Mapping[str, Connection]
) -> Integration:
    """This function will bind a draft's roles anew. Raises UnableToDeployIntegration, UnableToChangeIntegration."""
    locked = lock_integration(actor, integration)
    if locked.status != IntegrationStatus.DRAFT:
        raise UnableToChangeIntegration("Only an integration that is being set up can change its systems.")
    check_bindings(parse_template(locked.template_version.definition), locked.environment, bindings)
    note_author(actor, locked)
    for role, connection in bindings.items():
        RoleBinding.objects.filter(integration=locked, role=role).update(connection=connection)
    refresh_mappings(actor=actor, now=now, integration=locked)
    bound = {role: str(connection.pk) for role, connection in bindings.items()}
    record_change(actor=actor, now=now, target=locked, action="integration.bound", before={}, after=bound)
    return locked


@transaction.atomic
def change_settings(
    *, actor: Actor, now: datetime, integration: Integration, name: str, settings: Mapping[str, Any]
) -> Integration:
    """This function will store name and settings; runs that begin from now on use them.

    Settings of an integration that is not a draft make a new version of it, published or, where a second person has to
    look it over, kept as a draft.

    Raises UnableToDeployIntegration with the setting to change.
    """
    locked = lock_integration(actor, integration)
    template = parse_template(locked.template_version.definition)
    before = {"name": locked.name, **locked.settings}
    locked.name = name.strip()[:120] or template.name
    wanted = clean_given_settings(template, settings, locked.customer.currency)
    if locked.status == IntegrationStatus.DRAFT:
        locked.settings = wanted
        note_author(actor, locked)
    locked.save(update_fields=["name", "settings"])
    if wanted != locked.settings:
        bring_about(actor=actor, now=now, integration=locked, note="Settings", settings=wanted)
    after = {"name": locked.name, **wanted}
    record_change(actor=actor, now=now, target=locked, action="integration.changed", before=before, after=after)
    return locked


@transaction.atomic
def change_starts(
    *, actor: Actor, now: datetime, integration: Integration, starts: Mapping[str, Any], note: str = ""
) -> IntegrationRevision:
    """This function will change what starts some of the flows. Raises UnableToStart, NothingToPublish."""
    locked = lock_integration(actor, integration)
    current = state_of(locked)
    unknown = sorted(set(starts) - set(current.starts))
    if unknown:
        raise UnableToChangeIntegration(f"There is no flow {unknown[0]}.")
    roles = set(locked.role_bindings.values_list("role", flat=True))
    wanted = {key: read_starts(starts[key], roles) if key in starts else own for key, own in current.starts.items()}
    return bring_about(actor=actor, now=now, integration=locked, note=note or "Schedule", starts=wanted)
