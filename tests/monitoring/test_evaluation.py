"""Exceptions follow the records: opened once, kept up to date, resolved by themselves, whatever is looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.canonical.models import CrossReference
from apps.core.actor import Actor
from apps.core.clock import moved_clock
from apps.core.money import Money
from apps.customers.models import Customer, Environment
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from apps.events.relaying import relay_outbox
from apps.events.services import record_event
from apps.monitoring import hits
from apps.monitoring.models import BusinessException, ExceptionRule
from apps.monitoring.services import (
    RuleDraft,
    UnableToHandle,
    UnableToSaveRule,
    add_rule,
    assign_exception,
    draft_of,
    evaluate_environment,
    ignore_exception,
    preview_rule,
    remove_rule,
    reopen_exception,
    save_rule,
    snooze_exception,
    switch_rule,
    wake_exception,
)
from apps.monitoring.services.evaluation import KIND
from tests.factories.delivery import make_flow
from tests.monitoring.conftest import Books, eur, make_books

WON = "won-opportunity-without-project"


def standing() -> BusinessException:
    return BusinessException.objects.get()


def next_look() -> datetime:
    return WorkItem.objects.get(kind=KIND).due_at


def told() -> list[tuple[str, str]]:
    found = OutboxEvent.objects.filter(type__startswith="monitoring.").order_by("id")
    return [(event.type.rpartition(".")[2], event.payload["title"]) for event in found]


def test_an_exception_is_opened_once_and_told(books: Books) -> None:
    books.only(WON)
    books.record("opportunity", name="deal", stage="won", amount=eur(900))

    assert [books.evaluate(), books.evaluate(), books.evaluate(after=timedelta(hours=7))] == [1, 0, 0]
    assert told() == [("opened", "deal")]
    event = OutboxEvent.objects.get(type="monitoring.exception.opened")
    assert event.payload["amount"] == eur(900)
    assert event.subject_key == f"customer:{books.customer.pk}"


def test_it_follows_the_record_and_resolves(books: Books) -> None:
    books.only(WON)
    deal = books.record("opportunity", name="deal", stage="won", amount=eur(900))
    books.evaluate()
    opened = standing()

    books.change(deal, amount=eur(1000))
    books.evaluate()
    assert standing().stake == Money(1000, "EUR")
    books.change(deal, stage="lost")
    books.evaluate()

    assert (standing().pk, standing().status) == (opened.pk, "resolved")
    assert told() == [("opened", "deal"), ("resolved", "deal")]
    books.change(deal, stage="won")
    books.evaluate(after=timedelta(days=3))
    assert list(BusinessException.objects.order_by("id").values_list("status", flat=True)) == ["resolved", "open"]


def test_only_what_changed_is_looked_at_between_full_looks(books: Books) -> None:
    books.only(WON)
    books.evaluate()
    books.record("opportunity", name="seen", stage="won")
    unseen = books.record("opportunity", name="unseen", stage="won")
    unseen.changes.all().delete()

    assert books.evaluate(after=timedelta(hours=1)) == 1
    assert books.open_titles(WON) == ["seen"]
    assert books.evaluate(after=timedelta(hours=6)) == 1
    assert books.open_titles(WON) == ["seen", "unseen"]
    assert next_look() == books.now + timedelta(hours=12)


def test_a_link_that_comes_or_goes_matters_at_once(books: Books) -> None:
    books.only(WON)
    deal = books.record("opportunity", name="deal", stage="won")
    project = books.record("project", name="P", status="open")
    books.link(project, "opportunity", deal)
    books.evaluate()
    assert books.open_titles(WON) == []

    books.unlink(project, "opportunity")
    books.evaluate()
    assert books.open_titles(WON) == ["deal"]
    books.link(project, "opportunity", deal)
    books.evaluate()
    assert books.open_titles(WON) == []


def test_too_many_changes_mean_a_full_look(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.monitoring.services.evaluation.MOST_TOUCHED", 1)
    books.only(WON)
    books.evaluate()
    for name in ("one", "two"):
        books.record("opportunity", name=name, stage="won")

    assert books.evaluate(after=timedelta(minutes=1)) == 2
    assert next_look() == books.now + timedelta(hours=6, minutes=1)


def test_many_are_found_a_chunk_at_a_time(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "CHUNK", 2)
    books.only(WON)
    for number in range(5):
        books.record("opportunity", name=str(number), stage="won")

    assert books.evaluate() == 5
    assert books.open_titles(WON) == [f"Opportunity {number}" for number in range(5)]


def test_what_every_system_deleted_is_no_exception(books: Books) -> None:
    books.only(WON)
    gone = books.record("opportunity", name="gone", stage="won")
    CrossReference.objects.filter(record=gone).update(deleted_at=books.now)

    assert books.evaluate() == 0


def test_customers_are_held_apart(books: Books) -> None:
    other = make_books("Northwind", books.now)
    books.only(WON)
    theirs = other.record("opportunity", name="theirs", stage="won")
    project = books.record("project", name="P", status="open")
    books.link(project, "opportunity", books.record("opportunity", name="ours", stage="won"))

    assert (books.evaluate(), other.evaluate()) == (0, 1)
    assert (standing().customer, standing().record) == (other.customer, theirs)


def test_only_production_counts(books: Books) -> None:
    sandbox = Environment.objects.get(customer=books.customer, kind="sandbox")

    assert evaluate_environment(environment_id=sandbox.pk, now=books.now) == 0
    assert WorkItem.objects.filter(kind=KIND).count() == 0


def test_an_archived_customer_is_left_alone(books: Books) -> None:
    books.record("opportunity", name="deal", stage="won")
    Customer.objects.filter(pk=books.customer.pk).update(archived_at=books.now)

    assert books.evaluate() == 0


def test_a_finished_run_has_its_environment_looked_at(books: Books) -> None:
    flow = make_flow(books.customer)
    payload: dict[str, Any] = {
        "run_id": str(UUID(int=1)), "flow_id": str(flow.pk), "status": "succeeded", "error_class": "",
        "is_production": True,
    }  # fmt: skip
    with moved_clock(books.now):
        for is_production in (False, True):
            payload = {**payload, "is_production": is_production}
            record_event(
                name="sync.run.finished", subject_key=books.customer.subject_key, payload=payload, now=books.now
            )
            relay_outbox(now=books.now)
            due = list(WorkItem.objects.filter(kind=KIND).values_list("key", "due_at"))
            assert due == ([(str(books.environment.pk), books.now + timedelta(seconds=5))] if is_production else [])


def test_the_next_look_is_set(books: Books) -> None:
    books.evaluate()
    books.evaluate(after=timedelta(hours=2))

    assert WorkItem.objects.get(kind=KIND).due_at == books.now + timedelta(hours=6)


def test_a_rule_that_cannot_be_read_any_more_stops_no_other(books: Books) -> None:
    books.only(WON, "project-without-contract")
    ExceptionRule.objects.filter(key="project-without-contract").update(expectation="nowhere")
    books.record("opportunity", name="deal", stage="won")

    assert books.evaluate() == 1


def test_a_rule_switched_off_resolves_what_it_opened(books: Books, owner_actor: Actor) -> None:
    books.only(WON)
    books.record("opportunity", name="deal", stage="won")
    books.evaluate()

    switch_rule(actor=owner_actor, now=books.now, key=WON, is_enabled=False)
    assert WorkItem.objects.get(kind=KIND).due_at == books.now
    books.evaluate()

    assert standing().status == "resolved"


DRAFT = RuleDraft(
    name="Big invoice without due date", entity="invoice",
    condition='record.status == "open" && record.due_date == null && number(decimal(record.total)) > 1000.0',
    amount="record.total", solver="customer",
)  # fmt: skip


def test_a_partner_writes_a_rule_of_its_own(books: Books, owner_actor: Actor) -> None:
    books.only()
    books.record("invoice", name="big", status="open", currency="EUR", total=eur(100001))
    books.record("invoice", name="small", status="open", currency="EUR", total=eur(99999))
    books.record("invoice", name="dated", status="open", currency="EUR", total=eur(100001), due_date="2026-12-01")
    found = preview_rule(actor=owner_actor, now=books.now, draft=DRAFT)
    assert (found.count, found.customers, found.stakes, found.is_cut) == (1, 1, [Money(100001, "EUR")], False)
    assert [(customer, hit.title) for customer, hit in found.examples] == [("Brightwater", "big")]
    assert BusinessException.objects.count() == 0

    rule = add_rule(actor=owner_actor, now=books.now, draft=DRAFT)
    books.evaluate()

    assert rule.key == "big-invoice-without-due-date"
    assert add_rule(actor=owner_actor, now=books.now, draft=DRAFT).key == "big-invoice-without-due-date-2"
    assert books.open_titles(rule.key) == ["big"]
    remove_rule(actor=owner_actor, now=books.now, key=rule.key)
    assert BusinessException.objects.count() == 0


def test_a_shipped_rule_is_changed_and_given_back(books: Books, owner_actor: Actor) -> None:
    books.only(WON)
    books.record("opportunity", name="deal", stage="won", days_ago=30)
    rule = ExceptionRule.objects.get(key=WON)
    patient = RuleDraft(**{**draft_of(rule).values(), "within_days": 60})

    save_rule(actor=owner_actor, now=books.now, key=WON, draft=patient)
    assert books.evaluate() == 0
    remove_rule(actor=owner_actor, now=books.now, key=WON)

    assert books.evaluate() == 1
    assert ExceptionRule.objects.get(key=WON).within_days == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"condition": "record.status =="}, "condition"),
        ({"condition": "", "expectation": ""}, "condition"),
        ({"amount": "recrd.total"}, "amount"),
        ({"entity": "unicorn"}, "entity"),
        ({"expectation": "nowhere"}, "expectation"),
        ({"only_if": "nowhere"}, "only_if"),
        ({"expected": 'record.status == "paid"'}, "expected"),
        ({"expectation": "project", "expected": "lower(record.name) == 'x'"}, "expected"),
        ({"within_days": 731}, "within_days"),
        ({"counted_from": "work_date"}, "counted_from"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(
    books: Books, owner_actor: Actor, change: dict[str, Any], field: str
) -> None:
    draft = RuleDraft(**{**DRAFT.values(), **change})

    for act in (preview_rule, add_rule):
        with pytest.raises(Exception) as refused:  # noqa: PT011 - both families carry the field
            act(actor=owner_actor, now=books.now, draft=draft)
        assert refused.value.field == field  # type: ignore[attr-defined]
    assert ExceptionRule.objects.count() == 0


def test_words_of_a_rule_are_never_part_of_a_statement(books: Books, owner_actor: Actor) -> None:
    books.record("invoice", name="one", status="open", currency="EUR", total=eur(1))
    text = "x' OR '1'='1"
    draft = RuleDraft(name="Sly", entity="invoice", condition=f'record.status == "{text}"', expectation="project",
                      expected=f'record.status == "{text}" && record.name == "{{}} %s"')  # fmt: skip

    assert preview_rule(actor=owner_actor, now=books.now, draft=draft).count == 0


def test_people_assign_snooze_ignore_and_take_up(books: Books, owner_actor: Actor, now: datetime) -> None:
    from tests.factories.world import make_staff

    books.only(WON)
    books.record("opportunity", name="deal", stage="won")
    books.evaluate()
    common: dict[str, Any] = {"actor": owner_actor, "now": now, "exception": standing()}
    sam = make_staff(now, "support")

    assert assign_exception(**common, assignee_id=sam.pk).assignee_label == "Staff support"
    snoozed = snooze_exception(**common, until=now + timedelta(days=7))
    assert (snoozed.is_snoozed(now), snoozed.is_snoozed(now + timedelta(days=7))) == (True, False)
    assert BusinessException.objects.needing_somebody(now).count() == 0
    assert wake_exception(**common).snoozed_until is None
    for until in (now, datetime(9999, 12, 31, tzinfo=UTC)):
        with pytest.raises(UnableToHandle):
            snooze_exception(**common, until=until)
    with pytest.raises(UnableToHandle):
        ignore_exception(**common, reason=" ")
    assert ignore_exception(**common, reason="Internal work").status == "ignored"
    assert books.evaluate(after=timedelta(hours=7)) == 0
    assert standing().status == "ignored"
    assert reopen_exception(**common).status == "open"
    BusinessException.objects.update(status="resolved")
    with pytest.raises(UnableToHandle):
        assign_exception(**common, assignee_id=None)


def test_there_is_an_end_to_rules(books: Books, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.monitoring.services.rules.MOST_RULES", 1)
    add_rule(actor=owner_actor, now=books.now, draft=DRAFT)

    with pytest.raises(UnableToSaveRule, match="There are 1 rules already"):
        add_rule(actor=owner_actor, now=books.now, draft=DRAFT)
