"""Connecting a customer's systems and looking after the connections."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.registry import list_manifests
from apps.connectors.sdk.manifest import Domain
from apps.connectors.services import save_oauth_app
from apps.core.planes import tenant_plane
from tests.factories.delivery import make_connection, make_customer
from tests.functional.partner.scene import SYSTEM, Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


XERO = {"name": "Xero", "environment": "production"}
TRYTON = {
    "name": "Second Tryton", "environment": "production", "field_base_url": "http://127.0.0.1:9/db", "field_key": "open sesame",
}  # fmt: skip


def test_the_catalogue_offers_what_fits_the_role(owner: Client, scene: Scene) -> None:
    everything = owner.get(address("connect", scene.customer.pk)).context["groups"]
    billing = owner.get(address("connect", scene.customer.pk), {"domain": "billing"}).context["groups"]

    assert [label for label, _ in everything] == ["CRM", "ERP", "Delivery", "Billing"]
    billers = [m for m in list_manifests() if Domain.BILLING in (m.domain, *m.also_domains)]
    assert [(label, [m.key for m in fitting]) for label, fitting in billing] == [("Billing", [m.key for m in billers])]
    assert {"tryton", "xero"} < {m.key for m in billers}


def test_a_system_that_does_not_answer_is_told_at_its_field_and_nothing_is_stored(owner: Client, scene: Scene) -> None:
    form = owner.get(address("connect_vendor", scene.customer.pk, "tryton")).context["form"]
    given = {**TRYTON, **{name: "x" for name, field in form.fields.items() if field.required and name not in TRYTON}}

    response = owner.post(address("connect_vendor", scene.customer.pk, "tryton"), given)

    assert response.status_code == 200
    assert "could not be reached" in response.context["form"].errors["field_base_url"][0]
    assert Connection.objects.filter(name="Second Tryton").count() == 0
    assert "open sesame" not in response.content.decode()


def test_missing_input_is_told_before_anybody_is_asked(owner: Client, scene: Scene) -> None:
    response = owner.post(address("connect_vendor", scene.customer.pk, "tryton"), {"environment": "production"})

    assert {"name", "field_base_url"} <= set(response.context["form"].errors)


def test_a_consent_is_stored_first_and_then_asked_for(owner: Client, scene: Scene, now: object) -> None:
    save_oauth_app(actor=SYSTEM, now=now, vendor="xero", client_id="our-app", client_secret="shh")
    stored = owner.post(address("connect_vendor", scene.customer.pk, "xero"), XERO)
    connection = Connection.objects.get(name="Xero")

    asked = owner.post(address("connection_authorize", connection.pk), headers={"HX-Request": "true"})

    assert connection.status == ConnectionStatus.PENDING
    assert stored["Location"] == address("connection", connection.pk)
    assert asked.status_code == 204
    start = owner.get(asked["HX-Redirect"])
    assert start["Location"].startswith("https://login.xero.com/identity/connect/authorize?")
    assert list(start.cookies) == [name for name in start.cookies if name.startswith("consent-")]


def test_without_an_app_at_the_vendor_the_consent_is_refused_in_words(owner: Client, scene: Scene) -> None:
    owner.post(address("connect_vendor", scene.customer.pk, "xero"), XERO)
    connection = Connection.objects.get(name="Xero")

    response = owner.post(address("connection_authorize", connection.pk), follow=True)

    assert response.redirect_chain == [(address("connection", connection.pk), 302)]
    assert [str(message.level_tag) for message in response.context["messages"]][-1] == "error"


def test_the_way_back_leads_into_the_wizard_and_nowhere_else(owner: Client, scene: Scene) -> None:
    form = address("connect_vendor", scene.customer.pk, "xero")

    assert owner.get(form, {"next": "/manage/errors/"}).context["next"] == "/manage/errors/"
    assert owner.get(form, {"next": "https://evil.example/manage/"}).context["next"] == ""
    assert owner.get(form, {"next": "//evil.example/manage/"}).context["next"] == ""


def test_pausing_and_archiving(owner: Client, scene: Scene) -> None:
    connection = scene.connections["crm"]

    owner.post(address("connection_change", connection.pk, "pause"))
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.PAUSED

    response = owner.post(address("connection_change", connection.pk, "archive"))
    connection.refresh_from_db()
    assert connection.archived_at is not None
    assert Credential.objects.filter(connection=connection).count() == 0
    assert response["Location"] == address("customer_connections", scene.customer.pk)


@pytest.mark.parametrize("change", ("check", "pause", "resume", "archive"))
def test_a_viewer_changes_nothing(change: str, viewer: Client, scene: Scene) -> None:
    connection = scene.connections["crm"]

    refused = viewer.post(address("connection_change", connection.pk, change))

    connection.refresh_from_db()
    assert refused.status_code == 403
    assert (connection.status, connection.archived_at) == (ConnectionStatus.ACTIVE, None)


def test_a_viewer_connects_and_edits_nothing(viewer: Client, scene: Scene) -> None:
    connection = scene.connections["crm"]

    refused = [
        viewer.get(address("connect", scene.customer.pk)).status_code,
        viewer.post(address("connect_vendor", scene.customer.pk, "xero"), XERO).status_code,
        viewer.post(address("connection_edit", connection.pk), {"name": "Mine"}).status_code,
        viewer.post(address("connection_authorize", connection.pk)).status_code,
    ]

    assert refused == [403] * 4
    assert Connection.objects.count() == 3


def test_unknown_systems_and_actions_are_not_found(owner: Client, scene: Scene) -> None:
    assert owner.get(address("connect_vendor", scene.customer.pk, "no-such")).status_code == 404
    assert owner.post(address("connection_change", scene.connections["crm"].pk, "explode")).status_code == 404
    assert owner.get(address("connector", "no-such")).status_code == 404


def test_a_connection_of_another_partner_is_not_found(owner: Client, other_partner: object, scene: Scene) -> None:
    with tenant_plane(other_partner.schema_name):
        theirs = make_connection(make_customer("Somebody else"))

    assert owner.get(address("connection", theirs.pk)).status_code == 404
    assert owner.post(address("connection_change", theirs.pk, "archive")).status_code == 404
    with tenant_plane(other_partner.schema_name):
        theirs.refresh_from_db()
        assert theirs.archived_at is None
