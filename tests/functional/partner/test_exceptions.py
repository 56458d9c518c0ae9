"""Somebody of the partner looks at what was left undone, hands it on, and writes the rules."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock
from apps.core.actor import Actor
from apps.monitoring.models import BusinessException, ExceptionRule
from apps.partner_portal.selectors.badges import count_badges
from apps.ui.markup import relative
from tests.functional.partner.conftest import SignIn
from tests.monitoring.conftest import Books, eur, make_books

WON = "won-opportunity-without-project"


def page(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def text_of(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def books(partner: object, now: datetime) -> Books:
    """Two won deals without a project, 18,000.00 in all."""
    found = make_books("Brightwater", now)
    for name, amount in (("Harbor crane", 1000000), ("Quay wall", 800000)):
        found.record("opportunity", name=name, stage="won", amount=eur(amount))
    found.evaluate()
    return found


def test_the_list_says_what_is_at_stake(books: Books, owner: Client) -> None:
    shown = text_of(owner.get(page("exceptions")))

    assert all(part in shown for part in ("Harbor crane", "Quay wall", "Brightwater", "€18,000.00"))
    assert "Quay wall" not in text_of(owner.get(page("exceptions"), {"q": "harbor"}))
    assert "Harbor crane" not in text_of(owner.get(page("exceptions"), {"rule": "project-without-contract"}))
    assert "Harbor crane" in text_of(
        owner.get(page("exceptions"), {"assignee": "nobody", "customer": books.customer.pk})
    )
    assert "No exceptions" in text_of(owner.get(page("exceptions"), {"state": "resolved"}))
    exported = owner.get(page("exceptions"), {"format": "csv"})
    assert exported["Content-Type"].startswith("text/csv")


def test_home_and_customer_tell_of_them(books: Books, owner: Client) -> None:
    for path in (page("home"), page("customer", books.customer.pk)):
        shown = text_of(owner.get(path))
        assert "2 exceptions" in shown
        assert "€18,000.00 at stake" in shown
    assert "Quay wall" in text_of(owner.get(page("customer_exceptions", books.customer.pk)))


def test_the_navigation_counts_what_is_not_snoozed_now(books: Books, owner_actor: Actor, now: datetime) -> None:
    one = BusinessException.objects.first()
    assert one is not None
    BusinessException.objects.filter(pk=one.pk).update(snoozed_until=now + timedelta(days=1))
    counted = []
    for later in (timedelta(0), timedelta(days=2)):
        with clock.moved_clock(now + later):
            counted.append(count_badges(owner_actor)["partner_portal:exceptions"])

    assert counted == [1, 2]


def test_one_is_handed_on_snoozed_and_ignored(books: Books, owner: Client, sign_in: SignIn) -> None:
    sign_in("support")
    found = BusinessException.objects.get(title="Quay wall")
    own = page("exception", found.pk)
    shown = text_of(owner.get(own))
    assert all(part in shown for part in ("A deal was won", "€8,000.00", "Next step"))
    # The list counts the age the same way.
    assert f'cell-sub">{relative(found.since)}</span>' in shown
    support = User.objects.get(email="support@acme.example")
    owner.post(page("exception_act", found.pk, "assign"), {"assignee": str(support.pk)})
    owner.post(page("exception_act", found.pk, "snooze"), {"days": "7"})
    assert "Quay wall" not in text_of(owner.get(page("exceptions")))
    assert "Quay wall" in text_of(owner.get(page("exceptions"), {"state": "snoozed"}))
    owner.post(page("exception_act", found.pk, "wake"))
    owner.post(page("exception_act", found.pk, "ignore"), {"reason": "Done by hand"})
    found.refresh_from_db()
    assert (found.status, found.assignee_label) == ("ignored", "Support")
    shown = text_of(owner.get(own))
    assert all(part in shown for part in ("Done by hand", "Assigned", "Take it up again"))
    owner.post(page("exception_act", found.pk, "reopen"))
    assert owner.post(page("exception_act", found.pk, "explode")).status_code == 404
    found.refresh_from_db()
    assert found.status == "open"


def test_rules_are_listed_changed_and_switched(books: Books, owner: Client) -> None:
    listed = text_of(owner.get(page("exception_rules")))
    assert all(part in listed for part in ("Won opportunity without project", "€18,000.00", "Project without contract"))
    form = text_of(owner.get(page("exception_rule", WON)))
    assert "project.opportunity" in form
    rule = ExceptionRule.objects.get(key=WON)
    given = {
        "name": rule.name, "entity": rule.entity, "condition": rule.condition, "expectation": rule.expectation,
        "within_days": "40", "amount": rule.amount, "solver": "partner",
    }  # fmt: skip

    owner.post(page("exception_rule", WON), given)
    rule.refresh_from_db()
    assert rule.within_days == 40
    owner.post(page("exception_rule_switch", WON))
    rule.refresh_from_db()
    assert rule.is_enabled is False
    owner.post(page("exception_rule_remove", WON))
    rule.refresh_from_db()
    assert (rule.within_days, rule.is_enabled) == (2, True)


def test_a_rule_is_looked_at_before_it_is_added(books: Books, owner: Client) -> None:
    given = {
        "name": "Deal without account", "entity": "opportunity", "condition": 'record.stage == "won"',
        "expectation": "account", "within_days": "0", "amount": "record.amount", "solver": "customer",
    }  # fmt: skip

    shown = text_of(owner.post(page("exception_rule_preview"), given))
    assert all(part in shown for part in ("Would be open today", "at 1 customer", "€18,000.00", "Harbor crane"))
    refused = text_of(owner.post(page("exception_rule_preview"), {**given, "expectation": "nowhere"}))
    assert "“nowhere” leads nowhere from an opportunity." in refused
    assert ExceptionRule.objects.filter(is_shipped=False).count() == 0
    bad = owner.post(page("exception_rule_add"), {**given, "condition": "record.stage =="})
    assert "This expression cannot be read" in text_of(bad)
    owner.post(page("exception_rule_add"), given)
    books.evaluate()
    assert BusinessException.objects.filter(rule__key="deal-without-account").count() == 2


def test_the_words_are_those_of_the_kind_that_is_chosen(books: Books, owner: Client) -> None:
    first = owner.get(page("exception_rule_add"))
    other = owner.get(page("exception_rule_add"), {"entity": "milestone"})

    assert (first.context["entity"], other.context["entity"]) == ("Account", "Milestone")
    assert "completed_date" in other.context["vocabulary"]["fields"]
    assert 'hx-select="#words"' in first.content.decode()


def test_who_may_only_look_changes_nothing(books: Books, viewer: Client, sign_in: SignIn) -> None:
    found = BusinessException.objects.first()
    assert found is not None

    assert "What to do with it" not in text_of(viewer.get(page("exception", found.pk)))
    assert viewer.post(page("exception_act", found.pk, "ignore"), {"reason": "x"}).status_code == 403
    assert viewer.post(page("exception_rule", WON), {"name": "x"}).status_code == 403
    assert viewer.get(page("exception_rule_add")).status_code == 403
    finance = sign_in("finance")
    assert finance.get(page("exceptions")).status_code == 200
    assert "Open the record" not in text_of(finance.get(page("exception", found.pk)))
