"""HubSpot's own Python SDK against our simulator, and its own check of webhook signatures."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicDefaultAssociationMultiPost
from hubspot.crm.companies import SimplePublicObjectInputForCreate as CompanyInput
from hubspot.crm.contacts import ApiException
from hubspot.crm.contacts import SimplePublicObjectInputForCreate as ContactInput
from hubspot.crm.deals import PublicObjectSearchRequest
from hubspot.crm.deals import SimplePublicObjectInput as DealChange
from hubspot.crm.deals import SimplePublicObjectInputForCreate as DealInput
from hubspot.utils.signature import Signature

from apps.connectors.vendors.hubspot import CONNECTOR
from sandbox.hubspot import VENDOR
from tests.contract.hubspot_support import TOKEN, connect

pytestmark = pytest.mark.contract

BODY = (
    b'[{"eventId":7,"subscriptionType":"deal.propertyChange","portalId":42,"objectId":512,"occurredAt":1795132800000}]'
)
ADDRESS = "https://acme.test/hooks/hubspot"


@pytest.fixture
def hubspot(server):
    server.control("hubspot", "sdk").reset()
    connect(server, "sdk")
    client = HubSpot(access_token=TOKEN)
    client.config["host"] = server.base_url("hubspot", "sdk")
    return client


def test_the_sdk_walks_from_company_to_won_deal(hubspot):
    company = hubspot.crm.companies.basic_api.create(CompanyInput(properties={"name": "Initech"}, associations=[]))
    deal = hubspot.crm.deals.basic_api.create(
        DealInput(properties={"dealname": "Rollout", "amount": "12500.50"}, associations=[])
    )
    pair = {"from": {"id": deal.id}, "to": {"id": company.id}}
    hubspot.crm.associations.v4.batch_api.create_default(
        "deals", "companies", BatchInputPublicDefaultAssociationMultiPost(inputs=[pair])
    )
    hubspot.crm.deals.basic_api.update(deal.id, DealChange(properties={"dealstage": "closedwon"}))

    found = hubspot.crm.deals.basic_api.get_by_id(deal.id, properties=["dealname", "amount", "dealstage"])
    assert (found.properties["dealname"], found.properties["amount"]) == ("Rollout", "12500.50")
    assert found.properties["dealstage"] == "closedwon"
    assert isinstance(found.updated_at, datetime)
    linked = hubspot.crm.associations.v4.basic_api.get_page("deals", deal.id, "companies")
    assert [str(target.to_object_id) for target in linked.results] == [company.id]


def test_the_sdk_pages_and_searches(hubspot):
    for number in range(3):
        hubspot.crm.deals.basic_api.create(DealInput(properties={"dealname": f"Deal {number}"}, associations=[]))

    first = hubspot.crm.deals.basic_api.get_page(limit=2)
    second = hubspot.crm.deals.basic_api.get_page(limit=2, after=first.paging.next.after)
    filters = [{"propertyName": "dealname", "operator": "EQ", "value": "Deal 1"}]
    search = PublicObjectSearchRequest(filter_groups=[{"filters": filters}], properties=["dealname"], limit=10)
    found = hubspot.crm.deals.search_api.do_search(search)

    assert [len(first.results), len(second.results)] == [2, 1]
    assert second.paging is None
    assert [deal.properties["dealname"] for deal in found.results] == ["Deal 1"]


def test_the_sdk_understands_refusals(hubspot):
    contact = ContactInput(properties={"email": "ada@initech.test"}, associations=[])
    hubspot.crm.contacts.basic_api.create(contact)

    with pytest.raises(ApiException) as caught:
        hubspot.crm.contacts.basic_api.create(contact)

    assert caught.value.status == 409


def test_the_sdk_accepts_the_simulators_signature_and_so_do_we():
    now = datetime.fromtimestamp(int(time.time()), tz=UTC)
    headers = VENDOR.webhook_headers(secret="app-secret", url=ADDRESS, body=BODY, now=now)
    lower = {name.lower(): value for name, value in headers.items()}

    def judge(signature: str) -> bool:
        return Signature.is_valid(
            signature=signature,
            client_secret="app-secret",
            request_body=BODY.decode(),
            http_uri=ADDRESS,
            signature_version="v3",
            timestamp=lower["x-hubspot-request-timestamp"],
            http_method="POST",
        )

    genuine = lower["x-hubspot-signature-v3"]
    assert judge(genuine)
    assert not judge(("y" if genuine.startswith("x") else "x") + genuine[1:])
    events = CONNECTOR.verify_webhook(secret="app-secret", headers=lower, body=BODY, url=ADDRESS, now=now)
    assert [(event.account_id, event.stream, event.external_id) for event in events] == [("42", "deals", "512")]


def test_the_sdk_accepts_version_1_of_the_signature_and_so_do_we():
    headers = VENDOR.webhook_headers(secret="app-secret", url=ADDRESS, body=BODY, now=datetime.now(UTC))
    given = headers["X-HubSpot-Signature"]

    assert Signature.is_valid(
        signature=given, client_secret="app-secret", request_body=BODY.decode(), signature_version="v1"
    )
    older = {"x-hubspot-signature": given, "x-hubspot-signature-version": "v1"}
    verify = {"secret": "app-secret", "body": BODY, "url": ADDRESS, "now": datetime.now(UTC)}
    assert [event.event_id for event in CONNECTOR.verify_webhook(headers=older, **verify)] == ["7"]
