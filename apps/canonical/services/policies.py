"""The partner's and the customers' own words on how sure is sure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from apps.audit.services import record_audit
from apps.canonical.models import MatchPolicy
from apps.canonical.scoring import RULES
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError, NotVisible
from apps.customers.models import Customer

LOWEST_POINTS, MOST_POINTS = -1000, 100


class UnableToChangePolicy(AnticipatedError):
    """A threshold or a rule that cannot be; `field` says which."""


@transaction.atomic
def set_match_policy(
    *, actor: Actor, now: datetime, entity: str, customer: Customer | None, merge_score: int, ask_score: int,
    weights: Mapping[str, int],
) -> MatchPolicy:  # fmt: skip
    """This function will set thresholds and points for new records from now on; what was decided stays.

    `customer` None: for all customers without rules of their own. Only points that differ from the shipped ones are
    kept; 0 switches a rule off. Raises UnableToChangePolicy.
    """
    _demand(actor, customer)
    known = {rule.key: rule.points for rule in RULES.get(entity, ())}
    if not known:
        raise UnableToChangePolicy("There are no rules for this kind of record.", field="entity")
    if not 1 <= ask_score <= 100:
        raise UnableToChangePolicy("Enter a score from 1 to 100.", field="ask_score")
    if not ask_score <= merge_score <= 101:
        raise UnableToChangePolicy("Enter at least the score from which a person is asked.", field="merge_score")
    unknown = sorted(set(weights) - set(known))
    if unknown:
        raise UnableToChangePolicy(f"There is no rule {unknown[0]}.", field="weights")
    if not all(LOWEST_POINTS <= points <= MOST_POINTS for points in weights.values()):
        raise UnableToChangePolicy(f"Give points from {LOWEST_POINTS:,} to {MOST_POINTS}.", field="weights")
    policy, _ = MatchPolicy.objects.update_or_create(
        owner_key=customer.subject_key if customer else "",
        entity=entity,
        defaults={
            "merge_score": merge_score,
            "ask_score": ask_score,
            "weights": {key: points for key, points in weights.items() if points not in (0, known[key])},
            "disabled": sorted(key for key, points in weights.items() if points == 0),
            "changed_at": now,
            "changed_by_label": actor.label,
        },
    )
    _audit(actor, "match_policy.changed", entity, customer, now)
    return policy


@transaction.atomic
def reset_match_policy(*, actor: Actor, now: datetime, entity: str, customer: Customer | None) -> None:
    """This function will go back to the partner's rules (for a customer) or the shipped ones."""
    _demand(actor, customer)
    if _own(customer).filter(entity=entity).delete()[0]:
        _audit(actor, "match_policy.reset", entity, customer, now)


def _own(customer: Customer | None) -> QuerySet[MatchPolicy]:
    return MatchPolicy.objects.filter(owner_key=customer.subject_key if customer else "")


def _demand(actor: Actor, customer: Customer | None) -> None:
    actor.require("integrations.manage")
    if customer is None and actor.scope is not None:
        raise NotVisible("There are no such rules.")
    if customer is not None:
        actor.require_sight(customer.pk, "There is no such customer.")


def _audit(actor: Actor, action: str, entity: str, customer: Customer | None, now: datetime) -> None:
    owner = customer.subject_key if customer else ""
    record_audit(
        actor=actor,
        action=action,
        target_key=f"match_policy:{entity}",
        target_label=entity,
        owner_key=owner,
        now=now,
    )
