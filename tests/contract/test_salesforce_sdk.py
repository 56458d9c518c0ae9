"""simple-salesforce, the client most Python programs use, against our simulator."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from tests.connectors.salesforce.support import TOKEN, connect

pytestmark = pytest.mark.contract


class Loopback(HTTPAdapter):
    """Sends what is meant for an org's https address to the simulated org."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        request.url = request.url.replace("https://acme.my.salesforce.com", self.base_url)
        return super().send(request, *args, **options)


def client(server: Any, account: str, token: str = TOKEN) -> Salesforce:
    server.control("salesforce", account).reset()
    connect(server, account)
    session = requests.Session()
    session.trust_env = False
    session.mount("https://acme.my.salesforce.com", Loopback(server.base_url("salesforce", account)))
    return Salesforce(instance="acme.my.salesforce.com", session_id=token, session=session, version="60.0")


@pytest.fixture
def org(server):
    return client(server, "sdk")


def test_the_client_walks_from_account_to_won_opportunity(org):
    account = org.Account.create({"Name": "Initech", "Website": "www.initech.test"})
    deal = {"Name": "Rollout", "StageName": "Prospecting", "CloseDate": "2026-12-31", "AccountId": account["id"]}
    made = org.Opportunity.create(deal)
    assert org.Opportunity.update(made["id"], {"StageName": "Closed Won", "Amount": 12500.5}) == 204

    found = org.query(
        f"SELECT Id, Name, Amount, IsWon, Owner.Email FROM Opportunity WHERE AccountId = '{account['id']}'"
    )

    assert (found["totalSize"], found["done"]) == (1, True)
    row = found["records"][0]
    assert (row["Id"], row["Amount"], row["IsWon"]) == (made["id"], 12500.5, True)
    assert row["Owner"]["Email"] == "owner@acme.test"
    assert org.Opportunity.get(made["id"])["Name"] == "Rollout"


def test_the_client_upserts_deletes_and_reads_the_bin(org):
    assert org.Contact.upsert("Sync_Ref__c/k1", {"LastName": "Lee"}) == 201
    assert org.Contact.upsert("Sync_Ref__c/k1", {"LastName": "Leigh"}) == 200
    row = org.query("SELECT Id, Name FROM Contact")["records"][0]
    assert row["Name"] == "Leigh"
    assert org.Contact.delete(row["Id"]) == 204

    assert org.query("SELECT Id FROM Contact")["totalSize"] == 0
    (gone,) = org.query_all("SELECT Id, IsDeleted FROM Contact", include_deleted=True)["records"]
    assert (gone["Id"], gone["IsDeleted"]) == (row["Id"], True)


def test_the_client_follows_long_answers(org, server):
    control = server.control("salesforce", "sdk")
    control.create("Account", [{"Name": f"A{n}"} for n in range(7)])
    control.settings(batch_size=3)

    assert [row["Name"] for row in org.query_all_iter("SELECT Name FROM Account ORDER BY Id")] == [
        f"A{n}" for n in range(7)
    ]


def test_the_client_reads_descriptions(org):
    fields = {field["name"]: field for field in org.Opportunity.describe()["fields"]}

    assert fields["Sync_Ref__c"]["externalId"] is True
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    org.query("SELECT Id FROM Account")
    assert org.api_usage["api-usage"].total == 15000


def test_the_client_understands_refusals(org, server):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        org.Account.create({"Nonsense": "x"})
    with pytest.raises(SalesforceResourceNotFound):
        org.Account.get("001dM00zzzzzzzzQAA")
    with pytest.raises(SalesforceExpiredSession):
        client(server, "sdk", token="wrong-token").query("SELECT Id FROM Account")

    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"
