"""What every partner is told without having written anything: each rule opens when it should, and not otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.canonical.models import CrossReference
from apps.core.money import Money
from apps.flows.models import Integration, IntegrationStatus, IntegrationTemplate, IntegrationTemplateVersion
from apps.monitoring.library import SHIPPED, unsaved
from apps.monitoring.models import BusinessException
from apps.monitoring.services import draft_of
from apps.monitoring.services.rules import check_draft
from apps.monitoring.time_value import value_time
from tests.factories.delivery import make_connection, make_flow, make_run
from tests.functional.partner.scene import make_failure
from tests.monitoring.conftest import Books, eur


def test_every_shipped_rule_can_be_carried_out() -> None:
    assert len(SHIPPED) == 9
    for spec in SHIPPED:
        check_draft(draft_of(unsaved(spec)))


def rate(books: Books, *, into: str = "invoice", default: int = 10000) -> None:
    """What counts time: everybody costs 100.00 an hour, Ann 150.00."""
    template = IntegrationTemplate.objects.create(key=f"rated-{into}", name="Rated")
    version = IntegrationTemplateVersion.objects.create(
        template=template, number="1.0.0", definition={"flows": [{"aggregate": [{"key": "time", "into": into}]}]},
        released_at=books.now,
    )  # fmt: skip
    settings = {"default_rate": eur(default), "rate_card": "ann@brightwater.example = 150"}
    Integration.objects.create(
        customer=books.customer, environment=books.environment, template_version=version, name="Rated",
        status=IntegrationStatus.LIVE, created_at=books.now, live_at=books.now, settings=settings,
    )  # fmt: skip


def entry(books: Books, day: str, **data: object) -> object:
    fields = {"status": "approved", "billable": True, "duration_seconds": 5400, "work_date": day, **data}
    return books.record("time_entry", **fields)


def test_approved_time_not_invoiced(books: Books) -> None:
    rate(books)
    books.only("approved-time-not-invoiced")
    invoice = books.record("invoice", status="open", currency="EUR", total=eur(1))
    late = entry(books, "2026-10-19", name="late")
    entry(books, "2026-10-20", name="not yet late")
    entry(books, "2026-10-01", name="free", billable=False)
    entry(books, "2026-10-01", name="draft", status="draft")
    billed = entry(books, "2026-10-01", name="billed")
    books.link(billed, "invoice", invoice)  # type: ignore[arg-type]
    ann = books.record("resource", name="Ann", status="active", email="Ann@brightwater.example")
    books.link(late, "resource", ann)  # type: ignore[arg-type]

    books.evaluate()

    assert books.open_titles("approved-time-not-invoiced") == ["late"]
    found = BusinessException.objects.get()
    assert found.stake == Money(22500, "EUR")
    assert found.since == datetime.fromisoformat("2026-10-19T00:00:00Z")
    books.link(late, "invoice", invoice)  # type: ignore[arg-type]
    books.evaluate()
    found.refresh_from_db()
    assert (found.status, found.resolved_at) == ("resolved", books.now)


def test_time_is_no_matter_where_nothing_is_invoiced(books: Books) -> None:
    books.only("approved-time-not-invoiced")
    entry(books, "2026-10-01")

    assert books.evaluate() == 0


def test_won_opportunity_without_project(books: Books) -> None:
    books.only("won-opportunity-without-project")
    books.record("opportunity", name="lost sight of", stage="won", amount=eur(500000), days_ago=3)
    books.record("opportunity", name="fresh", stage="won", days_ago=1)
    books.record("opportunity", name="open", stage="open")
    reopened = books.record("opportunity", name="won yesterday, known for long", stage="open")
    books.change(reopened, stage="won")
    served = books.record("opportunity", name="served", stage="won")
    books.link(books.record("project", name="P", status="open"), "opportunity", served)

    books.evaluate()

    assert books.open_titles("won-opportunity-without-project") == ["lost sight of"]
    assert BusinessException.objects.get().stake == Money(500000, "EUR")
    assert books.evaluate(after=timedelta(days=3)) == 2


def test_a_project_that_no_system_took_is_none(books: Books) -> None:
    """We know what it will be, and it stands on the error desk; somebody still waits for it."""
    books.only("won-opportunity-without-project")
    won = books.record("opportunity", name="refused", stage="won")
    project = books.record("project", name="P", status="open")
    books.link(project, "opportunity", won)
    known = CrossReference.objects.get(record=project)
    known.delete()
    assert books.evaluate() == 0

    flow = make_flow(books.customer)
    failure = make_failure(
        make_run(flow), make_connection(books.customer, "tryton"), books.now, 1, record_id=project.pk
    )  # fmt: skip
    assert books.evaluate(after=timedelta(hours=7)) == 1
    assert books.open_titles("won-opportunity-without-project") == ["refused"]

    known.save(force_insert=True)
    books.evaluate(after=timedelta(hours=8))
    assert books.open_titles("won-opportunity-without-project") == []
    assert failure.status == "open"


def test_project_without_contract(books: Books) -> None:
    books.only("project-without-contract")
    bare = books.record("project", name="bare", status="open", budget=eur(700))
    books.record("project", name="over", status="closed")
    assert books.evaluate() == 0  # no contracts are kept in any system

    covered = books.record("project", name="covered", status="open")
    deal = books.record("opportunity", name="deal", stage="won")
    sold = books.record("project", name="covered by its deal's", status="planned")
    books.link(sold, "opportunity", deal)
    books.link(books.record("contract", name="C1", status="active"), "project", covered)
    books.link(books.record("contract", name="C2", status="active"), "opportunity", deal)
    books.evaluate(after=timedelta(hours=6))

    assert books.open_titles("project-without-contract") == ["bare"]
    found = BusinessException.objects.get()
    assert (found.stake, found.rule.solver) == (Money(700, "EUR"), "customer")
    books.link(books.record("contract", name="C3", status="active"), "project", bare)
    books.evaluate(after=timedelta(hours=7))
    assert books.open_titles("project-without-contract") == []


def test_milestone_done_but_not_billed(books: Books) -> None:
    books.only("milestone-done-not-billed")
    invoice = books.record("invoice", status="open", currency="EUR", total=eur(1))
    books.record("milestone", name="due", status="done", completed_date="2026-10-20", amount=eur(900))
    books.record("milestone", name="just done", status="done", completed_date="2026-10-30")
    books.record("milestone", name="open", status="open", completed_date="2026-10-01")
    books.record("milestone", name="undated", status="done")
    billed = books.record("milestone", name="billed", status="done", completed_date="2026-10-01")
    books.link(billed, "invoice", invoice)
    planned = books.record("milestone", name="billed by schedule", status="done", completed_date="2026-10-01")
    schedule = books.record("invoice_schedule", name="S", status="invoiced")
    books.link(schedule, "milestone", planned)
    books.link(schedule, "invoice", invoice)

    books.evaluate()

    assert books.open_titles("milestone-done-not-billed") == ["due"]


def test_paid_invoice_not_shown_in_the_crm(books: Books) -> None:
    books.only("paid-invoice-not-in-crm")
    deal = books.record("opportunity", name="deal", stage="won", payment_status="invoiced")
    project = books.record("project", name="P", status="open")
    books.link(project, "opportunity", deal)
    invoice = books.record("invoice", name="INV-1", status="paid", currency="EUR", total=eur(1200), days_ago=2)
    books.link(invoice, "project", project)
    books.record("invoice", name="of no deal", status="paid", currency="EUR", total=eur(1200), days_ago=2)
    # We know better; the CRM does not show it yet.
    books.change(deal, payment_status="paid")

    books.evaluate()

    assert books.open_titles("paid-invoice-not-in-crm") == ["INV-1"]
    CrossReference.objects.filter(record=deal).update(seen={"payment_status": "paid"})
    books.evaluate()
    assert books.open_titles("paid-invoice-not-in-crm") == []


def test_invoice_differs_from_time_and_rate(books: Books) -> None:
    rate(books)
    books.only("invoice-differs-from-time")
    entries = [entry(books, "2026-10-19"), entry(books, "2026-10-20", duration_seconds=1800)]
    task = books.record("task", name="T", status="open")
    invoice = books.record(
        "invoice", name="INV-1", status="open", currency="EUR", subtotal=eur(20000), total=eur(23800)
    )
    other = books.record("invoice", name="without time", status="open", currency="EUR", total=eur(1))
    for one in entries:
        books.link(one, "invoice", invoice)  # type: ignore[arg-type]
        books.link(one, "task", task)  # type: ignore[arg-type]
    books.evaluate()
    assert books.open_titles("invoice-differs-from-time") == []

    books.change(entries[0], duration_seconds=9000)  # type: ignore[arg-type]
    books.evaluate()

    assert books.open_titles("invoice-differs-from-time") == ["INV-1"]
    assert BusinessException.objects.get().stake == Money(10000, "EUR")
    assert str(other) not in books.open_titles("invoice-differs-from-time")
    books.change(invoice, status="void")
    books.evaluate()
    assert books.open_titles("invoice-differs-from-time") == []


def test_deleted_time_is_not_what_an_invoice_comes_to(books: Books) -> None:
    rate(books)
    books.only("invoice-differs-from-time")
    invoice = books.record("invoice", name="INV-1", status="open", currency="EUR", total=eur(30000))
    kept, deleted = entry(books, "2026-10-19"), entry(books, "2026-10-20")
    for one in (kept, deleted):
        books.link(one, "invoice", invoice)  # type: ignore[arg-type]
    assert books.evaluate() == 0

    CrossReference.objects.filter(record=deleted).update(deleted_at=books.now)

    assert books.evaluate(after=timedelta(hours=7)) == 1
    assert BusinessException.objects.get().stake == Money(15000, "EUR")


def test_time_is_worth_what_is_charged_and_not_what_a_draft_would_charge(books: Books) -> None:
    rate(books)
    live = Integration.objects.get()
    Integration.objects.create(
        customer=books.customer, environment=books.environment, template_version=live.template_version, name="Planned",
        status=IntegrationStatus.DRAFT, created_at=books.now, settings={"default_rate": eur(100)},
    )  # fmt: skip
    books.only("invoice-differs-from-time")
    invoice = books.record("invoice", name="INV-1", status="open", currency="EUR", total=eur(15000))
    books.link(entry(books, "2026-10-19"), "invoice", invoice)  # type: ignore[arg-type]

    assert books.evaluate() == 0


def test_revenue_differs_from_time_and_the_rates_it_is_valued_at(books: Books) -> None:
    rate(books)
    rate(books, into="revenue", default=8000)
    books.only("revenue-differs-from-time", "invoice-differs-from-time")
    worked = entry(books, "2026-10-19")
    invoice = books.record("invoice", name="INV-1", status="open", currency="EUR", total=eur(15000))
    revenue = books.record("revenue", name="REV-1", status="recognizable", currency="EUR", total=eur(12000))
    books.record("revenue", name="of milestones", status="recognizable", currency="EUR", total=eur(1))
    books.link(worked, "invoice", invoice)  # type: ignore[arg-type]
    books.link(worked, "revenue", revenue)  # type: ignore[arg-type]
    assert books.evaluate() == 0

    books.change(worked, duration_seconds=3600)  # type: ignore[arg-type]
    books.evaluate()

    found = {one.title: one.stake for one in BusinessException.objects.all()}
    assert found == {"INV-1": Money(5000, "EUR"), "REV-1": Money(4000, "EUR")}


def test_time_is_valued_at_the_rates_of_what_is_live(books: Books) -> None:
    """Another one that is being set up, paused or retired has other rates, and may have come later."""
    rate(books)
    own = Integration.objects.get()
    worked, later = entry(books, "2026-10-19"), books.now + timedelta(days=1)
    for status, live_at in (("draft", None), ("paused", later), ("retired", later)):
        Integration.objects.create(
            customer=books.customer, environment=books.environment, template_version=own.template_version, name=status,
            status=status, created_at=books.now, live_at=live_at, settings={"default_rate": eur(700)},
        )  # fmt: skip

    assert value_time(books.environment, "time_entry", [worked.pk])[worked.pk].money == eur(15000)  # type: ignore[attr-defined]


def test_one_entry_of_an_age_of_hours_does_not_end_the_look_at_others(books: Books) -> None:
    rate(books, default=10**15)
    books.only("approved-time-not-invoiced")
    books.record("invoice", status="open", currency="EUR", total=eur(1))
    entry(books, "2026-10-01", name="an age", duration_seconds=2**62)
    entry(books, "2026-10-01", name="an hour", duration_seconds=3600)

    books.evaluate()

    found = {one.title: one.stake for one in BusinessException.objects.all()}
    assert found == {"an age": None, "an hour": Money(10**15, "EUR")}


def test_milestone_billed_but_not_done(books: Books) -> None:
    books.only("milestone-billed-not-done")
    invoice = books.record("invoice", status="open", currency="EUR", total=eur(90000))
    milestone = books.record("milestone", name="Go-live", status="done", amount=eur(90000))
    books.record("milestone", name="ahead", status="open", amount=eur(100))
    books.link(milestone, "invoice", invoice)
    assert books.evaluate() == 0

    books.change(milestone, status="open")
    books.evaluate()

    assert books.open_titles("milestone-billed-not-done") == ["Go-live"]
    assert BusinessException.objects.get().stake == Money(90000, "EUR")
    books.change(invoice, status="void")
    books.evaluate()
    assert books.open_titles("milestone-billed-not-done") == []


def test_revenue_of_a_milestone_that_was_reopened(books: Books) -> None:
    books.only("revenue-of-open-milestone")
    revenue = books.record("revenue", name="REV-1", status="recognizable", currency="EUR", total=eur(90000))
    milestone = books.record("milestone", name="Go-live", status="done", amount=eur(90000))
    books.record("milestone", name="ahead", status="open")
    books.link(milestone, "revenue", revenue)
    assert books.evaluate() == 0

    books.change(milestone, status="open")
    books.evaluate()
    assert books.open_titles("revenue-of-open-milestone") == ["Go-live"]

    books.change(milestone, status="done")
    books.evaluate()
    assert books.open_titles("revenue-of-open-milestone") == []
