"""An integration's own answers to edits on both sides and to deletions, instead of its template's."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.sdk.entities import ENTITIES
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.flows.definition import (
    CONFLICT_POLICIES,
    DELETE_POLICIES,
    DELETION,
    SYSTEM_OF_RECORD,
    TemplateSpec,
    parse_template,
)
from apps.flows.models import FieldPolicy, Integration, IntegrationStatus
from apps.flows.services.integrations import note_author
from apps.flows.services.publishing import (
    NothingToPublish,
    bring_about,
    lock_integration,
    state_to_change,
    write_policies,
)
from apps.flows.states import Policies

NOTE = "Edits on both sides and deletions"


class UnableToSetPolicy(AnticipatedError):
    """A field, policy or role that cannot be; `field` says which."""


@transaction.atomic
def set_field_policy(
    *, actor: Actor, now: datetime, integration: Integration, entity: str, field: str, policy: str, role: str = ""
) -> FieldPolicy | None:
    """This function will set the policy of a field (`*`: of all others; `@deleted`: of deletions) from the next run on.

    A new version of the integration has it; None where that waits for a second person. Raises UnableToSetPolicy,
    NotVisible, NotPermitted.
    """
    locked = lock_integration(actor, integration)
    check_policy(parse_template(locked.template_version.definition), entity, field, policy, role)
    own = {"entity": entity, "field": field, "policy": policy, "role": role if policy == SYSTEM_OF_RECORD else ""}
    others = [p for p in state_to_change(locked).policies if (p["entity"], p["field"]) != (entity, field)]
    _bring_about(actor, now, locked, "field_policy.set", own, [*others, own])
    return locked.field_policies.filter(entity=entity, field=field, policy=policy, role=own["role"]).first()


@transaction.atomic
def reset_field_policy(*, actor: Actor, now: datetime, policy: FieldPolicy) -> bool:
    """This function will go back to the template's policy; False where that waits for a second person."""
    locked = lock_integration(actor, policy.integration)
    kept = [p for p in state_to_change(locked).policies if (p["entity"], p["field"]) != (policy.entity, policy.field)]
    own = {name: getattr(policy, name) for name in ("entity", "field", "policy", "role")}
    _bring_about(actor, now, locked, "field_policy.reset", own, kept)
    return not locked.field_policies.filter(pk=policy.pk).exists()


def _bring_about(
    actor: Actor, now: datetime, integration: Integration, action: str, own: dict[str, str], policies: Policies
) -> None:  # fmt: skip
    """What is being set up has no versions yet; what is set twice is nothing new."""
    wanted = sorted(policies, key=lambda policy: (policy["entity"], policy["field"]))
    if integration.status == IntegrationStatus.DRAFT:
        note_author(actor, integration)
        write_policies(actor, now, integration, wanted)
    else:
        try:
            bring_about(actor=actor, now=now, integration=integration, note=NOTE, policies=wanted)
        except NothingToPublish:
            return
    _audit(actor, action, integration, own, now)


def check_policy(spec: TemplateSpec, entity: str, field: str, policy: str, role: str) -> None:
    """Raises UnableToSetPolicy."""
    if entity not in ENTITIES:
        raise UnableToSetPolicy("Choose a kind of record.", field="entity")
    if field not in ("*", DELETION, *ENTITIES[entity].__struct_fields__):
        raise UnableToSetPolicy("This kind of record has no such field.", field="field")
    if policy not in (DELETE_POLICIES if field == DELETION else CONFLICT_POLICIES):
        raise UnableToSetPolicy("This policy does not fit the field.", field="policy")
    if policy == SYSTEM_OF_RECORD and role not in spec.roles:
        raise UnableToSetPolicy("Choose the system that is right.", field="role")


def _audit(actor: Actor, action: str, integration: Integration, policy: dict[str, str], now: datetime) -> None:
    record_change(
        actor=actor, now=now, target=integration, action=action,
        after={"field": f"{policy['entity']}.{policy['field']}", "policy": policy["policy"], "role": policy["role"]},
    )  # fmt: skip
