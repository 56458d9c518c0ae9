"""Whether what one person wrote is put in force by another, and who may end that."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.accounts.selectors import is_anybody_else_allowed
from apps.audit.services import record_audit
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, NotPermitted
from apps.flows.models import ReleaseRules

PERMISSION = "security.manage"


class SecondPersonMissing(Conflict):
    """Whoever asked for the end of the review cannot agree to it as well."""


@transaction.atomic
def set_release_rules(*, actor: Actor, now: datetime, requires_review: bool) -> ReleaseRules:
    """This function will say whether what one person wrote is published by another.

    The review begins at once. It ends when a second person agrees, and until then the first one only has asked for it;
    where nobody else could agree, it ends at once. Raises SecondPersonMissing, NotPermitted.
    """
    actor.require(PERMISSION)
    if actor.kind is ActorKind.API_KEY:
        raise NotPermitted("People decide this, in the settings: whoever holds an API key may be the author as well.")
    rules = _lock(actor, now)
    if rules.requires_review and not requires_review and not _is_agreed(actor, rules):
        return _ask(actor, now, rules)
    before = rules.requires_review
    was_asked = rules.end_asked_by_label
    rules.requires_review, rules.changed_at, rules.changed_by_label = requires_review, now, actor.label
    rules.end_asked_at, rules.end_asked_by_label, rules.end_asked_by_ids = None, "", []
    rules.save()
    _audit(actor, now, "release_rules.changed", before, {"requires_review": requires_review, "asked_by": was_asked})
    return rules


def find_release_rules() -> ReleaseRules:
    """The partner's, or the standard (unsaved)."""
    return ReleaseRules.objects.first() or ReleaseRules()


def requires_second_person() -> bool:
    return ReleaseRules.objects.filter(requires_review=True).exists()


def _lock(actor: Actor, now: datetime) -> ReleaseRules:
    ReleaseRules.objects.bulk_create(
        [ReleaseRules(changed_at=now, changed_by_label=actor.label)], ignore_conflicts=True
    )
    return ReleaseRules.objects.select_for_update().get()


def _is_agreed(actor: Actor, rules: ReleaseRules) -> bool:
    if rules.end_asked_at is not None:
        return not actor.people & set(rules.end_asked_by_ids)
    return not is_anybody_else_allowed(PERMISSION, actor)


def _ask(actor: Actor, now: datetime, rules: ReleaseRules) -> ReleaseRules:
    if rules.end_asked_at is not None:
        raise SecondPersonMissing("You asked for this yourself. Somebody else who may change it has to agree.")
    rules.end_asked_at, rules.end_asked_by_label, rules.end_asked_by_ids = now, actor.label, sorted(actor.people)
    rules.save()
    _audit(actor, now, "release_rules.end_asked", True, {"requires_review": True})
    return rules


def _audit(actor: Actor, now: datetime, action: str, before: bool, after: dict[str, object]) -> None:
    record_audit(
        actor=actor, action=action, target_key="release_rules:all", now=now, before={"requires_review": before},
        after=after,
    )  # fmt: skip
