"""Adding, changing and retiring customers, and inviting their people."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Invitation
from apps.connectors.models import Connection, ConnectionStatus
from apps.core.actor import Actor
from apps.customers.models import Customer, EnvironmentKind
from apps.notifications.models import OutgoingMail
from apps.partner_portal.selectors.health import customer_health, health_of_one
from tests.functional.partner.scene import Scene

GIVEN = {"name": "Osprey Engineering", "currency": "EUR", "time_zone": "Europe/Berlin", "country": "DE", "owner": ""}


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def test_adding_a_customer_makes_it_whole_and_opens_its_page(owner: Client) -> None:
    response = owner.post(address("customer_add"), GIVEN)

    customer = Customer.objects.get(name="Osprey Engineering")
    assert response["Location"] == address("customer", customer.pk)
    assert sorted(customer.environments.values_list("kind", flat=True)) == sorted(EnvironmentKind.values)
    assert customer.time_zone == "Europe/Berlin"


def test_what_does_not_fit_is_shown_at_its_field(owner: Client, partner: object) -> None:
    response = owner.post(address("customer_add"), {**GIVEN, "name": "", "country": "Germany", "currency": "XYZ"})

    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"name", "country", "currency"}
    assert Customer.objects.count() == 0


@pytest.mark.parametrize("place", [{"country": "1!"}, {"country": "XK"}, {"country": "de"}, {"currency": "DEM"}])
def test_a_country_and_a_currency_are_chosen_from_those_there_are(
    owner: Client, partner: object, place: dict[str, str]
) -> None:
    response = owner.post(address("customer_add"), {**GIVEN, **place})

    [(field, value)] = place.items()
    assert response.context["form"].errors == {
        field: [f"Select a valid choice. {value} is not one of the available choices."]
    }
    assert Customer.objects.count() == 0


def test_a_viewer_adds_changes_and_archives_nothing(viewer: Client, scene: Scene) -> None:
    refused = [
        viewer.post(address("customer_add"), GIVEN).status_code,
        viewer.post(address("customer_edit", scene.customer.pk), {**GIVEN, "lifecycle": "live"}).status_code,
        viewer.post(address("customer_archive", scene.customer.pk)).status_code,
        viewer.post(
            address("customer_users", scene.customer.pk), {"email": "a@b.example", "role": "admin"}
        ).status_code,
    ]

    scene.customer.refresh_from_db()
    assert refused == [403, 403, 403, 403]
    assert (scene.customer.name, scene.customer.archived_at) == ("Northwind Advisory", None)
    assert Customer.objects.count() == 1
    assert Invitation.objects.count() == 0


def test_changing_details(owner: Client, scene: Scene) -> None:
    given = {**GIVEN, "name": "Northwind Group", "lifecycle": "live"}

    response = owner.post(address("customer_edit", scene.customer.pk), given)

    scene.customer.refresh_from_db()
    assert response["Location"] == address("customer", scene.customer.pk)
    assert (scene.customer.name, scene.customer.lifecycle) == ("Northwind Group", "live")


def test_archiving_takes_the_customer_off_the_list(owner: Client, scene: Scene) -> None:
    response = owner.post(address("customer_archive", scene.customer.pk))

    listed = owner.get(address("customers")).content.decode()
    assert response["Location"] == address("customers")
    assert "Northwind Advisory</" not in listed.partition('id="list"')[2].partition("list-bar")[0]


def test_inviting_somebody_mails_them_and_lists_the_invitation(owner: Client, scene: Scene) -> None:
    users = address("customer_users", scene.customer.pk)

    response = owner.post(users, {"email": "pat@northwind.example", "role": "admin"})

    invitation = Invitation.objects.get()
    assert response["Location"] == users
    assert (invitation.subject_key, invitation.role) == (scene.customer.subject_key, "admin")
    assert list(OutgoingMail.objects.values_list("recipient", "kind")) == [
        ("pat@northwind.example", "accounts.invitation")
    ]
    assert "pat@northwind.example" in owner.get(users).content.decode()


def test_an_invitation_can_be_withdrawn(owner: Client, scene: Scene) -> None:
    owner.post(address("customer_users", scene.customer.pk), {"email": "pat@northwind.example", "role": "admin"})
    invitation = Invitation.objects.get()

    owner.post(address("customer_invitation_withdraw", scene.customer.pk, invitation.pk))

    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


def test_the_list_tells_who_is_well(owner: Client, scene: Scene) -> None:
    page = owner.get(address("customers"))

    row = page.context["table"].rows[0]
    cells = {cell.column.key: cell.value for cell in row.cells}
    assert cells["name"] == "Northwind Advisory"
    assert cells["health"].label == "2 open errors"
    assert (cells["integrations"], cells["errors"]) == (1, 2)
    assert (cells["plan"], str(cells["mrr"])) == ("Growth northwind-advisory", "1490.00 EUR")


def test_a_customers_tabs_say_what_the_list_says(scene: Scene, owner_actor: Actor, now: datetime) -> None:
    Connection.objects.filter(pk=scene.connections["erp"].pk).update(status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    one = health_of_one(owner_actor, scene.customer, now)
    listed = customer_health(owner_actor, [scene.customer], now)[scene.customer.pk]

    assert (one.tone, one.reasons, one.live_count, one.in_step_until, one.open_error_count) == (
        listed.tone, listed.reasons, listed.live_count, listed.in_step_until, listed.open_error_count,
    )  # fmt: skip
    assert "needs re-authorization" in one.status.label


def test_the_list_as_a_file_holds_the_same_rows(owner: Client, scene: Scene) -> None:
    response = owner.get(address("customers"), {"format": "json"})

    assert response["Content-Disposition"] == 'attachment; filename="customers.json"'
    assert response.json()[0]["name"] == "Northwind Advisory"
    assert response.json()[0]["mrr"] == "1490.00 EUR"


def test_onboarding_completes_itself_from_facts(owner: Client, scene: Scene) -> None:
    steps = {step.label: step.is_done for step in owner.get(address("customer", scene.customer.pk)).context["steps"]}

    assert steps == {
        "Connect two systems": True, "Deploy an integration": True, "Go live": True, "See the first run through": True,
        "Invite the customer's people": False, "Promise a service level": True, "Choose a plan": True,
    }  # fmt: skip


def test_the_map_shows_the_systems_and_where_the_flow_leads(owner: Client, scene: Scene) -> None:
    live = owner.get(address("customer", scene.customer.pk)).context["live"]

    assert sorted(card.name for card in live.map.cards) == ["HubSpot", "Redmine", "Tryton"]
    assert [(line.source_name, line.target_name) for line in live.map.lines] == [
        ("HubSpot", "Tryton"),
        ("HubSpot", "Redmine"),
    ]
