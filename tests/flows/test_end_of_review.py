"""The rule that a second person publishes: who ends it, and who has to stay for it."""

from __future__ import annotations

import pytest

from apps.accounts.access import staff_actor
from apps.accounts.keeping import MemberNeeded
from apps.accounts.models import StaffMembership
from apps.accounts.policies import API_SCOPES
from apps.accounts.services import authenticate_api_key, change_role, create_api_key, deactivate
from apps.audit.models import AuditEvent
from apps.core.errors import NotPermitted
from apps.flows.services import set_release_rules
from apps.flows.services.release_rules import SecondPersonMissing, requires_second_person
from tests.factories.askers import owner, owner_actor
from tests.factories.world import make_staff

__all__ = ["owner", "owner_actor"]


@pytest.fixture
def carl(partner, now):
    return make_staff(now, "admin", "carl@acme.example")


@pytest.fixture
def reviewed(partner, owner_actor, now):
    set_release_rules(actor=owner_actor, now=now, requires_review=True)


def place_of(user):
    return StaffMembership.objects.get(user=user)


def end(actor, now):
    return set_release_rules(actor=actor, now=now, requires_review=False)


def test_it_ends_when_a_second_person_agrees(reviewed, owner_actor, carl, now):
    asked = end(owner_actor, now)
    assert (asked.requires_review, asked.end_asked_by_label) == (True, "Staff owner")
    with pytest.raises(SecondPersonMissing, match="You asked for this yourself"):
        end(owner_actor, now)

    kept = set_release_rules(actor=owner_actor, now=now, requires_review=True)
    assert (kept.requires_review, kept.end_asked_at, kept.end_asked_by_ids, kept.end_voter_ids) == (True, None, [], [])

    end(owner_actor, now)
    ended = end(staff_actor(carl), now)
    assert (ended.requires_review, ended.end_asked_at, requires_second_person()) == (False, None, False)
    assert AuditEvent.objects.filter(action="release_rules.end_asked").count() == 2


def test_no_key_ends_it(reviewed, owner_actor, carl, now):
    _, secret = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=sorted(API_SCOPES))

    with pytest.raises(NotPermitted, match="API key"):
        end(authenticate_api_key(secret, now), now)


def test_whoever_was_always_alone_ends_it_alone(reviewed, owner_actor, now):
    assert end(owner_actor, now).requires_review is False


def test_who_came_after_it_was_asked_for_is_no_second_person(reviewed, owner_actor, carl, now):
    end(owner_actor, now)
    invited = make_staff(now, "admin", "owner+1@acme.example")

    with pytest.raises(SecondPersonMissing, match="could not change this yet when it was asked for"):
        end(staff_actor(invited), now)

    assert requires_second_person()
    assert end(staff_actor(carl), now).requires_review is False


@pytest.mark.parametrize("leave", [deactivate, lambda **given: change_role(**given, role="support")])
def test_nobody_sends_the_last_other_away_and_ends_it_alone(reviewed, owner_actor, carl, now, leave):
    with pytest.raises(MemberNeeded, match="two people who may change that rule have to be on the team"):
        leave(actor=owner_actor, now=now, membership=place_of(carl))
    assert (place_of(carl).role, place_of(carl).user.is_active) == ("admin", True)

    make_staff(now, "admin", "third@acme.example")
    leave(actor=owner_actor, now=now, membership=place_of(carl))

    assert end(owner_actor, now).requires_review is True


def test_others_come_and_go_as_before(reviewed, owner_actor, carl, now):
    viewer = place_of(make_staff(now, "viewer"))

    assert change_role(actor=owner_actor, now=now, membership=viewer, role="support").role == "support"
    assert deactivate(actor=owner_actor, now=now, membership=viewer).user.is_active is False
    end(owner_actor, now)
    end(staff_actor(carl), now)
    assert deactivate(actor=owner_actor, now=now, membership=place_of(carl)).user.is_active is False
