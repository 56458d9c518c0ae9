"""An integration's own answers to edits on both sides and to deletions, instead of its template's."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.sdk.entities import ENTITIES
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.flows.definition import CONFLICT_POLICIES, DELETE_POLICIES, DELETION, SYSTEM_OF_RECORD, parse_template
from apps.flows.models import FieldPolicy, Integration


class UnableToSetPolicy(AnticipatedError):
    """A field, policy or role that cannot be; `field` says which."""


@transaction.atomic
def set_field_policy(
    *, actor: Actor, now: datetime, integration: Integration, entity: str, field: str, policy: str, role: str = ""
) -> FieldPolicy:
    """This function will set the policy of a field (`*`: of all others; `@deleted`: of deletions) from the next run on.

    Raises UnableToSetPolicy, NotVisible, NotPermitted.
    """
    _demand(actor, integration)
    _check(integration, entity, field, policy, role)
    saved, _ = FieldPolicy.objects.update_or_create(
        integration=integration,
        entity=entity,
        field=field,
        defaults={
            "policy": policy,
            "role": role if policy == SYSTEM_OF_RECORD else "",
            "changed_at": now,
            "changed_by_label": actor.label,
        },
    )
    _audit(actor, "field_policy.set", saved, now)
    return saved


@transaction.atomic
def reset_field_policy(*, actor: Actor, now: datetime, policy: FieldPolicy) -> None:
    """This function will go back to the template's policy."""
    _demand(actor, policy.integration)
    _audit(actor, "field_policy.reset", policy, now)
    policy.delete()


def _demand(actor: Actor, integration: Integration) -> None:
    actor.require("integrations.manage")
    if not actor.sees(integration.customer_id):
        raise NotVisible("There is no such integration.")


def _check(integration: Integration, entity: str, field: str, policy: str, role: str) -> None:
    if entity not in ENTITIES:
        raise UnableToSetPolicy("Choose a kind of record.", field="entity")
    if field not in ("*", DELETION, *ENTITIES[entity].__struct_fields__):
        raise UnableToSetPolicy("This kind of record has no such field.", field="field")
    if policy not in (DELETE_POLICIES if field == DELETION else CONFLICT_POLICIES):
        raise UnableToSetPolicy("This policy does not fit the field.", field="policy")
    roles = parse_template(integration.template_version.definition).roles
    if policy == SYSTEM_OF_RECORD and role not in roles:
        raise UnableToSetPolicy("Choose the system that is right.", field="role")


def _audit(actor: Actor, action: str, policy: FieldPolicy, now: datetime) -> None:
    record_audit(
        actor=actor, action=action, target_key=f"integration:{policy.integration_id}",
        target_label=policy.integration.name, owner_key=f"customer:{policy.integration.customer_id}",
        after={"field": f"{policy.entity}.{policy.field}", "policy": policy.policy, "role": policy.role}, now=now,
    )  # fmt: skip
