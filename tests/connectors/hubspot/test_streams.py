"""Reading HubSpot where it is treacherous: equal time stamps, edits under way, a lagging index."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.connectors.sdk.connector import ConnectionContext
from apps.connectors.sdk.errors import FatalError
from apps.connectors.sdk.types import Page, SourceRecord
from apps.connectors.vendors.hubspot import HubSpotConnector
from apps.core import expressions
from sandbox.testing import AccountControl, RunningSandbox

_accounts = itertools.count(1)


@pytest.fixture
def account(sandbox: RunningSandbox) -> str:
    return f"streams{next(_accounts)}"


@pytest.fixture
def control(sandbox: RunningSandbox, account: str) -> AccountControl:
    found = sandbox.control("hubspot", account)
    found.credentials(api_key="pat-1234567890")
    return found


@pytest.fixture
def connector(sandbox: RunningSandbox, account: str, control: AccountControl) -> Iterator[HubSpotConnector]:
    made = HubSpotConnector(
        ConnectionContext(
            settings={"base_url": sandbox.base_url("hubspot", account)},
            credentials={"api_key": "pat-1234567890"},
            now=lambda: datetime.now(UTC),
            allow_private=True,
        )
    )
    yield made
    made.close()


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


def read(connector: HubSpotConnector, stream: str, **options: Any) -> list[Page]:
    return list(connector.stream(stream).read(**{"checkpoint": None, **options}))


def test_hundreds_of_records_of_one_millisecond_are_all_read(
    connector: HubSpotConnector, control: AccountControl
) -> None:
    made = [entry["id"] for entry in control.create("deals", [{"dealname": f"D{n}"} for n in range(45)])]
    stamps = Counter(entry["updatedAt"] for entry in control.objects("deals"))

    pages = read(connector, "deals", page_size=2)

    # More than a page of them, on a busy machine too.
    assert max(stamps.values()) > 2
    assert set(ids(pages)) == set(made)
    assert pages[-1].checkpoint["complete"] is True
    assert [page.checkpoint["complete"] for page in pages[:-1]] == [False] * (len(pages) - 1)


def test_a_dead_process_goes_on_inside_a_millisecond(connector: HubSpotConnector, control: AccountControl) -> None:
    made = {entry["id"] for entry in control.create("deals", [{"dealname": f"D{n}"} for n in range(30)])}

    checkpoint, seen, rounds = None, set(), 0
    while checkpoint is None or not checkpoint["complete"]:
        page = next(iter(connector.stream("deals").read(checkpoint=checkpoint, page_size=4)))
        seen |= {record.external_id for record in page.records}
        checkpoint = page.checkpoint
        rounds += 1
        assert rounds < 60

    assert seen == made


def test_an_edit_under_way_hides_no_other_record(connector: HubSpotConnector, control: AccountControl) -> None:
    made = [control.create("companies", {"name": f"C{n}"})["id"] for n in range(12)]

    pages = connector.stream("companies").read(checkpoint=None, page_size=4)
    found = [next(pages)]
    # An edited record leaves its place; read by offset, the first record of the next page would be passed over.
    control.update("companies", made[0], {"name": "edited"})
    found += list(pages)

    assert set(ids(found)) == set(made)
    assert [r.data["properties"]["name"] for p in found for r in p.records if r.external_id == made[0]][-1] == "edited"


def test_what_the_index_still_hides_is_read_by_the_next_pass(
    connector: HubSpotConnector, control: AccountControl
) -> None:
    control.create("companies", {"name": "old"})
    control.settings(search_lag_seconds=60)
    late = control.create("companies", {"name": "late"})["id"]

    first = read(connector, "companies")
    control.settings(search_lag_seconds=0)
    second = read(connector, "companies", checkpoint=first[-1].checkpoint)

    assert late not in ids(first)
    assert late in ids(second)


def test_an_unsorted_answer_stops_the_read(connector: HubSpotConnector, control: AccountControl) -> None:
    for n in range(3):
        control.clock(f"2026-01-0{n + 1}T00:00:00Z")
        control.create("companies", {"name": f"C{n}"})
    control.settings(search_ignores_sorts=True)

    with pytest.raises(FatalError, match="unsorted"):
        read(connector, "companies")


def test_a_quiet_portal_costs_one_search_per_pass(connector: HubSpotConnector, control: AccountControl) -> None:
    control.clock("2026-01-01T00:00:00Z")
    control.create("companies", [{"name": f"C{n}"} for n in range(3)])
    control.clock(None)
    (page,) = read(connector, "companies")
    control.clear_requests()

    again = read(connector, "companies", checkpoint=page.checkpoint)

    assert len(again) == 1
    assert [(r["method"], r["path"]) for r in control.requests()] == [("POST", "/crm/v3/objects/companies/search")]


def test_more_records_than_search_can_page_through_are_all_read(
    connector: HubSpotConnector, control: AccountControl
) -> None:
    control.create("companies", [{"name": f"C{n}"} for n in range(10_050)])

    pages = read(connector, "companies", page_size=200)

    assert len(set(ids(pages))) == 10_050


def deal(connector: HubSpotConnector, external_id: str) -> tuple[SourceRecord, dict[str, Any]]:
    record = connector.stream("deals").get(external_id)
    assert record is not None
    spec = connector.manifest.stream("deals")
    return record, expressions.compile(spec.fields).evaluate({"record": record.data})


def test_a_deal_becomes_an_opportunity(connector: HubSpotConnector, control: AccountControl) -> None:
    control.settings(currency="USD")
    owner = control.create("owners", {"email": "ann@example.org"})["id"]
    company = control.create("companies", {"name": "Initech"})["id"]
    other = control.create("companies", {"name": "Later"})["id"]
    person = control.create("contacts", {"email": "p@example.org"})["id"]
    values = {
        "dealname": " Roll-out ",
        "amount": "1250.5",
        "closedate": "2026-12-31",
        "dealstage": "closedwon",
        "hubspot_owner_id": owner,
        "associations": {"companies": [company, other], "contacts": [person]},
    }
    made = control.create("deals", values)["id"]

    record, fields = deal(connector, made)

    assert fields == {
        "name": "Roll-out",
        "stage": "won",
        "amount": {"amount": 125050, "currency": "USD"},
        "close_date": "2026-12-31",
        "owner_email": "ann@example.org",
        "payment_status": "none",
        "invoice_number": None,
        "invoiced_amount": None,
        "paid_amount": None,
    }
    assert record.data["associations"] == {"companies": company, "contacts": person}


@pytest.mark.parametrize(
    ("values", "stage"),
    [
        ({"dealstage": "closedwon"}, "won"),
        ({"dealstage": "closedlost"}, "lost"),
        ({"dealstage": "contractsent"}, "open"),
        ({}, "open"),
    ],
)
def test_stages(connector: HubSpotConnector, control: AccountControl, values: dict[str, str], stage: str) -> None:
    made = control.create("deals", {"dealname": "D", **values})["id"]

    assert deal(connector, made)[1]["stage"] == stage


@pytest.mark.parametrize(
    ("properties", "stage"),
    [
        ({"dealstage": "98765", "hs_is_closed_won": "true", "hs_is_closed_lost": "false"}, "won"),
        ({"dealstage": "98766", "hs_is_closed_won": "false", "hs_is_closed_lost": "true"}, "lost"),
        ({"dealstage": "98767", "hs_is_closed_won": "false", "hs_is_closed_lost": "false"}, "open"),
        ({"dealstage": "closedwon"}, "won"),
    ],
)
def test_a_portals_own_pipeline_is_read_by_its_outcome(properties: dict[str, str], stage: str) -> None:
    mapping = expressions.compile({"stage": HubSpotConnector.manifest.stream("deals").fields["stage"]})

    assert mapping.evaluate({"record": {"properties": properties}}) == {"stage": stage}


@pytest.mark.parametrize(
    ("stream", "values", "name"),
    [
        ("companies", {"name": " Initech ", "domain": "initech.test"}, "Initech"),
        ("companies", {"domain": "initech.test"}, "initech.test"),
        ("companies", {"phone": "1"}, None),
        ("contacts", {"firstname": "Ada", "lastname": "Lovelace"}, "Ada Lovelace"),
        ("contacts", {"lastname": "Lovelace"}, "Lovelace"),
        ("contacts", {"email": "ada@initech.test"}, "ada@initech.test"),
        ("contacts", {"phone": "1"}, None),
        ("deals", {"amount": "1"}, None),
    ],
)
def test_every_record_has_a_name_at_least_its_id(
    connector: HubSpotConnector, control: AccountControl, stream: str, values: dict[str, str], name: str | None
) -> None:
    made = control.create(stream, values)["id"]
    record = connector.stream(stream).get(made)
    assert record is not None

    fields = expressions.compile(connector.manifest.stream(stream).fields).evaluate({"record": record.data})

    assert fields["name"] == (name or made)


def test_a_deals_own_currency_wins(connector: HubSpotConnector, control: AccountControl) -> None:
    made = control.create("deals", {"dealname": "D", "amount": "1200", "deal_currency_code": "JPY"})["id"]

    assert deal(connector, made)[1]["amount"] == {"amount": 1200, "currency": "JPY"}


def test_the_portals_own_properties_come_along(connector: HubSpotConnector, control: AccountControl) -> None:
    definition = {"name": "region", "label": "Region", "type": "string", "fieldType": "text"}
    connector.client.post("/crm/v3/properties/companies", json={**definition, "groupName": "companyinformation"})
    made = control.create("companies", {"name": "Initech", "region": "North"})["id"]

    (page,) = read(connector, "companies")
    got = connector.stream("companies").get(made)

    assert page.records[0].data["properties"]["region"] == "North"
    assert got is not None
    assert got.data["properties"]["region"] == "North"
