"""Promising a service level to a customer, and beginning to bill it, on its own page."""

from __future__ import annotations

from decimal import Decimal

from django.test import Client
from django.urls import reverse

from apps.billing.models import BillingAccount, Subscription, SubscriptionStatus
from apps.billing.services import record_usage
from apps.sla.models import SlaAssignment
from tests.factories.delivery import make_customer
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


ACCOUNT = {
    "form": "account", "account-legal_name": "Osprey Ltd", "account-email": "bills@osprey.example",
    "account-address": "", "account-country": "GB", "account-tax_id": "GB123",
}  # fmt: skip


def test_a_policy_is_promised_from_now_on(owner: Client, scene: Scene, now: object) -> None:
    customer = make_customer("Osprey")
    version = SlaAssignment.objects.get(customer=scene.customer).policy_version

    owner.post(address("customer_sla", customer.pk), {"policy": str(version.pk)})

    promised = SlaAssignment.objects.get(customer=customer)
    assert (promised.policy_version_id, promised.starts_at, promised.ends_at) == (version.pk, now, None)


def test_the_running_month_is_measured_from_the_runs(owner: Client, scene: Scene) -> None:
    lines = owner.get(address("customer_sla", scene.customer.pk)).context["lines"]

    assert (lines[0].name, str(lines[0].achieved), str(lines[0].target)) == (
        "Successful runs",
        "100.00",
        "99",
    )
    assert lines[1].name == "In step within 15 min"


def test_billing_begins_with_who_is_billed_and_then_a_plan(owner: Client, scene: Scene) -> None:
    customer = make_customer("Osprey")
    page = address("customer_billing", customer.pk)

    owner.post(page, ACCOUNT)
    account = BillingAccount.objects.get(subject_key=customer.subject_key)
    owner.post(page, {"form": "plan", "plan-plan": str(scene.subscription.plan_version_id)})

    subscription = Subscription.objects.get(account=account)
    assert (account.legal_name, account.country, account.currency) == ("Osprey Ltd", "GB", "EUR")
    assert (subscription.plan_version_id, subscription.status) == (scene.subscription.plan_version_id, "active")


def test_the_running_month_is_rated_by_the_code_that_issues(owner: Client, scene: Scene, now: object) -> None:
    record_usage(
        subject_key=scene.customer.subject_key, meter="records_synced", quantity=Decimal(1500), key="run:1",
        occurred_at=now, now=now,
    )  # fmt: skip

    response = owner.get(address("customer_billing", scene.customer.pk))
    context = response.context

    assert [line.amount for line in context["preview"].lines] == [149000, 225]
    assert context["preview"].tax.label.startswith("VAT")
    assert context["preview"].tax.label in response.content.decode()
    assert [str(day) for day in context["days"]] == ["2026-11-01", "2026-11-30"]


def test_incomplete_billing_details_are_told_at_their_field(owner: Client, scene: Scene) -> None:
    customer = make_customer("Osprey")

    response = owner.post(address("customer_billing", customer.pk), {**ACCOUNT, "account-legal_name": ""})

    assert set(response.context["account_form"].errors) == {"legal_name"}
    assert BillingAccount.objects.filter(subject_key=customer.subject_key).count() == 0


def test_a_subscription_can_be_ended(owner: Client, scene: Scene) -> None:
    owner.post(address("subscription_cancel", scene.customer.pk))

    scene.subscription.refresh_from_db()
    assert scene.subscription.status == SubscriptionStatus.CANCELED


def test_an_engineer_promises_nothing_and_sees_no_bill(sign_in: SignIn, scene: Scene) -> None:
    engineer, policy = sign_in("engineer"), SlaAssignment.objects.get().policy_version_id

    refused = [
        engineer.post(address("customer_sla", scene.customer.pk), {"policy": str(policy)}).status_code,
        engineer.get(address("customer_billing", scene.customer.pk)).status_code,
        engineer.post(address("customer_billing", scene.customer.pk), ACCOUNT).status_code,
        engineer.post(address("subscription_cancel", scene.customer.pk)).status_code,
    ]

    assert refused == [403] * 4
    assert SlaAssignment.objects.count() == 1
    assert Subscription.objects.get().status == SubscriptionStatus.ACTIVE
