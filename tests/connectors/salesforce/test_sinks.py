"""Writing to Salesforce: collections of 200, one mark, no second object, no foreign money."""

from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.errors import RecordRejected, TransientError
from apps.connectors.sdk.types import WriteRequest
from apps.connectors.vendors.salesforce import SalesforceConnector
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.salesforce.support import connect, map_sink

UPSERT = "/services/data/v60.0/composite/sobjects/Opportunity/Sync_Ref__c"
DEAL = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def request(key: str, external_id: str | None = None, **payload: Any) -> WriteRequest:
    return WriteRequest(key=key, payload=payload, external_id=external_id)


def patches(control: AccountControl) -> list[int]:
    return [len(r["body"]["records"]) for r in control.requests() if r["method"] == "PATCH"]


def test_201_creates_cost_two_collections(connector: SalesforceConnector, control: AccountControl) -> None:
    results = connector.sink("accounts").write([request(f"k{n}", Name=f"A{n}") for n in range(201)])

    assert [result.error for result in results] == [None] * 201
    assert patches(control) == [200, 1]
    assert {row["Sync_Ref__c"]: row["Name"] for row in control.objects("Account")} == {
        f"k{n}": f"A{n}" for n in range(201)
    }


def test_each_record_of_a_collection_has_its_own_fate(connector: SalesforceConnector, control: AccountControl) -> None:
    good, locked, gone = (row["Id"] for row in control.create("Opportunity", [DEAL, DEAL, DEAL]))
    control.delete("Opportunity", gone)
    control.settings(locked=[locked])

    results = connector.sink("opportunities").write(
        [
            request("k1", good, Payment_Status__c="paid"),
            request("k2", locked, Payment_Status__c="paid"),
            request("k3", gone, Payment_Status__c="paid"),
            request("k4", good, Invoice_Number__c="x" * 81),
        ]
    )

    assert results[0].record is not None
    assert results[0].record.data["Payment_Status__c"] == "paid"
    errors = [(type(r.error), getattr(r.error, "code", "")) for r in results[1:]]
    assert errors == [
        (TransientError, "UNABLE_TO_LOCK_ROW"),
        (RecordRejected, "ENTITY_IS_DELETED"),
        (RecordRejected, "STRING_TOO_LONG"),
    ]


def test_an_upsert_repeated_after_a_lost_answer_makes_no_second_deal(
    connector: SalesforceConnector, control: AccountControl
) -> None:
    person = control.create("Contact", {"LastName": "Lee"})["Id"]
    sink = connector.sink("opportunities")
    batch = [request(f"k{n}", **DEAL, initial_ContactId=person) for n in range(3)]
    control.fault("timeout_after_commit", method="PATCH", path_prefix=UPSERT)

    with pytest.raises(TransientError):
        sink.write(batch)
    found = sink.resolve("k1")
    # Now each upsert is an update, for which Salesforce refuses the contact.
    again = sink.write(batch)

    assert found is not None
    assert [result.error for result in again] == [None, None, None]
    assert again[1].record is not None
    assert again[1].record.external_id == found.external_id
    assert len(control.objects("Opportunity")) == 3


def test_attributes_come_first(connector: SalesforceConnector, control: AccountControl) -> None:
    connector.sink("accounts").write([request("k1", Name="A")])

    (sent,) = (r["body"] for r in control.requests() if r["method"] == "PATCH")
    assert sent == {
        "allOrNone": False,
        "records": [{"attributes": {"type": "Account"}, "Sync_Ref__c": "k1", "Name": "A"}],
    }
    assert next(iter(sent["records"][0])) == "attributes"


def test_null_leaves_a_value_and_empty_text_clears_it(connector: SalesforceConnector, control: AccountControl) -> None:
    made = control.create("Account", {"Name": "A", "Phone": "1", "Website": "w.example"})["Id"]

    connector.sink("accounts").write([request("k1", made, Name="B", Phone=None, Website="")])

    (held,) = control.objects("Account")
    assert (held["Name"], held["Phone"], held["Website"]) == ("B", "1", None)


def test_an_org_of_one_currency_takes_no_other(connector: SalesforceConnector, control: AccountControl) -> None:
    results = connector.sink("opportunities").write(
        [
            request("k1", **DEAL, Amount=10.0, CurrencyIsoCode="USD"),
            request("k2", **DEAL, Amount=10.0, CurrencyIsoCode="EUR"),
        ]
    )

    assert isinstance(results[0].error, RecordRejected)
    assert results[0].error.message == "this Salesforce org keeps EUR, not USD"
    assert results[1].error is None
    assert [row["Sync_Ref__c"] for row in control.objects("Opportunity")] == ["k2"]


def test_payments_in_another_currency_are_refused(connector: SalesforceConnector, control: AccountControl) -> None:
    made = control.create("Opportunity", DEAL)["Id"]

    results = connector.sink("opportunities").write(
        [
            request("k1", made, Paid_Amount__c=10.0, payment_currency="USD"),
            request("k2", made, Invoiced_Amount__c=20.0, payment_currency="EUR"),
        ]
    )

    assert isinstance(results[0].error, RecordRejected)
    assert results[0].error.message == "this Salesforce org keeps EUR, not USD"
    assert results[1].error is None
    (held,) = control.objects("Opportunity")
    assert (held.get("Paid_Amount__c"), held["Invoiced_Amount__c"]) == (None, 20.0)


def test_payments_must_be_in_the_opportunitys_currency(
    sandbox: RunningSandbox, account: str, control: AccountControl
) -> None:
    control.settings(currencies=["EUR", "USD"])
    values = {**DEAL, "Amount": 10.0, "CurrencyIsoCode": "USD", "Paid_Amount__c": 10.0, "payment_currency": "EUR"}

    (result,) = connect(sandbox, account, currency="").sink("opportunities").write([request("k1", **values)])

    assert isinstance(result.error, RecordRejected)
    assert result.error.message == "this Salesforce opportunity keeps USD, not EUR"


def test_an_org_of_several_currencies_is_told(sandbox: RunningSandbox, account: str, control: AccountControl) -> None:
    control.settings(currencies=["EUR", "USD"])
    connector = connect(sandbox, account, currency="")

    (result,) = connector.sink("opportunities").write([request("k1", **DEAL, Amount=10.0, CurrencyIsoCode="USD")])

    assert result.error is None
    assert control.objects("Opportunity")[0]["CurrencyIsoCode"] == "USD"


def test_the_owner_keeps_the_stage_of_an_open_deal(connector: SalesforceConnector, control: AccountControl) -> None:
    open_deal = map_sink("opportunities", {"name": "D", "stage": "open", "close_date": "2026-12-31"}, {})
    sink = connector.sink("opportunities")
    (made,) = sink.write([request("k1", **open_deal)])
    assert made.record is not None
    assert made.record.data["StageName"] == "Prospecting"
    control.update("Opportunity", made.record.external_id, {"StageName": "Negotiation"})

    (changed,) = sink.write([request("k2", made.record.external_id, **open_deal)])
    (won,) = sink.write([request("k3", made.record.external_id, StageName="Closed Won")])

    assert changed.record is not None
    assert changed.record.data["StageName"] == "Negotiation"
    assert won.record is not None
    assert won.record.data["IsWon"] is True


def test_the_mapping_writes_payment_facts() -> None:
    record = {
        "name": "Roll-out",
        "stage": "won",
        "amount": {"amount": 125050, "currency": "EUR"},
        "close_date": "2026-12-31",
        "payment_status": "part_paid",
        "invoice_number": "INV-7",
        "invoiced_amount": {"amount": 100000, "currency": "EUR"},
    }

    assert map_sink("opportunities", record, {"account": "001", "contact": None}) == {
        "Name": "Roll-out",
        "Amount": 1250.5,
        "CurrencyIsoCode": "EUR",
        "CloseDate": "2026-12-31",
        "StageName": "Closed Won",
        "initial_StageName": "Prospecting",
        "AccountId": "001",
        "initial_ContactId": None,
        "payment_currency": "EUR",
        "Payment_Status__c": "part_paid",
        "Invoice_Number__c": "INV-7",
        "Invoiced_Amount__c": 1000,
        "Paid_Amount__c": None,
    }
