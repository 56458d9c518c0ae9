"""The business services and approvals over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jsonschema
import pytest

from apps.api.v1.business import EXAMPLES
from apps.audit.models import AuditEvent
from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.canonical.workspace import ChangeSource, Workspace
from apps.core.ids import encode_id, uuid7
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.dispatch.models import WorkItem
from apps.events.models import OutboxEvent
from apps.sync.business import INPUTS, TITLES, input_schema
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_flow
from tests.factories.world import make_world


@pytest.fixture
def call(api: ApiClient, brightwater: Customer) -> Any:
    def made(service: str, key: str = "", **inputs: Any) -> Any:
        body = {"customer": encode_id("cus", brightwater.pk), "inputs": inputs}
        return api.post(f"/services/{service}", body, key=key)

    return made


def record(customer: Customer, now: datetime, entity: str, links: dict[str, Any] | None = None, **data: Any) -> str:
    workspace = Workspace(get_environment(customer), ChangeSource("flow"), now)
    found = workspace.create(uuid7(), entity, data, links or {})
    workspace.flush()
    return encode_id("rec", found.id)


def test_it_works(call: Any, brightwater: Customer) -> None:
    definition = {
        "key": "accounts", "name": "Accounts", "description": "",
        "rules": [{"on": "account", "write": {"role": "erp"}}],
    }  # fmt: skip
    flow = make_flow(brightwater, definition=definition)
    answer = call("create_customer", name="Vulcan Industries", tax_id="DE 1", currency="EUR")

    assert answer.status_code == 201
    body = answer.json()
    account = CanonicalRecord.objects.get()
    assert (body["record"], body["entity"], body["created"]) == (encode_id("rec", account.pk), "account", True)
    assert answer["Location"] == f"/api/v1/records/{body['record']}"
    assert account.data == {"name": "Vulcan Industries", "tax_id": "DE 1", "currency": "EUR"}
    assert AuditEvent.objects.get(action="service.create_customer").after["name"] == "Vulcan Industries"
    assert WorkItem.objects.filter(kind="sync.flow", key=str(flow.pk)).count() == 1


def test_a_known_customer_is_completed_instead_of_made_twice(call: Any) -> None:
    call("create_customer", name="Vulcan", tax_id="DE 1")
    answer = call("create_customer", name="Vulcan Industries", tax_id="de 1", email="office@vulcan.example")

    assert (answer.status_code, answer.json()["created"]) == (200, False)
    assert CanonicalRecord.objects.get().data == {
        "name": "Vulcan", "tax_id": "DE 1", "email": "office@vulcan.example",
    }  # fmt: skip


def test_the_same_key_is_the_same_call(call: Any) -> None:
    first, second = (call("create_customer", key="k-1", name="Vulcan") for _ in range(2))

    assert first.json() == second.json()
    assert CanonicalRecord.objects.count() == 1
    call("create_customer", key="k-2", name="Vulcan")
    assert CanonicalRecord.objects.count() == 2


def test_a_project_is_provisioned_once_per_deal(call: Any, brightwater: Customer, now: datetime) -> None:
    amount = {"amount": 500000, "currency": "EUR"}
    deal = record(brightwater, now, "opportunity", name="Forge rollout", stage="won", amount=amount)
    first = call("provision_project", opportunity=deal, first_task="Kick-off")
    second = call("provision_project", opportunity=deal)

    assert (first.status_code, second.status_code, first.json()["record"]) == (201, 200, second.json()["record"])
    assert first.json()["data"] == {"name": "Forge rollout", "status": "open", "budget": amount}
    task = CanonicalRecord.objects.get(entity="task")
    assert (task.title, CanonicalLink.objects.get(source=task).target.title) == ("Kick-off", "Forge rollout")


def test_an_invoice_is_added_up(call: Any, brightwater: Customer, now: datetime) -> None:
    account = record(brightwater, now, "account", name="Vulcan")
    lines = [
        {"description": "Workshop", "quantity": "2.5", "unit_price": {"amount": 12001, "currency": "EUR"}},
        {"description": "Travel", "unit_price": {"amount": 9900, "currency": "EUR"}},
    ]
    answer = call("generate_invoice", account=account, lines=lines, status="open", issue_date="2026-11-02")

    data = answer.json()["data"]
    assert [line["amount"]["amount"] for line in data["lines"]] == [30003, 9900]
    assert (data["total"], data["issue_date"]) == ({"amount": 39903, "currency": "EUR"}, "2026-11-02")
    assert OutboxEvent.objects.filter(type="invoice.released").count() == 1


def test_a_payment_status_is_looked_up_and_kept(call: Any, brightwater: Customer, now: datetime) -> None:
    deal = record(brightwater, now, "opportunity", name="Forge", stage="won")
    project = call("provision_project", opportunity=deal).json()["record"]
    assert call("payment_status", opportunity=deal).json()["result"] == {"payment_status": "none"}
    account = call("create_customer", name="Vulcan").json()["record"]
    price = {"amount": 10000, "currency": "EUR"}
    call(
        "generate_invoice",
        project=project,
        account=account,
        status="open",
        lines=[{"description": "A", "unit_price": price}],
    )

    answer = call("payment_status", opportunity=deal).json()
    assert (answer["result"]["payment_status"], answer["result"]["invoiced_amount"]) == ("invoiced", price)
    assert answer["data"]["payment_status"] == "invoiced"
    assert "invoiced_amount" not in answer["data"]


def test_a_resource_and_a_milestone_change(call: Any, brightwater: Customer, now: datetime) -> None:
    record(brightwater, now, "resource", name="Anna", email="Anna@example.com", status="active")
    milestone = record(brightwater, now, "milestone", name="Go-live", status="open")

    assert call("update_resource", email="anna@example.com", status="inactive").json()["data"]["status"] == "inactive"
    done = call("complete_milestone", milestone=milestone, completed_date="2026-11-02").json()["data"]
    assert (done["status"], done["completed_date"]) == ("done", "2026-11-02")
    assert call("complete_milestone", milestone=milestone, completed_date="2026-12-24").json()["data"] == done
    assert OutboxEvent.objects.filter(type="milestone.completed").count() == 1


MISTAKES = [
    ("create_customer", {"title": "Vulcan"}, "There is no field “title”."),
    ("create_customer", {}, "Name is missing."),
    ("provision_project", {}, "Give the project's name"),
    ("update_resource", {"email": "nobody@example.com"}, "There is nobody with this e-mail address."),
    ("complete_milestone", {"milestone": encode_id("rec", uuid7())}, "There is no such milestone."),
    ("complete_milestone", {"milestone": "7"}, "Milestone must be the id of a record, like rec_"),
]


@pytest.mark.parametrize("service, inputs, message", MISTAKES)
def test_a_wrong_input_is_told_and_nothing_happens(call: Any, service: str, inputs: Any, message: str) -> None:
    answer = call(service, **inputs)

    assert answer.status_code == 400
    assert message in answer.json()["detail"]
    assert CanonicalRecord.objects.count() == 0


def test_an_unknown_service_names_the_known_ones(call: Any) -> None:
    answer = call("pay_everything")

    assert (answer.status_code, "create_customer" in str(answer.json())) == (400, True)


def test_a_strangers_key_finds_nothing(bound: ApiClient, stranger: Customer) -> None:
    body = {"customer": encode_id("cus", stranger.pk), "inputs": {"name": "Vulcan"}}

    assert bound.post("/services/create_customer", body).status_code == 404
    assert CanonicalRecord.objects.count() == 0


def test_the_schemas_are_published_and_hold_the_examples(api: ApiClient) -> None:
    listed = {one["name"]: one for one in api.get("/services").json()["data"]}

    assert set(listed) == set(INPUTS) == set(TITLES) == set(EXAMPLES)
    for name, example in EXAMPLES.items():
        assert listed[name]["input"] == input_schema(name)
        jsonschema.Draft202012Validator(input_schema(name)).validate(example)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(input_schema(name)).validate({**example, "surprise": 1})


def test_a_key_of_the_partner_decides_what_is_the_partners(api: ApiClient, partner: object) -> None:
    world = make_world("Harbor")
    listed = {one["audience"]: one for one in api.get("/approvals", status="open").json()["data"]}
    own, theirs = listed["partner"], listed["customer"]

    answer = api.post(f"/approvals/{own['id']}/reject", {"reason": "Too early"})
    assert (answer.status_code, answer.json()["status"], answer.json()["reason"]) == (200, "rejected", "Too early")
    assert api.post(f"/approvals/{own['id']}/reject", {"reason": "Again"}).status_code == 409
    assert api.post(f"/approvals/{theirs['id']}/reject", {"reason": "No"}).status_code == 403
    assert own["record"] == encode_id("rec", world.records["account"].pk)
