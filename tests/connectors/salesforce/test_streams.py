"""Reading Salesforce where it is treacherous: whole seconds, short batches, the recycle bin, what an org lacks."""

from __future__ import annotations

from typing import Any

import pytest

from apps.connectors.sdk.errors import ConfigurationError, FatalError, RateLimited
from apps.connectors.sdk.types import Page
from apps.connectors.vendors.salesforce import SalesforceConnector
from apps.connectors.vendors.salesforce.streams import domain_of, quoted
from sandbox.testing import AccountControl, RunningSandbox
from tests.connectors.salesforce.support import connect, map_refs, map_source


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


def read(connector: SalesforceConnector, stream: str, **options: Any) -> list[Page]:
    return list(connector.stream(stream).read(**{"checkpoint": None, **options}))


def add_accounts(control: AccountControl, count: int) -> list[str]:
    return [entry["Id"] for entry in control.create("Account", [{"Name": f"A{n}"} for n in range(count)])]


def test_many_rows_of_one_second_are_all_read_once(connector: SalesforceConnector, control: AccountControl) -> None:
    made = add_accounts(control, 45)
    assert len({row["SystemModstamp"] for row in control.objects("Account")}) < 5

    pages = read(connector, "accounts", page_size=4)

    assert sorted(ids(pages)) == sorted(made)
    assert [page.checkpoint["complete"] for page in pages] == [False] * 11 + [True]


def test_a_dead_process_goes_on_inside_a_second(connector: SalesforceConnector, control: AccountControl) -> None:
    made = add_accounts(control, 10)

    seen, checkpoint = [], None
    for _ in range(4):
        page = next(iter(connector.stream("accounts").read(checkpoint=checkpoint, page_size=3)))
        seen += [record.external_id for record in page.records]
        checkpoint = page.checkpoint

    assert sorted(seen) == sorted(made)
    assert checkpoint is not None
    assert checkpoint["complete"] is True


def test_batches_shorter_than_asked_for_are_followed(connector: SalesforceConnector, control: AccountControl) -> None:
    made = add_accounts(control, 7)
    control.settings(batch_size=2)

    (page,) = read(connector, "accounts", page_size=100)

    assert sorted(ids([page])) == sorted(made)
    paths = [r["path"] for r in control.requests() if "/query" in r["path"]]
    assert [path.rpartition("-")[2] for path in paths[1:]] == ["2", "4", "6"]


def test_an_answer_out_of_order_stops_the_read(connector: SalesforceConnector, control: AccountControl) -> None:
    for day in (3, 1, 2):
        control.clock(f"2026-01-0{day}T00:00:00Z")
        add_accounts(control, 1)
    control.settings(query_ignores_order=True)

    with pytest.raises(FatalError, match="unsorted"):
        read(connector, "accounts")


def test_an_edit_under_way_hides_no_other_row(connector: SalesforceConnector, control: AccountControl) -> None:
    control.clock("2026-01-01T00:00:00Z")
    made = add_accounts(control, 9)

    pages = connector.stream("accounts").read(checkpoint=None, page_size=4)
    found = [next(pages)]
    control.clock("2026-01-02T00:00:00Z")
    control.update("Account", made[0], {"Name": "edited"})
    found += list(pages)

    assert set(ids(found)) == set(made)
    assert found[-1].records[-1].data["Name"] == "edited"


def test_a_transaction_that_shows_late_is_read_by_the_next_pass(
    connector: SalesforceConnector, control: AccountControl
) -> None:
    control.clock("2026-11-01T12:00:00Z")
    add_accounts(control, 1)
    (page,) = read(connector, "accounts")
    # Stamped four minutes before the newest row of the last pass, and visible only now.
    control.clock("2026-11-01T11:56:00Z")
    (late,) = add_accounts(control, 1)

    assert late in ids(read(connector, "accounts", checkpoint=page.checkpoint))


def test_a_delete_is_read_as_a_change(connector: SalesforceConnector, control: AccountControl) -> None:
    gone, kept = add_accounts(control, 2)
    (page,) = read(connector, "accounts")

    control.delete("Account", gone)
    (second,) = read(connector, "accounts", checkpoint=page.checkpoint)

    assert {record.external_id: record.deleted for record in second.records} == {gone: True, kept: False}
    assert connector.stream("accounts").get(gone) is None


def test_a_quiet_org_costs_one_query_per_pass(connector: SalesforceConnector, control: AccountControl) -> None:
    add_accounts(control, 3)
    (page,) = read(connector, "accounts")
    control.clear_requests()

    read(connector, "accounts", checkpoint=page.checkpoint)

    assert [r["path"] for r in control.requests()] == ["/services/data/v60.0/queryAll"]


def test_an_opportunity_is_mapped_whole(connector: SalesforceConnector, control: AccountControl) -> None:
    owner = control.create("User", {"LastName": "Ann", "Email": "ann@acme.test"})["Id"]
    (company,) = add_accounts(control, 1)
    person = control.create("Contact", {"LastName": "Lee", "AccountId": company})["Id"]
    values = {
        "Name": "Roll-out", "Amount": 1250.5, "StageName": "Closed Won", "CloseDate": "2026-12-31", "OwnerId": owner,
        "AccountId": company, "ContactId": person, "Payment_Status__c": "Something else",
    }  # fmt: skip
    made = control.create("Opportunity", values)["Id"]

    record = connector.stream("opportunities").get(made)

    assert record is not None
    assert map_source("opportunities", record.data) == {
        "name": "Roll-out",
        "stage": "won",
        "amount": {"amount": 125050, "currency": "EUR"},
        "close_date": "2026-12-31",
        "owner_email": "ann@acme.test",
        "payment_status": "none",
        "invoice_number": None,
        "invoiced_amount": None,
        "paid_amount": None,
    }
    assert map_refs("opportunities", record.data) == {"account": company, "contact": person}
    assert record.url.endswith(f"/{made}")


@pytest.mark.parametrize(
    ("stage", "expected"), [("Prospecting", "open"), ("Closed Won", "won"), ("Closed Lost", "lost")]
)
def test_stages(connector: SalesforceConnector, control: AccountControl, stage: str, expected: str) -> None:
    made = control.create("Opportunity", {"Name": "D", "StageName": stage, "CloseDate": "2026-12-31"})["Id"]
    record = connector.stream("opportunities").get(made)

    assert record is not None
    assert map_source("opportunities", record.data)["stage"] == expected


def test_a_quote_carries_its_lines(connector: SalesforceConnector, control: AccountControl) -> None:
    (company,) = add_accounts(control, 1)
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31", "AccountId": company}
    opportunity = control.create("Opportunity", deal)["Id"]
    control.clock("2026-11-20T09:00:00Z")
    quote = control.create("Quote", {"Name": "Q", "OpportunityId": opportunity, "ExpirationDate": "2026-12-01"})["Id"]
    product = control.create("Product2", {"Name": "Consulting"})["Id"]
    control.create("QuoteLineItem", {"QuoteId": quote, "Product2Id": product, "Quantity": 2.5, "UnitPrice": 100})
    control.create("QuoteLineItem", {"QuoteId": quote, "Description": "Travel", "Quantity": 1, "UnitPrice": 49.9})
    control.update("Quote", quote, {"Status": "Presented"})

    record = connector.stream("quotes").get(quote)

    assert record is not None
    euros = lambda cents: {"amount": cents, "currency": "EUR"}  # noqa: E731
    assert map_source("quotes", record.data) == {
        "name": "Q",
        "status": "sent",
        "currency": "EUR",
        "number": "00000100",
        "total": euros(29990),
        "issue_date": "2026-11-20",
        "expiry_date": "2026-12-01",
        "lines": [
            {
                "description": "Consulting",
                "quantity": "2.5",
                "unit_price": euros(10000),
                "amount": euros(25000),
            },
            {"description": "Travel", "quantity": "1", "unit_price": euros(4990), "amount": euros(4990)},
        ],
    }
    assert map_refs("quotes", record.data) == {"account": company, "contact": None, "opportunity": opportunity}


def test_a_contract_without_a_name_goes_by_its_number(connector: SalesforceConnector, control: AccountControl) -> None:
    (company,) = add_accounts(control, 1)
    made = control.create("Contract", {"AccountId": company, "StartDate": "2026-01-01"})["Id"]
    control.update("Contract", made, {"Status": "Activated"})

    record = connector.stream("contracts").get(made)

    assert record is not None
    assert map_source("contracts", record.data) == {
        "name": "00000100",
        "status": "active",
        "number": "00000100",
        "start_date": "2026-01-01",
        "end_date": None,
    }


def test_an_org_of_several_currencies_tells_each_rows_own(sandbox: RunningSandbox, control: AccountControl) -> None:
    control.settings(currencies=["EUR", "USD"])
    values = {
        "Name": "D",
        "StageName": "Prospecting",
        "CloseDate": "2026-12-31",
        "Amount": 10,
        "CurrencyIsoCode": "USD",
    }
    made = control.create("Opportunity", values)["Id"]
    connector = connect(sandbox, control._prefix.rpartition("/")[2], currency="")

    record = connector.stream("opportunities").get(made)

    assert connector.check().account_name.endswith("Inc.")
    assert record is not None
    assert map_source("opportunities", record.data)["amount"] == {"amount": 1000, "currency": "USD"}


def test_custom_fields_come_along(connector: SalesforceConnector, control: AccountControl) -> None:
    control.create("Account", {"Name": "A", "Region__c": "North"})

    (page,) = read(connector, "accounts")

    assert page.records[0].data["Region__c"] == "North"


def test_the_check_names_every_missing_field(connector: SalesforceConnector, control: AccountControl) -> None:
    control.settings(
        without=["Opportunity.Paid_Amount__c", "Contact.Sync_Ref__c", "Quote"], not_unique=["Account.Sync_Ref__c"]
    )

    with pytest.raises(ConfigurationError) as caught:
        connector.check()

    assert caught.value.code == "missing_fields"
    assert caught.value.message == (
        "Salesforce lacks the options External ID and Unique of Account.Sync_Ref__c; Contact.Sync_Ref__c; "
        "Opportunity.Paid_Amount__c."
    )


def test_an_org_without_quotes_works_otherwise(connector: SalesforceConnector, control: AccountControl) -> None:
    control.settings(without=["Quote"])

    assert connector.check().account_id.startswith("00D")
    with pytest.raises(ConfigurationError, match="shows no Quote object"):
        read(connector, "quotes")


def test_a_field_still_missing_keeps_nobody_from_reading(
    connector: SalesforceConnector, control: AccountControl
) -> None:
    control.settings(without=["Opportunity.Paid_Amount__c"])
    control.create("Opportunity", {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"})

    (page,) = read(connector, "opportunities")

    assert map_source("opportunities", page.records[0].data)["paid_amount"] is None


def test_the_currency_must_be_known(sandbox: RunningSandbox, account: str) -> None:
    with pytest.raises(ConfigurationError, match="Give the currency"):
        connect(sandbox, account, currency="").check()


@pytest.mark.parametrize(
    ("case", "limit", "wait"), [("the day is used up", 1, 900.0), ("too many at once", 15_000, 30.0)]
)
def test_a_limit_is_waited_out(
    connector: SalesforceConnector, control: AccountControl, case: str, limit: int, wait: float
) -> None:
    control.settings(daily_limit=limit)
    connector.query("SELECT Id FROM Account")
    control.fault("429")

    with pytest.raises(RateLimited) as caught:
        connector.query("SELECT Id FROM Account")

    assert (caught.value.retry_after, caught.value.code) == (wait, "REQUEST_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.Initech.com/about", "initech.com"),
        ("www.initech.com", "initech.com"),
        ("initech.com:8080", "initech.com"),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_is_taken_from_the_website(website: str | None, domain: str | None) -> None:
    assert domain_of(website) == domain


def test_text_in_a_query_stays_text(connector: SalesforceConnector, control: AccountControl) -> None:
    name = "O'Hara \\ Sons' OR Name != '"
    control.create("Account", [{"Name": name}, {"Name": "Other"}])

    assert [row["Name"] for row in connector.query(f"SELECT Name FROM Account WHERE Name = {quoted(name)}")] == [name]


def test_installments_of_a_deal(connector: SalesforceConnector, control: AccountControl) -> None:
    deal = control.create("Opportunity", {"Name": "Rollout", "StageName": "Closed Won", "CloseDate": "2026-12-31"})[
        "Id"
    ]
    product = control.create("Product2", {"Name": "Implementation"})["Id"]
    line = control.create("OpportunityLineItem", {"OpportunityId": deal, "Product2Id": product})["Id"]
    plan = {"OpportunityLineItemId": line, "Type": "Revenue", "ScheduleDate": "2027-01-31", "Revenue": 1200.5}
    made = control.create("OpportunityLineItemSchedule", plan)["Id"]

    record = connector.stream("schedules").get(made)

    assert record is not None
    assert map_source("schedules", record.data) == {
        "name": "Rollout Implementation",
        "status": "planned",
        "due_date": "2027-01-31",
        "amount": {"amount": 120050, "currency": "EUR"},
    }
    assert map_refs("schedules", record.data) == {"opportunity": deal}


def test_an_org_without_schedules_is_whole(connector: SalesforceConnector, control: AccountControl) -> None:
    control.settings(without=["OpportunityLineItemSchedule"])

    assert connector.check().account_id
