"""Plans: what is typed is stored to the last fraction; customers subscribe to what is on offer."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from apps.billing.models import BillingAccount, Plan, PlanVersion, Price, Subscription
from tests.browsing import Browser
from tests.factories.delivery import make_customer
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene

NOBODY = UUID(int=7)
FLAT = {"label": "Managed service", "meter": "", "unit_price": "1490.50", "included": ""}
METERED = {"label": "Records", "meter": "records_synced", "unit_price": "0.004505", "included": "1000.5"}
ACCOUNT = {
    "form": "account", "account-legal_name": "Osprey Ltd", "account-email": "bills@osprey.example",
    "account-address": "1 Quay", "account-country": "GB", "account-tax_id": "GB123",
}  # fmt: skip


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def prices(*rows: dict[str, str], initial: int = 0) -> dict[str, str]:
    """The rows as the editor posts them: four at least, the others empty."""
    data = {"prices-TOTAL_FORMS": str(max(4, len(rows))), "prices-INITIAL_FORMS": str(initial)}
    for number, row in enumerate(rows):
        data |= {f"prices-{number}-{name}": value for name, value in row.items()}
    return data


def plan(*rows: dict[str, str], **changes: str) -> dict[str, str]:
    return {"name": "Starter", "description": "Three systems", "currency": "EUR", **prices(*rows), **changes}


def stored(version: PlanVersion) -> list[tuple[str, str, str, Decimal, Decimal]]:
    rows = version.prices.order_by("position")
    return list(rows.values_list("kind", "label", "meter", "unit_amount", "included_quantity"))


def counts() -> tuple[int, int, int]:
    return Plan.objects.count(), PlanVersion.objects.count(), Price.objects.count()


def test_a_plan_is_stored_to_the_last_fraction(owner: Client, partner: object) -> None:
    response = owner.post(address("plan_add"), plan(FLAT, METERED))

    version = PlanVersion.objects.get()
    assert response["Location"] == address("plan", version.plan_id)
    assert (version.plan.name, version.plan.description) == ("Starter", "Three systems")
    assert (version.number, version.currency) == (1, "EUR")
    assert stored(version) == [
        ("flat", "Managed service", "", Decimal(149_050), Decimal(0)),
        ("metered", "Records", "records_synced", Decimal("0.4505"), Decimal("1000.5")),
    ]


def test_a_currency_without_cents_is_stored_in_its_own_unit(owner: Client, partner: object) -> None:
    owner.post(address("plan_add"), plan({**FLAT, "unit_price": "150000"}, METERED, currency="JPY"))

    assert [row[3] for row in stored(PlanVersion.objects.get())] == [Decimal(150_000), Decimal("0.004505")]


BAD = {
    "no price": plan(),
    "no name": plan(FLAT, name=""),
    "a flat fee with a fraction of a cent": plan({**FLAT, "unit_price": "10.005"}),
    "a flat fee with a fraction of a yen": plan({**FLAT, "unit_price": "10.5"}, currency="JPY"),
    "negative": plan({**FLAT, "unit_price": "-1"}),
    "not a number": plan({**FLAT, "unit_price": "Infinity"}),
    "finer than can be kept": plan({**METERED, "unit_price": "0.0000001"}),
    "a label without a price": plan({**FLAT, "unit_price": ""}),
    "a price without a label": plan({**FLAT, "label": ""}),
    "an unknown meter": plan({**METERED, "meter": "smiles"}),
    "one meter twice": plan(METERED, {**METERED, "label": "More records"}),
    "an unknown currency": plan(FLAT, currency="XXX"),
    "no rows at all": {"name": "Starter", "currency": "EUR"},
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_plan_is_refused(owner: Client, partner: object, data: dict[str, str]) -> None:
    response = owner.post(address("plan_add"), data)

    assert response.status_code == 200
    assert response.context["form"].errors or response.context["rows"].total_error_count()
    assert counts() == (0, 0, 0)


def test_a_flat_fee_below_the_smallest_unit_is_told_in_the_form(owner: Client, partner: object) -> None:
    response = owner.post(address("plan_add"), plan({**FLAT, "unit_price": "10.005"}))

    assert response.context["form"].non_field_errors() == ["A flat fee has no fractions of the smallest unit of EUR."]


def test_a_name_is_taken_once(owner: Client, partner: object) -> None:
    owner.post(address("plan_add"), plan(FLAT))

    response = owner.post(address("plan_add"), plan(FLAT))

    assert list(response.context["form"].errors) == ["name"]
    assert counts() == (1, 1, 1)


@pytest.mark.parametrize("name", ["STARTER", " Starter "])
def test_a_name_is_the_same_in_capitals(owner: Client, partner: object, name: str) -> None:
    owner.post(address("plan_add"), plan(FLAT))

    response = owner.post(address("plan_add"), plan(FLAT, name=name))

    assert response.context["form"].errors == {"name": ["Choose a name that no other plan has."]}
    assert counts() == (1, 1, 1)


def test_a_name_needs_no_latin_letters(owner: Client, partner: object) -> None:
    names = ("Интеграция", "統合", "Starter", "Starter!")

    assert [owner.post(address("plan_add"), plan(FLAT, name=name)).status_code for name in names] == [302] * 4

    codes = dict(Plan.objects.values_list("name", "code"))
    assert (set(codes), codes["Starter"]) == (set(names), "starter")
    assert len(set(codes.values())) == 4


def test_new_prices_leave_running_subscriptions_alone(owner: Client, scene: Scene) -> None:
    first = scene.subscription.plan_version
    rows = prices({**FLAT, "unit_price": "1600"}, METERED, initial=2)

    response = owner.post(address("plan", first.plan_id), {"currency": "EUR", **rows})

    second = PlanVersion.objects.get(plan=first.plan, number=2)
    scene.subscription.refresh_from_db()
    assert response["Location"] == address("plan", first.plan_id)
    assert [row[3] for row in stored(second)] == [Decimal(160_000), Decimal("0.4505")]
    assert [row[3] for row in stored(first)] == [Decimal(149_000), Decimal("0.45")]
    assert scene.subscription.plan_version_id == first.pk


def test_what_the_editor_shows_is_published_unchanged(owner: Client, scene: Scene) -> None:
    """Rows nobody touched are prices too."""
    first = scene.subscription.plan_version
    shown = owner.get(address("plan", first.plan_id)).context["rows"]
    rows = [{name: form[name].value() or "" for name in FLAT} for form in shown]

    owner.post(address("plan", first.plan_id), {"currency": "EUR", **prices(*rows, initial=shown.initial_form_count())})

    assert stored(PlanVersion.objects.get(number=2)) == stored(first)


def test_bad_prices_publish_nothing(owner: Client, scene: Scene) -> None:
    url = address("plan", scene.subscription.plan_version.plan_id)

    refused = owner.post(url, {"currency": "EUR", **prices({**FLAT, "unit_price": "0.001"}, initial=2)})

    assert refused.status_code == 200
    assert counts() == (1, 1, 2)


def test_an_archived_plan_is_off_the_list(owner: Client, scene: Scene, now: object) -> None:
    sold = scene.subscription.plan_version.plan
    rows = prices(FLAT, initial=2)

    response = owner.post(address("plan_archive", sold.pk))
    published = owner.post(address("plan", sold.pk), {"currency": "EUR", **rows})

    sold.refresh_from_db()
    scene.subscription.refresh_from_db()
    assert (response["Location"], sold.archived_at) == (address("plans"), now)
    assert scene.subscription.status == "active"
    assert b"This plan is archived: it takes no new prices." in published.content
    assert counts() == (1, 1, 2)


def test_an_archived_plan_cannot_be_subscribed_to(owner: Client, scene: Scene) -> None:
    customer, version = make_customer("Osprey"), scene.subscription.plan_version
    page = address("customer_billing", customer.pk)
    owner.post(page, ACCOUNT)
    owner.post(address("plan_archive", version.plan_id))

    response = owner.post(page, {"form": "plan", "plan-plan": str(version.pk)})

    assert list(response.context["plan_form"].errors) == ["plan"]
    assert Subscription.objects.count() == 1


def test_a_plan_in_another_currency_is_not_on_offer(owner: Client, scene: Scene) -> None:
    customer = make_customer("Osprey")
    page = address("customer_billing", customer.pk)
    owner.post(page, ACCOUNT)
    owner.post(address("plan_add"), plan(FLAT, currency="USD"))
    dollars = PlanVersion.objects.get(currency="USD")

    response = owner.post(page, {"form": "plan", "plan-plan": str(dollars.pk)})

    assert list(response.context["plan_form"].errors) == ["plan"]
    assert Subscription.objects.count() == 1


def test_one_subscription_at_a_time(owner: Client, scene: Scene) -> None:
    version = scene.subscription.plan_version

    response = owner.post(
        address("customer_billing", scene.customer.pk), {"form": "plan", "plan-plan": str(version.pk)}
    )

    assert b"This customer already has a subscription. Cancel it first." in response.content
    assert Subscription.objects.count() == 1


def test_billing_details_are_changed_and_the_currency_stays(owner: Client, scene: Scene) -> None:
    owner.post(address("customer_billing", scene.customer.pk), ACCOUNT)

    account = BillingAccount.objects.get()
    assert (account.legal_name, account.address, account.country) == ("Osprey Ltd", "1 Quay", "GB")
    assert (account.email, account.tax_id, account.currency) == ("bills@osprey.example", "GB123", "EUR")


def test_a_country_is_two_letters(owner: Client, scene: Scene) -> None:
    response = owner.post(address("customer_billing", scene.customer.pk), {**ACCOUNT, "account-country": "1"})

    assert list(response.context["account_form"].errors) == ["country"]
    assert BillingAccount.objects.get().country == "DE"


def writes(scene: Scene) -> list[tuple[str, dict[str, str]]]:
    sold = scene.subscription.plan_version.plan_id
    return [
        (address("plan_add"), plan(FLAT)),
        (address("plan", sold), {"currency": "EUR", **prices(FLAT, initial=2)}),
        (address("plan_archive", sold), {}),
    ]


@pytest.mark.parametrize("role", ["viewer", "engineer", "support"])
def test_who_does_not_handle_money_changes_no_plan(sign_in: SignIn, scene: Scene, role: str) -> None:
    browser = sign_in(role)

    assert [browser.post(url, data).status_code for url, data in writes(scene)] == [403] * 3
    assert (counts(), Plan.objects.get().archived_at) == ((1, 1, 2), None)


def test_finance_sells_plans(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("finance")

    assert [browser.post(url, data).status_code for url, data in writes(scene)] == [302] * 3
    assert counts() == (2, 3, 4)


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    answers = [Browser().post(url, data) for url, data in writes(scene)]

    assert [(answer.status_code, answer["Location"].split("?")[0]) for answer in answers] == [
        (302, reverse("account_login"))
    ] * 3
    assert counts() == (1, 1, 2)


def test_a_plan_that_is_not_there_is_not_found(owner: Client, partner: object) -> None:
    assert owner.get(address("plan", NOBODY)).status_code == 404
    assert owner.post(address("plan", NOBODY), plan(FLAT)).status_code == 404
    assert owner.post(address("plan_archive", NOBODY)).status_code == 404
