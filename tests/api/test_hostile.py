"""What a hostile caller sends: refused with a reason, never a crash."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.canonical.models import CanonicalRecord
from apps.canonical.workspace import ChangeSource, Workspace
from apps.core.actor import Actor
from apps.core.ids import encode_id, uuid7
from apps.customers.models import Customer
from apps.customers.selectors import get_environment
from apps.flows.models import IntegrationTemplateVersion
from apps.flows.services import fork_template
from apps.sync.models import SyncRun
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_flow
from tests.factories.library import load_library


def send(api: ApiClient, customer: Customer, inputs: str) -> Any:
    body = f'{{"customer": "{encode_id("cus", customer.pk)}", "inputs": {inputs}}}'
    return api.client.post("/api/v1/services/create_customer", body, content_type="application/json")


@pytest.mark.parametrize(
    "inputs",
    [
        r'{"name": "A\u0000B"}',
        r'{"name": "A", "\u0000": 1}',
        r'{"name": "\ud800"}',
        '{"name": 1e999}',
        '{"name": NaN}',
        '{"name": 99999999999999999999}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"name": ' + "[" * 70 + "]" * 70 + "}",
    ],
    ids=[
        "null",
        "null in a name",
        "half a pair",
        "infinite",
        "no number",
        "huge number",
        "deep",
        "deep objects",
        "nested",
    ],
)
def test_json_that_no_database_holds_is_refused(api: ApiClient, brightwater: Customer, inputs: str) -> None:
    answer = send(api, brightwater, inputs)

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert CanonicalRecord.objects.count() == 0


def test_what_only_looks_like_it_is_taken(api: ApiClient, brightwater: Customer) -> None:
    answer = send(api, brightwater, r'{"name": "\\u0000 \ud83d\ude00 \u00fc"}')

    assert (answer.status_code, answer.json()["title"]) == (201, "\\u0000 \U0001f600 ü")


@pytest.mark.parametrize(
    ("quantity", "amount"), [("9" * 100_000, 1), ("1e99", 1), ("\u0663", 1), ("999999999999", 10**9)],
    ids=["endless", "exponent", "other digits", "product"],
)  # fmt: skip
def test_an_invoice_beyond_reason_is_refused(
    api: ApiClient, brightwater: Customer, now: datetime, quantity: str, amount: int
) -> None:
    workspace = Workspace(get_environment(brightwater), ChangeSource("flow"), now)
    account = workspace.create(uuid7(), "account", {"name": "Vulcan"}, {})
    workspace.flush()
    line = {"description": "Work", "quantity": quantity, "unit_price": {"amount": amount, "currency": "EUR"}}
    inputs = {"account": encode_id("rec", account.id), "lines": [line]}

    answer = api.post("/services/generate_invoice", {"customer": encode_id("cus", brightwater.pk), "inputs": inputs})

    assert answer.status_code == 400
    assert CanonicalRecord.objects.filter(entity="invoice").count() == 0


def test_a_deal_billed_in_two_currencies_has_no_sum(api: ApiClient, brightwater: Customer, now: datetime) -> None:
    workspace = Workspace(get_environment(brightwater), ChangeSource("flow"), now)
    deal = workspace.create(uuid7(), "opportunity", {"name": "Deal", "stage": "won"}, {})
    project = workspace.create(uuid7(), "project", {"name": "Deal", "status": "open"}, {"opportunity": deal.id})
    for currency in ("EUR", "USD"):
        total = {"amount": 100, "currency": currency}
        workspace.create(
            uuid7(), "invoice", {"status": "open", "currency": currency, "total": total}, {"project": project.id}
        )
    workspace.flush()
    body = {"customer": encode_id("cus", brightwater.pk), "inputs": {"opportunity": encode_id("rec", deal.id)}}

    answer = api.post("/services/payment_status", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/opportunity")


def test_a_period_until_the_end_of_the_calendar_ends_today(
    api: ApiClient, brightwater: Customer, now: datetime
) -> None:
    flow = make_flow(brightwater)
    asked = {"read": "period", "first_day": "0001-01-01", "last_day": "9999-12-31"}

    answer = api.post("/runs", {"flow": encode_id("flw", flow.pk), **asked})

    assert answer.status_code == 202
    run = SyncRun.objects.get()
    assert run.scope["to"][:10] == f"{run.queued_at:%Y-%m-%d}"


def test_a_customers_key_sees_no_template_that_is_being_written(
    api: ApiClient, bound: ApiClient, owner_actor: Actor, now: datetime
) -> None:
    load_library()
    shipped = IntegrationTemplateVersion.objects.get(template__key="payment-status")
    draft = fork_template(actor=owner_actor, now=now, version=shipped, key="custom-secret", name="Secret")
    path = f"/templates/{encode_id('tpv', draft.pk)}"

    assert (api.get(path).status_code, bound.get(path).status_code) == (200, 404)
    assert bound.get(f"/templates/{encode_id('tpv', shipped.pk)}").status_code == 200
    assert "custom-secret" not in {row["template"] for row in bound.get("/templates").json()["data"]}
