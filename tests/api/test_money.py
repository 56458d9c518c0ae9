"""Invoices and service level reports for machines: a customer's key sees what was issued to it, and nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.accounts.policies import API_SCOPES, PARTNER_WIDE_SCOPES
from apps.billing.models import Invoice
from apps.billing.services.subscriptions import open_period
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.tenants.models import Partner
from tests.api.conftest import ApiClient, make_key
from tests.factories.invoices import draft_invoice
from tests.factories.world import World, make_world


@pytest.fixture
def harbor(partner: Partner) -> World:
    return make_world("Brightwater")


@pytest.fixture
def stranger(partner: Partner) -> World:
    return make_world("Northwind")


@pytest.fixture
def draft(harbor: World, now: datetime) -> Invoice:
    """November's, which is still running."""
    assert harbor.invoice is not None
    assert harbor.invoice.period is not None
    return draft_invoice(period=open_period(subscription=harbor.invoice.period.subscription, instant=now), now=now)


@pytest.fixture
def own(owner_actor: Actor, now: datetime, harbor: World) -> ApiClient:
    """A key of the customer Brightwater."""
    scopes = sorted(set(API_SCOPES) - PARTNER_WIDE_SCOPES)
    return ApiClient(make_key(owner_actor, now, scopes=scopes, customer_id=harbor.customer.pk)[1])


def invoice_id(world: World) -> str:
    assert world.invoice is not None
    return encode_id("inv", world.invoice.pk)


def report_id(world: World) -> str:
    assert world.report is not None
    return encode_id("slr", world.report.pk)


def euros(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "EUR"}


def test_a_customers_key_lists_what_was_issued_to_it(
    own: ApiClient, harbor: World, stranger: World, draft: Invoice
) -> None:
    response = own.get("/invoices")

    assert response.status_code == 200
    assert [row["id"] for row in response.json()["data"]] == [invoice_id(harbor)]
    assert response.json()["next_cursor"] is None


def test_an_invoice_reads_to_the_cent(own: ApiClient, harbor: World) -> None:
    body = own.get(f"/invoices/{invoice_id(harbor)}").json()

    assert (body["customer"], body["status"]) == (encode_id("cus", harbor.customer.pk), "open")
    assert (body["number"], body["issue_date"], body["due_date"]) == ("ACME-000001", "2026-11-02", "2026-11-16")
    assert [body[name] for name in ("subtotal", "tax", "total", "paid")] == [
        euros(49_050), euros(9_320), euros(58_370), euros(0),
    ]  # fmt: skip
    assert [(row["meter"], row["quantity"], row["unit_amount"], row["amount"]) for row in body["lines"]] == [
        ("", "1.000", "49000.000000", 49_000),
        ("records_synced", "40.000", "1.250000", 50),
    ]


def test_the_pdf_is_the_one_that_was_issued(own: ApiClient, harbor: World) -> None:
    assert harbor.invoice is not None

    response = own.get(f"/invoices/{invoice_id(harbor)}/pdf")

    assert (response.status_code, response["Content-Type"], response.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert response.content == bytes(harbor.invoice.document.content)


@pytest.mark.parametrize("ending", ["", "/pdf"])
def test_a_draft_is_not_there_for_its_customer(own: ApiClient, draft: Invoice, ending: str) -> None:
    assert own.get(f"/invoices/{encode_id('inv', draft.pk)}{ending}").status_code == 404


@pytest.mark.parametrize("ending", ["", "/pdf"])
def test_a_strangers_invoice_is_not_there(own: ApiClient, stranger: World, ending: str) -> None:
    response = own.get(f"/invoices/{invoice_id(stranger)}{ending}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_partners_own_key_sees_drafts_too(api: ApiClient, harbor: World, stranger: World, draft: Invoice) -> None:
    rows = api.get("/invoices").json()["data"]
    pdf = api.get(f"/invoices/{encode_id('inv', draft.pk)}/pdf")

    assert {(row["id"], row["status"], row["number"]) for row in rows} == {
        (invoice_id(harbor), "open", "ACME-000001"),
        (invoice_id(stranger), "open", "ACME-000002"),
        (encode_id("inv", draft.pk), "draft", None),
    }
    assert pdf.status_code == 404


def test_invoices_can_be_cut_to_a_customer(api: ApiClient, harbor: World, stranger: World) -> None:
    rows = api.get("/invoices", customer=encode_id("cus", harbor.customer.pk)).json()["data"]
    refused = api.get("/invoices", customer="nobody")

    assert [row["id"] for row in rows] == [invoice_id(harbor)]
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/customer")


def test_a_customers_key_lists_its_own_months(own: ApiClient, harbor: World, stranger: World) -> None:
    response = own.get("/sla-reports")
    asked = own.get("/sla-reports", customer=encode_id("cus", stranger.customer.pk))

    assert [row["id"] for row in response.json()["data"]] == [report_id(harbor)]
    assert asked.json()["data"] == []


def test_a_month_reads_as_it_was_closed(own: ApiClient, harbor: World) -> None:
    body = own.get(f"/sla-reports/{report_id(harbor)}").json()

    assert (body["customer"], body["policy"]) == (encode_id("cus", harbor.customer.pk), "Gold Brightwater v1")
    assert (body["period_start"], body["period_end"]) == ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")
    runs = len(harbor.flows)
    assert (body["is_met"], body["run_count"], body["failed_run_count"]) == (True, runs, 0)
    assert body["objectives"] == [
        {
            "key": "run_success", "target": "99.5", "achieved": "100.00", "threshold_seconds": 0, "good": runs,
            "total": runs, "budget_left": "100.0", "is_met": True,
        }
    ]  # fmt: skip


def test_a_strangers_month_is_not_there(own: ApiClient, stranger: World) -> None:
    response = own.get(f"/sla-reports/{report_id(stranger)}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_key_without_the_scope_reads_no_money(owner_actor: Actor, now: datetime, harbor: World) -> None:
    key = ApiClient(make_key(owner_actor, now, scopes=["runs.view"])[1])
    paths = ["/invoices", f"/invoices/{invoice_id(harbor)}", f"/invoices/{invoice_id(harbor)}/pdf", "/sla-reports"]

    assert [key.get(path).status_code for path in [*paths, f"/sla-reports/{report_id(harbor)}"]] == [403] * 5


def test_without_a_key_there_is_no_money(harbor: World) -> None:
    paths = ["/invoices", f"/invoices/{invoice_id(harbor)}/pdf", f"/sla-reports/{report_id(harbor)}"]

    assert [ApiClient().get(path).status_code for path in paths] == [401] * 3
