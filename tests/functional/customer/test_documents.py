"""Invoices and reports as documents: the very bytes that were issued, for the customer they were issued to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.billing.models import Invoice, InvoiceDocument
from apps.core import clock
from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn


def test_the_invoice_is_the_one_that_was_issued(harbor: World, browse: SignIn) -> None:
    response = browse(harbor.viewer).get(f"/invoices/{harbor.invoice.pk}/document/")

    assert response.content == bytes(InvoiceDocument.objects.get(invoice=harbor.invoice).content)
    assert response.content.startswith(b"%PDF-")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="invoice-ACME-000001.pdf"'
    assert response["Cache-Control"] == "private, no-store"


def test_the_report_is_a_document(harbor: World, browse: SignIn) -> None:
    response = browse(harbor.viewer).get(f"/reports/{harbor.report.pk}/document/")

    assert response.content.startswith(b"%PDF-")
    assert response["Content-Disposition"] == 'inline; filename="service-levels-2026-10.pdf"'


@pytest.mark.parametrize("kind", ["invoices", "reports"])
def test_nobody_elses(harbor: World, stranger: World, browse: SignIn, kind: str) -> None:
    owned = {"invoices": stranger.invoice, "reports": stranger.report}[kind]
    address = f"/{kind}/{owned.pk}/document/"

    assert browse(harbor.admin).get(address).status_code == 404
    assert Browser().get(address).status_code == 302


def test_every_cent_leads_to_its_usage(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get(f"/invoices/{harbor.invoice.pk}/").content.decode()

    invoice = Invoice.objects.get(pk=harbor.invoice.pk)
    assert (invoice.subtotal_amount, invoice.tax_amount, invoice.total_amount) == (49050, 9320, 58370)
    shown = [text for text in ("€490.50", "€93.20", "€583.70", "1 Oct 2026", "Records kept in step") if text in body]
    assert shown == ["€490.50", "€93.20", "€583.70", "1 Oct 2026", "Records kept in step"]


def test_an_unpaid_invoice_past_its_day_is_overdue(harbor: World, browse: SignIn) -> None:
    assert "Overdue" not in browse(harbor.viewer).get("/invoices/").content.decode()

    # The database lets nobody change an issued invoice's due date: another day has to come instead.
    with clock.moved_clock(datetime(2027, 1, 5, tzinfo=UTC)):
        assert "Overdue" in browse(harbor.viewer).get("/invoices/").content.decode()
