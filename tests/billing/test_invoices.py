"""From usage to an invoice that never changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from pypdf import PdfReader

from apps.billing.models import (
    BillingAccount,
    BillingPeriod,
    Invoice,
    InvoiceDocument,
    InvoiceStatus,
    LegalEntity,
    UsageCharge,
    UsageEvent,
)
from apps.billing.rating import RatedInvoice
from apps.billing.revenue import list_debts
from apps.billing.selectors import list_invoices, preview_invoice, preview_invoices
from apps.billing.services import (
    close_periods,
    deliver_invoice,
    issue_invoice,
    keep_document,
    open_account,
    record_payment,
    subscribe,
    void_invoice,
)
from apps.billing.services.closings import UnableToVoidInvoice
from apps.billing.services.invoices import close_due_periods
from apps.billing.services.issuing import UnableToIssueInvoice
from apps.billing.services.payments import UnableToRecordPayment
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotPermitted
from apps.core.ids import uuid7
from apps.dispatch.models import WorkItem
from apps.notifications.models import OutgoingMail
from tests.billing.conftest import OCTOBER, use
from tests.factories.invoices import draft_invoice

# October in Berlin ends at 23:00 UTC, after the clocks went back.
END = datetime(2026, 10, 31, 23, tzinfo=UTC)
AFTER = END + timedelta(hours=2)
PAID_ON = date(2026, 11, 1)


@pytest.fixture
def issued(october: BillingPeriod, owner_actor: Actor) -> Invoice:
    use(3500, key="run:1")
    return issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))


def test_it_works(issued: Invoice) -> None:
    assert issued.number == "ACME-000001"
    assert issued.status == InvoiceStatus.OPEN
    assert list(issued.lines.order_by("position").values_list("amount", flat=True)) == [49000, 3125]
    assert (issued.subtotal_amount, issued.tax_amount, issued.total_amount) == (52125, 9904, 62029)
    assert (issued.issue_date, issued.due_date) == (date(2026, 11, 1), date(2026, 11, 15))


def test_the_preview_says_what_the_invoice_will_say(october: BillingPeriod, owner_actor: Actor) -> None:
    use(3500, key="run:1")
    preview = preview_invoice(october)

    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))

    assert preview.total_amount == invoice.total_amount == 62029


def test_usage_is_half_open_at_the_end_of_the_month(october: BillingPeriod) -> None:
    use(1001, key="inside", at=END - timedelta(microseconds=1))
    use(500, key="outside", at=END)

    assert preview_invoice(october).lines[1].used_quantity == 1001


def test_usage_counts_once_per_key(october: BillingPeriod) -> None:
    assert use(1200, key="run:1") is True
    assert use(1200, key="run:1") is False

    assert preview_invoice(october).lines[1].used_quantity == 1200


def test_another_customers_usage_is_not_billed(october: BillingPeriod) -> None:
    use(9999, key="other", subject_key="customer:someone-else")

    assert preview_invoice(october).lines[1].used_quantity == 0


def test_late_usage_is_billed_with_the_next_month_and_only_there(issued: Invoice, owner_actor: Actor) -> None:
    use(2000, key="late", at=END - timedelta(hours=1))
    close_periods(period_ids=[str(issued.period_id)], now=AFTER)
    november = BillingPeriod.objects.get(period_start=END)

    assert preview_invoice(november).lines[1].used_quantity == 2000
    assert preview_invoice(issued.period).lines[1].used_quantity == 2000
    assert issued.total_amount == 62029


def test_every_charged_event_leads_to_its_line(issued: Invoice) -> None:
    charge = UsageCharge.objects.get()

    assert charge.line.invoice == issued
    assert charge.line.meter == "records_synced"
    assert charge.usage_event.key == "run:1"


def test_an_event_cannot_be_charged_twice(issued: Invoice) -> None:
    charge = UsageCharge.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        UsageCharge.objects.create(usage_event=charge.usage_event, line=charge.line)


def test_a_running_month_cannot_be_issued(october: BillingPeriod, owner_actor: Actor) -> None:
    draft = draft_invoice(period=october, now=OCTOBER)

    with pytest.raises(UnableToIssueInvoice):
        issue_invoice(actor=owner_actor, now=END - timedelta(seconds=1), invoice=draft)

    assert LegalEntity.objects.get().next_number == 1


def test_issuing_twice_is_refused_and_takes_no_number(issued: Invoice, owner_actor: Actor) -> None:
    with pytest.raises(UnableToIssueInvoice):
        issue_invoice(actor=owner_actor, now=AFTER, invoice=issued)

    assert LegalEntity.objects.get().next_number == 2


def test_a_failure_while_issuing_leaves_no_gap(
    october: BillingPeriod, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_invoice(period=october, now=AFTER)
    monkeypatch.setattr("apps.billing.services.issuing.record_audits", lambda **_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)
    monkeypatch.undo()

    assert issue_invoice(actor=owner_actor, now=AFTER, invoice=draft).number == "ACME-000001"


@pytest.mark.parametrize("change", [{"total_amount": 1}, {"number": "X-1"}, {"status": "draft", "number": None}])
def test_the_database_refuses_to_change_an_issued_invoice(issued: Invoice, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=issued.pk).update(**change)


def test_the_database_refuses_to_change_its_lines(issued: Invoice) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        issued.lines.update(amount=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        issued.lines.all().delete()


def test_usage_events_cannot_be_changed(october: BillingPeriod) -> None:
    use(1200, key="run:1")

    with pytest.raises(IntegrityError), transaction.atomic():
        UsageEvent.objects.update(quantity=1)


def test_the_pdf_says_the_same(issued: Invoice) -> None:
    deliver_invoice(invoice_id=str(issued.pk), now=AFTER)

    issued.refresh_from_db()
    text = " ".join(PdfReader(BytesIO(bytes(issued.document.content))).pages[0].extract_text().split())

    for expected in ("ACME-000001", "Brightwater Ltd", "€490.00", "€31.25", "€620.29", "VAT 19 %", "€99.04"):
        assert expected in text
    assert "Interlace" not in text


def test_the_invoice_is_mailed_once(october: BillingPeriod, account: BillingAccount, owner_actor: Actor) -> None:
    BillingAccount.objects.update(email="books@brightwater.example")

    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))
    item = WorkItem.objects.get(kind="billing.deliver_invoice")
    assert (item.key, item.due_at, OutgoingMail.objects.count()) == (str(invoice.pk), AFTER, 0)
    for _ in range(2):
        deliver_invoice(invoice_id=item.key, now=AFTER)

    assert not WorkItem.objects.filter(kind="billing.deliver_invoice").exists()
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.subject) == (
        "books@brightwater.example", "Invoice ACME-000001: €583.10, due 15 November 2026",
    )  # fmt: skip
    assert f"/invoices/{invoice.pk}/" in mail.text
    assert "October 2026" in mail.text


def test_an_invoice_that_was_voided_meanwhile_is_not_mailed(issued: Invoice, owner_actor: Actor) -> None:
    BillingAccount.objects.update(email="books@brightwater.example")
    void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Wrong customer")

    deliver_invoice(invoice_id=str(issued.pk), now=AFTER)

    assert OutgoingMail.objects.count() == 0
    assert InvoiceDocument.objects.count() == 1


def test_what_was_handed_out_never_changes(
    issued: Invoice, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keep_document(invoice=issued, now=AFTER)
    monkeypatch.setattr("apps.billing.services.deliveries.render_invoice_pdf", lambda _: b"another")

    deliver_invoice(invoice_id=str(issued.pk), now=AFTER)

    assert bytes(InvoiceDocument.objects.get().content) == bytes(first.content)


def test_an_unchanged_draft_is_issued_as_it_stands(october: BillingPeriod, owner_actor: Actor) -> None:
    use(1200, key="run:1")
    draft = draft_invoice(period=october, now=AFTER)
    lines = sorted(draft.lines.values_list("pk", flat=True))

    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    assert sorted(invoice.lines.values_list("pk", flat=True)) == lines


def test_what_came_late_is_in_the_issued_invoice(october: BillingPeriod, owner_actor: Actor) -> None:
    use(1200, key="run:1")
    draft = draft_invoice(period=october, now=AFTER)
    use(2300, key="run:2")

    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    used = invoice.lines.get(meter="records_synced")
    assert (used.quantity, used.amount, invoice.total_amount) == (Decimal(2500), 3125, 62_029)
    assert used.usage_charges.count() == 2


def test_no_usage_arrives_between_rating_and_charging(
    october: BillingPeriod, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_invoice(period=october, now=AFTER)
    table = f"{connection.schema_name}.billing_usageevent"
    refused: list[type[psycopg.Error]] = []

    def rate(periods: list[BillingPeriod]) -> dict[UUID, RatedInvoice]:
        with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as other:
            try:
                other.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE NOWAIT")  # as an insert does
            except psycopg.Error as error:
                refused.append(type(error))
        return preview_invoices(periods)

    monkeypatch.setattr("apps.billing.services.issuing.preview_invoices", rate)
    issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    assert refused == [psycopg.errors.LockNotAvailable]


def test_a_tax_id_given_after_the_draft_counts(october: BillingPeriod, owner_actor: Actor) -> None:
    draft = draft_invoice(period=october, now=AFTER)
    BillingAccount.objects.update(country="FR", tax_id="FR12345678901")

    invoice = issue_invoice(actor=owner_actor, now=AFTER, invoice=draft)

    assert (invoice.tax_amount, invoice.tax_breakdown[0]["category"]) == (0, "AE")
    assert invoice.lines.get(position=1).tax_category == "AE"


def test_closing_a_month_drafts_its_invoice_and_opens_the_next(october: BillingPeriod) -> None:
    [invoice] = close_periods(period_ids=[october.pk], now=AFTER)

    assert (invoice.status, invoice.total_amount) == (InvoiceStatus.DRAFT, 58310)
    assert list(october.subscription.periods.order_by("period_start").values_list("period_start", flat=True)) == [
        datetime(2026, 9, 30, 22, tzinfo=UTC), END,
    ]  # fmt: skip


def test_closing_twice_makes_one_draft(october: BillingPeriod) -> None:
    close_periods(period_ids=[october.pk], now=AFTER)
    again = close_periods(period_ids=[october.pk], now=AFTER)

    assert (again, Invoice.objects.count()) == ([], 1)


def test_months_that_end_together_are_closed_together(october: BillingPeriod, owner_actor: Actor) -> None:
    other = open_account(
        actor=owner_actor, now=OCTOBER, subject_key="customer:2", legal_name="Other GmbH", currency="EUR",
        time_zone="Europe/Berlin", details={"country": "DE"},
    )  # fmt: skip
    version = october.subscription.plan_version
    second = subscribe(actor=owner_actor, now=OCTOBER, account=other, plan_version=version).periods.get()

    early = close_due_periods(period_id=str(october.pk), now=END)
    due = close_due_periods(period_id=str(october.pk), now=AFTER)

    assert [invoice.period_id for invoice in early] == [october.pk]
    assert [(invoice.period_id, invoice.total_amount) for invoice in due] == [(second.pk, 58310)]
    assert list(second.subscription.periods.order_by("period_start").values_list("closed_at", flat=True)) == [
        AFTER,
        None,
    ]


def test_a_payment_in_full_marks_it_paid(issued: Invoice, owner_actor: Actor) -> None:
    pay = lambda amount: record_payment(  # noqa: E731
        actor=owner_actor,
        now=AFTER,
        invoice=issued,
        amount=amount,
        paid_on=PAID_ON,
        method="bank_transfer",
        key=f"form:{amount}",
    )

    pay(20000)
    assert (issued.status, list_debts(owner_actor, PAID_ON)[0].owed) == (InvoiceStatus.OPEN, 42029)
    pay(42029)

    assert (issued.status, issued.paid_at) == (InvoiceStatus.PAID, AFTER)
    assert list_debts(owner_actor, PAID_ON) == []


@pytest.mark.parametrize("amount", [0, -1, 62030])
def test_a_payment_that_does_not_fit_is_refused(issued: Invoice, owner_actor: Actor, amount: int) -> None:
    with pytest.raises(UnableToRecordPayment):
        record_payment(
            actor=owner_actor, now=AFTER, invoice=issued, amount=amount, paid_on=PAID_ON, method="cash", key="form:1"
        )

    assert Invoice.objects.get().paid_amount == 0


def test_a_paid_invoice_cannot_be_voided(issued: Invoice, owner_actor: Actor) -> None:
    record_payment(actor=owner_actor, now=AFTER, invoice=issued, amount=1, paid_on=PAID_ON, method="cash", key="form:1")

    with pytest.raises(UnableToVoidInvoice):
        void_invoice(actor=owner_actor, now=AFTER, invoice=issued, reason="Mistake")


def test_a_customer_sees_its_issued_invoices_only(issued: Invoice, account: BillingAccount) -> None:
    from uuid import UUID

    own = Actor(ActorKind.USER, "u", "U", scope=frozenset({UUID(account.subject_key.split(":")[1])}))
    stranger = Actor(ActorKind.USER, "s", "S", scope=frozenset({uuid7()}))

    assert list(list_invoices(own)) == [issued]
    assert list(list_invoices(stranger)) == []


def test_support_may_not_issue(october: BillingPeriod) -> None:
    support = Actor(ActorKind.USER, "s", "S", frozenset({"customers.view"}), scope=None)

    with pytest.raises(NotPermitted):
        issue_invoice(actor=support, now=AFTER, invoice=draft_invoice(period=october, now=AFTER))
