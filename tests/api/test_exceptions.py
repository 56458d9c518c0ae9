"""Business exceptions and their rules over the API."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.core.ids import encode_id
from apps.monitoring.library import SHIPPED
from apps.monitoring.models import BusinessException
from tests.api.conftest import ApiClient
from tests.factories.world import make_staff
from tests.monitoring.conftest import eur, make_books

RULE = {
    "name": "Deal without account", "entity": "opportunity", "condition": 'record.stage == "won"',
    "expectation": "account", "amount": "record.amount", "solver": "customer",
}  # fmt: skip


def test_exceptions_are_read_and_dealt_with(api: ApiClient, now: datetime) -> None:
    books = make_books("Harbor", now)
    books.record("opportunity", name="deal", stage="won", amount=eur(900))
    books.evaluate()
    make_staff(now, "support", "sam@acme.example")

    row = api.get("/exceptions", status="open", rule="won-opportunity-without-project").json()["data"][0]

    assert (row["title"], row["amount"], row["solver"]) == ("deal", {"amount": 900, "currency": "EUR"}, "partner")
    assert row["customer"] == encode_id("cus", books.customer.pk)
    path = f"/exceptions/{row['id']}"
    assert api.get("/exceptions", status="odd").status_code == 400
    assert api.post(f"{path}/assign", {"assignee": "nobody@acme.example"}).status_code == 400
    assert api.post(f"{path}/assign", {"assignee": "sam@acme.example"}).json()["assignee"] == "Staff support"
    until = (now + timedelta(days=400)).isoformat()
    assert api.post(f"{path}/snooze", {"until": until}).json()["snoozed_until"] is not None
    assert api.post(f"{path}/wake").json()["snoozed_until"] is None
    assert api.post(f"{path}/reopen").status_code == 409
    assert api.post(f"{path}/ignore", {"reason": "Known"}).json()["status"] == "ignored"
    assert api.post(f"{path}/reopen").json()["status"] == "open"
    assert api.get(path).json()["ignore_reason"] == ""


def test_rules_are_previewed_added_changed_and_removed(api: ApiClient, now: datetime) -> None:
    books = make_books("Harbor", now)
    deal = books.record("opportunity", name="deal", stage="won", amount=eur(900))

    found = api.post("/exception-rules/preview", RULE).json()
    assert (found["count"], found["customers"], found["at_stake"]) == (1, 1, [{"amount": 900, "currency": "EUR"}])
    assert found["examples"][0]["record"] == encode_id("rec", deal.pk)
    refused = api.post("/exception-rules", {**RULE, "condition": "record."})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/condition"]
    made = api.post("/exception-rules", RULE)
    assert (made.status_code, made.json()["key"]) == (201, "deal-without-account")
    path = "/exception-rules/deal-without-account"
    assert api.patch(path, {"within_days": 5, "is_enabled": False}).json()["is_enabled"] is False
    assert api.get(path).json()["within_days"] == 5
    assert len(api.get("/exception-rules").json()) == len(SHIPPED) + 1
    assert api.client.delete(f"/api/v1{path}").status_code == 204
    assert api.get(path).status_code == 404


def test_a_customers_key_sees_what_is_its_own_to_solve(api: ApiClient, bound: ApiClient, now: datetime) -> None:
    from apps.customers.models import Customer
    from tests.factories.delivery import make_connection, production_of
    from tests.monitoring.conftest import Books

    brightwater = Customer.objects.get(name="Brightwater")
    ours = Books(brightwater, production_of(brightwater), make_connection(brightwater), now)
    theirs = make_books("Harbor", now)
    api.post("/exception-rules", RULE)
    for books in (ours, theirs):
        books.record("opportunity", name=f"deal of {books.customer.name}", stage="won")
        books.evaluate()

    seen = bound.get("/exceptions").json()["data"]

    assert BusinessException.objects.count() == 4
    assert [(row["title"], row["rule"]) for row in seen] == [("deal of Brightwater", "deal-without-account")]
    assert {row["solver"] for row in bound.get("/exception-rules").json()} == {"customer"}
    foreign = BusinessException.objects.filter(customer=theirs.customer).first()
    assert foreign is not None
    assert bound.get(f"/exceptions/{encode_id('bex', foreign.pk)}").status_code == 404
    assert bound.post(f"/exceptions/{seen[0]['id']}/ignore", {"reason": "x"}).status_code == 403
    before = api.get("/exception-rules").json()
    assert bound.post("/exception-rules", RULE).status_code == 403
    assert bound.patch("/exception-rules/project-without-contract", {"is_enabled": False}).status_code == 403
    assert bound.client.delete("/api/v1/exception-rules/project-without-contract").status_code == 403
    assert api.get("/exception-rules").json() == before
