"""Xero's own Python SDK against our simulator, and its webhook signature computed by other means."""

from __future__ import annotations

import base64
import time
from datetime import date
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from xero_python.accounting import (
    Account,
    AccountingApi,
    Contact,
    Contacts,
    CurrencyCode,
    Invoice,
    Invoices,
    LineItem,
    Payment,
    Payments,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import AccountingBadRequestException
from xero_python.identity import IdentityApi

from apps.connectors.vendors.xero import XeroConnector
from sandbox.xero import VENDOR
from tests.connectors.xero.support import NOW, TOKEN, connect

pytestmark = pytest.mark.contract


@pytest.fixture
def base_url(server):
    server.control("xero", "sdk").reset()
    connect(server, "sdk")
    return server.base_url("xero", "sdk")


@pytest.fixture
def api_client():
    client = ApiClient(Configuration(oauth2_token=OAuth2Token(client_id="app-1", client_secret="app-secret-1")))
    token = {
        "access_token": TOKEN,
        "expires_in": 1800,
        "expires_at": time.time() + 1800,
        "token_type": "Bearer",
        "scope": ["accounting.transactions"],
        "refresh_token": "r",
        "id_token": "i",
    }
    client.oauth2_token_getter(lambda: token)
    client.oauth2_token_saver(lambda value: None)
    return client


@pytest.fixture
def accounting(api_client, base_url):
    return AccountingApi(api_client, base_url=f"{base_url}/api.xro/2.0")


@pytest.fixture
def tenant(api_client, base_url):
    connections = IdentityApi(api_client, base_url=base_url).get_connections()
    return connections[0].tenant_id


def test_the_sdk_walks_from_contact_to_payment(accounting, tenant):
    contact = accounting.create_contacts(tenant, Contacts(contacts=[Contact(name="Initech")])).contacts[0]
    line = LineItem(description="Consulting", quantity=3.25, unit_amount=149.99, account_code="200")
    invoice = Invoice(
        type="ACCREC",
        contact=Contact(contact_id=contact.contact_id),
        line_items=[line],
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
        status="AUTHORISED",
        currency_code=CurrencyCode.EUR,
    )
    created = accounting.create_invoices(tenant, Invoices(invoices=[invoice]), idempotency_key="k-1").invoices[0]
    payment = Payment(
        invoice=Invoice(invoice_id=created.invoice_id),
        account=Account(code="090"),
        amount=584.96,
        date=date(2026, 11, 21),
    )
    accounting.create_payments(tenant, Payments(payments=[payment]))

    paid = accounting.get_invoice(tenant, created.invoice_id).invoices[0]
    assert (paid.status, paid.invoice_number) == ("PAID", "INV-0001")
    assert (paid.total, paid.amount_paid, paid.amount_due) == (Decimal("584.96"), Decimal("584.96"), Decimal(0))
    assert (paid.date, paid.due_date, paid.fully_paid_on_date) == (
        date(2026, 11, 20),
        date(2026, 12, 20),
        date(2026, 11, 21),
    )
    assert paid.updated_date_utc is not None
    assert paid.payments[0].amount == Decimal("584.96")


def test_the_sdk_reads_every_list(accounting, tenant, server):
    contact = accounting.create_contacts(tenant, Contacts(contacts=[Contact(name="Initech")])).contacts[0]

    assert [c.contact_id for c in accounting.get_contacts(tenant, page=1).contacts] == [contact.contact_id]
    assert accounting.get_invoices(tenant, where='Type=="ACCREC"', page=1).invoices == []
    assert accounting.get_payments(tenant).payments == []
    assert accounting.get_organisations(tenant).organisations[0].organisation_id == tenant
    assert "200" in {account.code for account in accounting.get_accounts(tenant).accounts}
    assert "OUTPUT" in {rate.tax_type for rate in accounting.get_tax_rates(tenant).tax_rates}


def test_the_sdk_understands_refusals(accounting, tenant):
    with pytest.raises(AccountingBadRequestException) as caught:
        accounting.create_contacts(tenant, Contacts(contacts=[Contact(name="")]))

    assert caught.value.reason == "Contact name cannot be empty"


def test_the_webhook_signature_is_what_xero_documents():
    """Base64 of HMAC-SHA256 over the raw body with the app's webhook key; computed here by another library."""
    body = b'{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"ABCDEFGHIJ"}'
    mac = HMAC(b"webhook-key", hashes.SHA256())
    mac.update(body)
    signature = base64.b64encode(mac.finalize()).decode()

    sent = VENDOR.webhook_headers(secret="webhook-key", url="https://p.test/h", body=body, now=NOW)

    assert sent == {"x-xero-signature": signature}
    verify = {"secret": "webhook-key", "body": body, "url": "https://p.test/h", "now": NOW}
    assert XeroConnector.verify_webhook(headers=sent, **verify) == []
