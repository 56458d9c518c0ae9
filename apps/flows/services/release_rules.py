"""Whether what one person wrote is put in force by another, and who may end that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Invitation, StaffMembership, User
from apps.accounts.policies import STAFF_PERMISSIONS, StaffRole
from apps.accounts.selectors import list_allowed_people
from apps.audit.services import record_audit
from apps.connectors.models import Connection
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, NotPermitted
from apps.core.planes import require_tenant_schema
from apps.flows.models import ReleaseRules
from apps.notifications.services import send_mail
from apps.tenants.selectors import absolute_url, platform_host

PERMISSION = "security.manage"
ACCESS_KIND, MEMBER_KIND = "flows.access_changed", "flows.member_joined"
TOO_NEW = "You could not change this yet when it was asked for. Somebody who could has to agree."
KEPT = (
    "Where a second person looks over what is published, two people who may change that rule have to be on the team. "
    "End the rule first, together, under Settings, Releases; or give a third person a role that may."
)


class SecondPersonMissing(Conflict):
    """Whoever asked for the end of the review, or came after it was asked for, cannot agree to it."""


@transaction.atomic
def set_release_rules(*, actor: Actor, now: datetime, requires_review: bool) -> ReleaseRules:
    """This function will say whether what one person wrote is published by another.

    The review begins at once. It ends when a second person agrees who could when it was asked for, and until then the
    first one only has asked for it; where there never was anybody else, it ends at once. Raises SecondPersonMissing,
    NotPermitted.
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
    rules.end_asked_at, rules.end_asked_by_label, rules.end_asked_by_ids, rules.end_voter_ids = None, "", [], []
    rules.save()
    _audit(actor, now, "release_rules.changed", before, {"requires_review": requires_review, "asked_by": was_asked})
    return rules


def find_release_rules() -> ReleaseRules:
    """The partner's, or the standard (unsaved)."""
    return ReleaseRules.objects.first() or ReleaseRules()


def requires_second_person() -> bool:
    return ReleaseRules.objects.filter(requires_review=True).exists()


def why_not_alone(actor: Actor, author_ids: Collection[str]) -> str:
    """Why the actor cannot put in force what these people wrote, or ""."""
    if not requires_second_person():
        return ""
    if actor.kind is ActorKind.API_KEY:
        # Whoever wrote it may hold the key as well.
        return "A person has to publish it: an API key is nobody's second pair of eyes."
    if actor.people & set(author_ids):
        return "You wrote this yourself, or a part of it. Somebody else of your team has to publish it."
    return ""


def keep_two(membership: StaffMembership, next_role: str) -> str:
    """Why this person cannot go or have less to say: otherwise one person alone would be left, and could end the rule."""
    if not requires_second_person() or PERMISSION in STAFF_PERMISSIONS.get(next_role, ()):
        return ""
    allowed = list_allowed_people(PERMISSION)
    return KEPT if str(membership.user_id) in allowed and len(allowed) <= 2 else ""


def tell_of_access(*, connection_id: UUID, by: str, by_ids: list[str], key: str, now: datetime) -> int:
    """This function will write to the other people who watch over the rule, once for each `key`; returns to how many.

    A leaked key must be replaceable at once, also at night by one person alone. So nothing waits for a second person
    here: the change is checked against the same account, stands in the trail, and a second person learns of it.
    """
    connection = Connection.objects.select_related("customer").filter(pk=connection_id).first()
    if connection is None or not requires_second_person():
        return 0
    context = {
        "by": by, "connection_name": connection.name, "customer_name": connection.customer.name,
        "url": _url(f"/manage/connections/{connection.pk}/"),
    }  # fmt: skip
    return _mail(ACCESS_KIND, "access_changed", _others(by_ids), context, key, now)


def tell_of_member(*, invitation_id: UUID, user_id: str, key: str, now: datetime) -> int:
    """This function will write to the people who watch over the rule, once for each `key`; returns to how many.

    Whoever invites somebody has a second pair of eyes at once, maybe a second pair of their own.
    """
    invitation = Invitation.objects.filter(pk=invitation_id, subject_key="").first()
    if invitation is None or not requires_second_person():
        return 0
    context = {
        "member": invitation.email, "role_name": StaffRole(invitation.role).label, "by": invitation.invited_by_label,
        "url": _url("/manage/settings/team/"),
    }  # fmt: skip
    return _mail(MEMBER_KIND, "member_joined", _others([user_id]), context, key, now)


def _url(path: str) -> str:
    return absolute_url(platform_host(require_tenant_schema()), path)


def _mail(kind: str, template: str, people: list[str], context: dict[str, str], key: str, now: datetime) -> int:
    addresses = User.objects.filter(pk__in=people).order_by("email").values_list("email", flat=True)
    for address in addresses:
        send_mail(kind=kind, recipient=address, template=template, context=context, now=now, key=f"{key}:{address}")
    return len(addresses)


def _lock(actor: Actor, now: datetime) -> ReleaseRules:
    ReleaseRules.objects.bulk_create(
        [ReleaseRules(changed_at=now, changed_by_label=actor.label)], ignore_conflicts=True
    )
    return ReleaseRules.objects.select_for_update().get()


def _is_agreed(actor: Actor, rules: ReleaseRules) -> bool:
    if rules.end_asked_at is not None:
        return actor.id in rules.end_voter_ids
    return not _others(actor.people)


def _others(people: Collection[str]) -> list[str]:
    """Who beside these people could agree."""
    return [person for person in list_allowed_people(PERMISSION) if person not in people]


def _ask(actor: Actor, now: datetime, rules: ReleaseRules) -> ReleaseRules:
    if rules.end_asked_at is not None:
        own = actor.people & set(rules.end_asked_by_ids)
        asked = "You asked for this yourself. Somebody else who may change it has to agree."
        raise SecondPersonMissing(asked if own else TOO_NEW)
    rules.end_asked_at, rules.end_asked_by_label, rules.end_asked_by_ids = now, actor.label, sorted(actor.people)
    rules.end_voter_ids = _others(actor.people)
    rules.save()
    _audit(actor, now, "release_rules.end_asked", True, {"requires_review": True})
    return rules


def _audit(actor: Actor, now: datetime, action: str, before: bool, after: dict[str, object]) -> None:
    record_audit(
        actor=actor, action=action, target_key="release_rules:all", now=now, before={"requires_review": before},
        after=after,
    )  # fmt: skip
