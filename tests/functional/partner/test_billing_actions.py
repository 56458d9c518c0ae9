"""Invoices from draft to paid or void, and the company that issues them: what each button leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.billing.models import BillingPeriod, Invoice, InvoiceStatus, LegalEntity, Payment
from apps.billing.services import record_usage
from apps.billing.services.subscriptions import open_period
from tests.browsing import Browser
from tests.factories.invoices import draft_invoice
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene

NOBODY = UUID(int=7)
OCTOBER = datetime(2026, 10, 6, tzinfo=UTC)
TOTAL = 177_578  # 1490.00 flat + 500 records over the allowance at 0.45 cents, 19 % tax
COMPANY = {
    "name": "Acme Services GmbH", "address": "Hauptstr. 1\r\n10115 Berlin", "country": "AT", "tax_id": "ATU12345678",
    "tax_rate": "20.5", "payment_instructions": "IBAN AT00",
}  # fmt: skip


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


@pytest.fixture
def draft(scene: Scene, now: datetime) -> Invoice:
    """October's: over, and not issued yet."""
    record_usage(
        subject_key=scene.customer.subject_key, meter="records_synced", quantity=Decimal(1500), key="run:october",
        occurred_at=OCTOBER, now=OCTOBER,
    )  # fmt: skip
    return draft_invoice(period=open_period(subscription=scene.subscription, instant=OCTOBER), now=now)


@pytest.fixture
def issued(draft: Invoice, owner: Client) -> Invoice:
    owner.post(address("invoice_issue", draft.pk))
    draft.refresh_from_db()
    return draft


def pay(amount: str, **changes: str) -> dict[str, str]:
    return {
        "form": "pay",
        "amount": amount,
        "paid_on": "2026-11-02",
        "method": "bank_transfer",
        "key": f"form:{amount}",
        **changes,
    }


def told(response: object) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def test_a_draft_becomes_an_invoice(owner: Client, draft: Invoice, now: datetime) -> None:
    response = owner.post(address("invoice_issue", draft.pk), follow=True)

    draft.refresh_from_db()
    assert told(response) == ["The invoice is issued and on its way."]
    assert (draft.number, draft.status, draft.issued_at) == ("AC-000001", InvoiceStatus.OPEN, now)
    assert (draft.issue_date, draft.due_date) == (date(2026, 11, 2), date(2026, 11, 16))
    assert list(draft.lines.order_by("position").values_list("amount", flat=True)) == [149_000, 225]
    assert (draft.subtotal_amount, draft.tax_amount, draft.total_amount) == (149_225, 28_353, TOTAL)
    assert LegalEntity.objects.get().next_number == 2


def test_the_pdf_of_an_invoice_is_the_one_kept(owner: Client, issued: Invoice) -> None:
    response = owner.get(address("invoice_pdf", issued.pk))

    assert (response.status_code, response["Content-Type"], response.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert response["Content-Disposition"] == 'attachment; filename="AC-000001.pdf"'
    assert sha256(response.content).hexdigest() == issued.document.sha256


def test_a_draft_can_be_looked_at_as_pdf(owner: Client, draft: Invoice) -> None:
    response = owner.get(address("invoice_pdf", draft.pk))

    assert (response.status_code, response["Content-Type"], response.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert response["Content-Disposition"] == 'attachment; filename="draft.pdf"'


def test_all_drafts_of_ended_months_are_issued_at_once(
    owner: Client, draft: Invoice, scene: Scene, now: datetime
) -> None:
    running = draft_invoice(period=scene.subscription.periods.get(period_start__month=11), now=now)
    BillingPeriod.objects.filter(pk=draft.period_id).update(closed_at=now)
    assert "Issue 1 draft<" in owner.get(address("invoices")).content.decode()

    response = owner.post(address("invoices_issue"), follow=True)

    assert told(response) == ["1 invoice issued and on the way."]
    draft.refresh_from_db()
    running.refresh_from_db()
    assert (draft.status, draft.number, draft.total_amount) == (InvoiceStatus.OPEN, "AC-000001", TOTAL)
    assert running.status == InvoiceStatus.DRAFT
    assert "Issue 1 draft<" not in owner.get(address("invoices")).content.decode()


def test_an_invoice_is_issued_once(owner: Client, issued: Invoice) -> None:
    response = owner.post(address("invoice_issue", issued.pk), follow=True)

    assert told(response)[-1] == "This invoice was already issued. Reload the page."
    assert LegalEntity.objects.get().next_number == 2


def test_a_running_month_is_not_issued(owner: Client, scene: Scene, now: datetime) -> None:
    running = draft_invoice(period=scene.subscription.periods.get(period_start__month=11), now=now)

    response = owner.post(address("invoice_issue", running.pk), follow=True)

    running.refresh_from_db()
    assert told(response) == ["The month is still running: issue the invoice when it is over."]
    assert (running.status, running.number) == (InvoiceStatus.DRAFT, None)
    assert LegalEntity.objects.get().next_number == 1


def test_the_service_period_ends_on_its_last_day(owner: Client, draft: Invoice) -> None:
    days = owner.get(address("invoice", draft.pk)).context["days"]

    assert days == (date(2026, 10, 1), date(2026, 10, 31))


def test_payments_add_up_to_the_cent(owner: Client, issued: Invoice, now: datetime) -> None:
    page = address("invoice", issued.pk)

    assert owner.post(page, pay("1000.01", reference="Wire 7"))["Location"] == page
    issued.refresh_from_db()
    assert (issued.status, issued.paid_amount, issued.paid_at) == (InvoiceStatus.OPEN, 100_001, None)
    owner.post(page, pay("775.77", method="card"))

    issued.refresh_from_db()
    assert (issued.status, issued.paid_amount, issued.paid_at) == (InvoiceStatus.PAID, TOTAL, now)
    assert list(Payment.objects.order_by("id").values_list("amount", "paid_on", "method", "reference")) == [
        (100_001, date(2026, 11, 2), "bank_transfer", "Wire 7"),
        (77_577, date(2026, 11, 2), "card", ""),
    ]


@pytest.mark.parametrize(
    "amount", ["1775.79", "0", "-5", "10.001", "NaN", "ten", ""],
    ids=["more than owed", "nothing", "negative", "under a cent", "not a number", "a word", "empty"],
)  # fmt: skip
def test_a_payment_that_does_not_fit_is_refused(owner: Client, issued: Invoice, amount: str) -> None:
    response = owner.post(address("invoice", issued.pk), pay(amount))

    issued.refresh_from_db()
    assert response.status_code == 200
    assert list(response.context["pay"].errors) == ["amount"]
    assert (issued.status, issued.paid_amount, Payment.objects.count()) == (InvoiceStatus.OPEN, 0, 0)


def test_the_least_and_the_most_are_told_in_the_invoices_currency(owner: Client, scene: Scene, now: datetime) -> None:
    yen = Invoice.objects.create(
        account=scene.account, legal_entity=scene.account.legal_entity, currency="JPY", number="AC-Y", total_amount=5000,
        status=InvoiceStatus.OPEN, created_at=now, issued_at=now,
    )  # fmt: skip
    page = address("invoice", yen.pk)

    refused = owner.post(page, pay("5001"))
    owner.post(page, pay("4999"))

    yen.refresh_from_db()
    assert refused.context["pay"].errors == {"amount": ["Enter an amount between 1 and 5000 JPY."]}
    assert (yen.paid_amount, yen.status) == (4999, InvoiceStatus.OPEN)


def test_an_open_invoice_is_voided_for_a_reason(owner: Client, issued: Invoice) -> None:
    owner.post(address("invoice", issued.pk), {"form": "void", "reason": "Wrong recipient"})

    issued.refresh_from_db()
    audit = AuditEvent.objects.get(action="billing.invoice.voided")
    assert (issued.status, issued.number) == (InvoiceStatus.VOID, "AC-000001")
    assert (issued.status_reason, issued.owed_amount) == ("Wrong recipient", 0)
    assert (audit.before, audit.after) == ({"status": "open"}, {"status": "void", "reason": "Wrong recipient"})


def test_voiding_takes_a_reason(owner: Client, issued: Invoice) -> None:
    response = owner.post(address("invoice", issued.pk), {"form": "void", "reason": "  "})

    issued.refresh_from_db()
    assert list(response.context["void"].errors) == ["reason"]
    assert issued.status == InvoiceStatus.OPEN


def test_a_form_sent_twice_is_one_payment(owner: Client, issued: Invoice) -> None:
    page = address("invoice", issued.pk)

    answers = [owner.post(page, pay("100.00", key="form:1")) for _ in range(2)]

    issued.refresh_from_db()
    assert [answer["Location"] for answer in answers] == [page, page]
    assert (Payment.objects.count(), issued.paid_amount) == (1, 10_000)


def test_equal_payments_of_two_forms_are_two(owner: Client, issued: Invoice) -> None:
    for _ in range(2):
        shown = owner.get(address("invoice", issued.pk)).context["pay"]
        owner.post(address("invoice", issued.pk), pay("100.00", key=shown["key"].value()))

    issued.refresh_from_db()
    assert (Payment.objects.count(), issued.paid_amount) == (2, 20_000)


def test_a_used_form_records_nothing_else(owner: Client, issued: Invoice) -> None:
    owner.post(address("invoice", issued.pk), pay("100.00", key="form:1"))

    response = owner.post(address("invoice", issued.pk), pay("200.00", key="form:1"))

    assert response.context["pay"].non_field_errors() == [
        "This form has recorded another payment before. Reload the page to enter a new one."
    ]
    assert Payment.objects.get().amount == 10_000


@pytest.mark.parametrize("change", [{"paid_on": "2026-11-03"}, {"key": ""}, {"method": "barter"}])
def test_money_of_tomorrow_of_no_form_or_of_no_kind_is_refused(
    owner: Client, issued: Invoice, change: dict[str, str]
) -> None:
    response = owner.post(address("invoice", issued.pk), pay("100.00", **change))

    assert list(response.context["pay"].errors) == list(change)
    assert Payment.objects.count() == 0


def test_an_invoice_is_written_off_and_paid_after_all(owner: Client, issued: Invoice, now: datetime) -> None:
    page = address("invoice", issued.pk)

    owner.post(page, {"form": "write_off", "reason": "Insolvent"})
    issued.refresh_from_db()
    assert (issued.status, issued.status_reason) == (InvoiceStatus.UNCOLLECTIBLE, "Insolvent")
    assert AuditEvent.objects.get(action="billing.invoice.written_off").after["reason"] == "Insolvent"
    owner.post(page, pay("1775.78"))

    issued.refresh_from_db()
    assert (issued.status, issued.paid_amount, issued.paid_at) == (InvoiceStatus.PAID, TOTAL, now)


def test_what_someone_paid_on_is_not_voided(owner: Client, issued: Invoice) -> None:
    owner.post(address("invoice", issued.pk), pay("1.00"))

    response = owner.post(address("invoice", issued.pk), {"form": "void", "reason": "Mistake"})

    issued.refresh_from_db()
    assert b"Only an open invoice without payments can be voided." in response.content
    assert issued.status == InvoiceStatus.OPEN


def test_a_draft_takes_no_payment(owner: Client, draft: Invoice) -> None:
    response = owner.post(address("invoice", draft.pk), pay("1.00"))

    assert b"Payments can be recorded for open invoices only." in response.content
    assert Payment.objects.count() == 0


def test_an_action_that_is_none_is_not_found(owner: Client, issued: Invoice) -> None:
    assert owner.post(address("invoice", issued.pk), {"form": "delete"}).status_code == 404


def test_the_company_is_changed_for_invoices_to_come(owner: Client, issued: Invoice) -> None:
    response = owner.post(address("legal_entity"), COMPANY)

    entity = LegalEntity.objects.get()
    issued.refresh_from_db()
    assert response["Location"] == address("legal_entity")
    assert (entity.name, entity.country, entity.tax_id) == ("Acme Services GmbH", "AT", "ATU12345678")
    assert (entity.tax_rate, entity.payment_instructions) == (Decimal("20.500"), "IBAN AT00")
    assert (entity.invoice_prefix, entity.next_number) == ("AC-", 2)
    assert (issued.issuer["name"], issued.issuer["country"]) == ("Acme GmbH", "DE")


BAD = {"name": "", "country": "A", "tax_rate": "100.1"}


@pytest.mark.parametrize(("field", "value"), [*BAD.items(), ("tax_rate", "-1"), ("tax_rate", ""), ("country", "4!")])
def test_a_bad_company_is_refused_at_its_field(owner: Client, scene: Scene, field: str, value: str) -> None:
    response = owner.post(address("legal_entity"), {**COMPANY, field: value})

    entity = LegalEntity.objects.get()
    assert list(response.context["form"].errors) == [field]
    assert (entity.name, entity.country, entity.tax_rate) == ("Acme GmbH", "DE", Decimal(19))


def writes(draft: Invoice) -> list[tuple[str, dict[str, str]]]:
    """In an order in which each of them works."""
    return [
        (address("legal_entity"), COMPANY),
        (address("invoice_issue", draft.pk), {}),
        (address("invoice", draft.pk), pay("10.00")),
    ]


def untouched(draft: Invoice) -> bool:
    draft.refresh_from_db()
    entity = LegalEntity.objects.get()
    return (draft.status, Payment.objects.count(), entity.name, entity.next_number) == ("draft", 0, "Acme GmbH", 1)


@pytest.mark.parametrize("role", ["viewer", "engineer", "support"])
def test_who_does_not_handle_money_sees_and_changes_none(sign_in: SignIn, draft: Invoice, role: str) -> None:
    browser = sign_in(role)
    reads = [
        address("billing"),
        address("invoice", draft.pk),
        address("invoice_pdf", draft.pk),
        address("subscriptions"),
    ]

    assert [browser.get(url).status_code for url in reads] == [403] * 4
    assert [browser.post(url, data).status_code for url, data in writes(draft)] == [403] * 3
    assert untouched(draft)


def test_finance_handles_money(sign_in: SignIn, draft: Invoice) -> None:
    browser = sign_in("finance")

    assert [browser.post(url, data).status_code for url, data in writes(draft)] == [302] * 3
    draft.refresh_from_db()
    assert (draft.status, draft.issuer["name"], draft.paid_amount) == ("open", "Acme Services GmbH", 1000)


def test_a_stranger_is_asked_to_sign_in(draft: Invoice) -> None:
    answers = [Browser().post(url, data) for url, data in writes(draft)]

    assert [(answer.status_code, answer["Location"].split("?")[0]) for answer in answers] == [
        (302, reverse("account_login"))
    ] * 3
    assert untouched(draft)


@pytest.mark.parametrize("name", ["invoice", "invoice_pdf", "customer_billing"])
def test_what_is_not_there_is_not_found(owner: Client, scene: Scene, name: str) -> None:
    assert owner.get(address(name, NOBODY)).status_code == 404


@pytest.mark.parametrize("name", ["invoice", "invoice_issue", "customer_billing", "subscription_cancel"])
def test_nothing_is_done_to_what_is_not_there(owner: Client, draft: Invoice, name: str) -> None:
    assert owner.post(address(name, NOBODY), pay("1.00")).status_code == 404
    assert untouched(draft)
