"""The community's Python SDK against our simulator, and its check of our webhook signature."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from quickbooks import QuickBooks
from quickbooks.batch import batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import QuickbooksException
from quickbooks.objects import Customer, Invoice, Payment, SalesItemLine, SalesItemLineDetail
from quickbooks.objects.base import EmailAddress, LinkedTxn, Ref
from quickbooks.objects.payment import PaymentLine

from apps.connectors.vendors.quickbooks import QuickBooksConnector
from sandbox.quickbooks import VENDOR
from sandbox.quickbooks.company import realm_of
from tests.connectors.quickbooks.support import NOW, TOKEN, connect

pytestmark = pytest.mark.contract


@pytest.fixture
def client(server):
    server.control("quickbooks", "sdk").reset()
    connect(server, "sdk")
    found = QuickBooks(company_id=realm_of("sdk"), minorversion=75)
    found.api_url_v3 = f"{server.base_url('quickbooks', 'sdk')}/v3"
    found.session = requests.Session()
    found.session.trust_env = False
    found.session.access_token = TOKEN
    return found


def new_customer(client, name="Initech"):
    customer = Customer()
    customer.DisplayName = name
    customer.PrimaryEmailAddr = EmailAddress()
    customer.PrimaryEmailAddr.Address = "billing@initech.test"
    return customer.save(qb=client)


def new_invoice(client, customer):
    line = SalesItemLine()
    line.Amount = 487.47
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = Ref()
    line.SalesItemLineDetail.ItemRef.value = "1"
    line.SalesItemLineDetail.Qty, line.SalesItemLineDetail.UnitPrice = 3.25, 149.99
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line.append(line)
    return invoice.save(qb=client)


def test_the_sdk_walks_from_customer_to_payment(client):
    customer = new_customer(client)
    invoice = new_invoice(client, customer)
    payment, line = Payment(), PaymentLine()
    line.Amount, link = 487.47, LinkedTxn()
    link.TxnId, link.TxnType = invoice.Id, "Invoice"
    line.LinkedTxn.append(link)
    payment.CustomerRef, payment.TotalAmt = customer.to_ref(), 487.47
    payment.Line.append(line)
    payment.save(qb=client)

    paid = Invoice.get(invoice.Id, qb=client)

    assert (paid.TotalAmt, paid.Balance, paid.CustomerRef.name) == (487.47, 0, "Initech")
    assert Customer.filter(DisplayName="Initech", qb=client)[0].PrimaryEmailAddr.Address == "billing@initech.test"
    assert [c.Id for c in Customer.where("Active = true", order_by="DisplayName", max_results=5, qb=client)] == [
        customer.Id
    ]
    assert Invoice.count(qb=client) == 1


def test_the_sdk_changes_in_batches_and_sees_what_changed(client):
    customers = [new_customer(client, f"Customer {number}") for number in range(3)]
    for customer in customers[:2]:
        customer.CompanyName = "Changed"
    customers[1].SyncToken = "9"

    answer = batch_update(customers[:2], qb=client)
    changes = change_data_capture([Customer, Invoice], datetime.now(UTC) - timedelta(days=1), qb=client)

    assert [item.CompanyName for item in answer.successes] == ["Changed"]
    assert [fault.Error[0].code for fault in answer.faults] == ["5010"]
    assert {item.DisplayName for item in changes.Customer} == {"Customer 0", "Customer 1", "Customer 2"}


def test_the_sdk_voids_and_deletes(client):
    customer = new_customer(client)
    voided, deleted = new_invoice(client, customer), new_invoice(client, customer)

    voided.void(qb=client)
    deleted.delete(qb=client)

    assert Invoice.get(voided.Id, qb=client).TotalAmt == 0
    with pytest.raises(Exception, match="Object Not Found"):
        Invoice.get(deleted.Id, qb=client)


def test_the_sdk_understands_refusals(client):
    new_customer(client)

    with pytest.raises(QuickbooksException) as caught:
        new_customer(client)

    assert caught.value.error_code == 6240


def test_the_sdk_accepts_our_signature_and_we_accept_it(client):
    body = b'{"eventNotifications":[]}'
    headers = VENDOR.webhook_headers(secret="verifier", url="https://p.test/h", body=body, now=NOW)
    client.verifier_token = "verifier"

    assert client.validate_webhook_signature(body.decode(), headers["intuit-signature"])
    given = {"headers": headers, "body": body, "url": "https://p.test/h", "now": NOW}
    assert QuickBooksConnector.verify_webhook(secret="verifier", **given) == []
