"""Every page opens for those it is for, with few questions to the database, and for nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.services import create_person
from apps.customers.services import add_member
from apps.flows.selectors import list_templates
from apps.sla.models import SlaAssignment
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import SYSTEM, Scene

MOST_QUERIES = 15
LISTS = (
    "home", "customers", "integrations", "partner_mappings", "runs", "errors", "sla", "sla_reports", "policies", "billing", "invoices", "subscriptions",
    "plans", "legal_entity", "catalogue", "customer_add", "policy_add", "plan_add",
    "records", "questions", "merges", "match_rules", "webhooks", "webhook_add", "event_types", "exceptions", "exception_rules", "exception_rule_add",
)  # fmt: skip
TABS = (
    "customer", "customer_map", "customer_edit", "customer_connections", "connect", "customer_integrations", "deploy",
    "customer_runs", "customer_errors", "customer_exceptions", "customer_sla", "customer_billing", "customer_users", "customer_activity",
)  # fmt: skip


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def details(scene: Scene) -> dict[str, str]:
    integration = scene.flow.integration_id
    return {
        "integration": address("integration", integration),
        "integration_map": address("integration_map", integration),
        "integration_flows": address("integration_flows", integration),
        "settings": address("deploy_step", integration, "settings"),
        "connection": address("connection", scene.connections["erp"].pk),
        "connection_edit": address("connection_edit", scene.connections["erp"].pk),
        "connect_vendor": address("connect_vendor", scene.customer.pk, "tryton"),
        "run": address("run", scene.run.pk),
        "run_progress": address("run_progress", scene.run.pk),
        "error_group": address("error_group", scene.failure.fingerprint),
        "error": address("error", scene.failure.pk),
        "connector": address("connector", "hubspot"),
        "template": address("template", list_templates()[0].pk),
        "plan": address("plan", scene.subscription.plan_version.plan_id),
        "policy": address("policy", policy_id(scene)),
        "deploy_connections": address("deploy_connections", scene.customer.pk, list_templates()[0].pk),
    }


def asked(queries: CaptureQueriesContext) -> list[str]:
    """What was asked of the database: choosing the partner's schema is no question."""
    return [query["sql"][:200] for query in queries if not query["sql"].startswith("SET ")]


def policy_id(scene: Scene) -> object:
    return SlaAssignment.objects.get(customer=scene.customer).policy_version.policy_id


@pytest.mark.parametrize("name", LISTS)
def test_domain_page_opens_within_its_budget(name: str, owner: Client, scene: Scene) -> None:
    owner.get(address("home"))
    with CaptureQueriesContext(connection) as queries:
        response = owner.get(address(name))

    assert response.status_code == 200
    assert len(asked(queries)) <= MOST_QUERIES, asked(queries)


@pytest.mark.parametrize("name", TABS)
def test_customer_tab_opens_within_its_budget(name: str, owner: Client, scene: Scene) -> None:
    owner.get(address("home"))
    with CaptureQueriesContext(connection) as queries:
        response = owner.get(address(name, scene.customer.pk))

    assert response.status_code == 200
    assert len(asked(queries)) <= MOST_QUERIES, asked(queries)
    if "tabs" in response.context:
        # The head says the same on every tab.
        assert response.context["health"].status.label in response.content.decode().split('class="tabs')[0]


def test_detail_pages_open_within_their_budget(owner: Client, scene: Scene) -> None:
    pages, counts = details(scene), {}
    owner.get(address("home"))
    for name, url in pages.items():
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(url).status_code == 200, name
        counts[name] = len(asked(queries))

    assert {name: count for name, count in counts.items() if count > MOST_QUERIES} == {}


@pytest.mark.parametrize("name", (*LISTS[:15], "palette"))
def test_an_anonymous_visitor_is_sent_to_sign_in(name: str, client: Client, partner: object) -> None:
    response = client.get(address(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=%2Fmanage%2F")


@pytest.mark.parametrize("name", TABS)
def test_a_customer_that_is_not_there_is_not_found(name: str, owner: Client) -> None:
    assert owner.get(address(name, uuid4())).status_code == 404


@pytest.mark.parametrize(
    "name", ("integration", "connection", "run", "error", "plan", "policy", "invoice", "sla_report")
)
def test_a_thing_that_is_not_there_is_not_found(name: str, owner: Client) -> None:
    assert owner.get(address(name, uuid4())).status_code == 404


def test_finance_sees_money_and_no_engineering(sign_in: SignIn, scene: Scene) -> None:
    finance = sign_in("finance")

    opened = {name: finance.get(address(name)).status_code for name in ("home", "customers", "billing", "sla", "runs", "errors", "integrations", "catalogue")}  # fmt: skip
    menu = finance.get(address("billing")).content.decode()

    assert opened == {
        "home": 200, "customers": 200, "billing": 200, "sla": 200, "runs": 403, "errors": 403, "integrations": 403, "catalogue": 403,
    }  # fmt: skip
    assert 'href="/manage/billing/"' in menu
    assert 'href="/manage/runs/"' not in menu


def test_a_customers_person_is_not_let_in(scene: Scene, client: Client, now: object) -> None:
    person = create_person(email="pat@northwind.example", name="Pat", password="correct horse battery", now=now)
    add_member(actor=SYSTEM, now=now, customer=scene.customer, user=person, role="admin")
    client.force_login(person)

    assert {client.get(address(name)).status_code for name in LISTS} == {404}
