"""A customer's integrations as a text in the portal and over the API, and promotion from the sandbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.accounts.services import create_api_key
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.flows.models import Integration
from apps.flows.services import deploy_integration
from apps.sync.services import load_limits
from tests.api.conftest import ApiClient
from tests.factories.delivery import make_connection
from tests.functional.partner.scene import SYSTEM, Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def test_a_changed_text_is_shown_before_it_is_carried_out(owner: Client, scene: Scene) -> None:
    page = address("configuration", scene.customer.pk)
    text = owner.get(page).context["text"]
    changed = text.replace("first_task: Kick-off", "first_task: Begin")

    planned = owner.post(page, {"source": changed})
    untouched = Integration.objects.get(pk=scene.flow.integration_id).settings["first_task"]
    owner.post(page, {"source": changed, "confirmed": "1"})
    wrong = owner.post(page, {"source": changed.replace("version:", "release:")})

    assert [detail.name for detail in planned.context["plan"].changes[0].details] == ["settings first_task"]
    assert untouched == "Kick-off"
    assert Integration.objects.get(pk=scene.flow.integration_id).settings["first_task"] == "Begin"
    assert wrong.status_code == 422
    assert "Line 5, integrations[0]" in wrong.context["problem"]
    assert owner.get(address("configuration_export", scene.customer.pk)).content.decode() == changed


def test_the_sandbox_is_promoted_with_productions_systems(owner: Client, scene: Scene, now: datetime) -> None:
    sandbox = scene.customer.environments.get(kind="sandbox")
    bound = {
        role: make_connection(scene.customer, found.vendor, environment=sandbox, name=found.name)
        for role, found in scene.connections.items()
    }
    tried = deploy_integration(
        actor=SYSTEM, now=now, environment=sandbox, template_version=scene.flow.integration.template_version,
        name="Deals again", bindings=bound, settings={"first_task": "Try"},
    )  # fmt: skip
    page = address("promote", tried.pk)

    shown = owner.get(page)
    owner.post(page, {**{role: str(found.pk) for role, found in scene.connections.items()}, "confirmed": "1"})

    made = Integration.objects.get(promoted_from=tried)
    assert shown.context["entry"].action == "create"
    assert (made.status, made.environment.kind, made.settings["first_task"]) == ("live", "production", "Try")
    assert owner.get(page).context["entry"].action == "same"
    assert owner.get(address("promote", made.pk))["Location"] == address("versions", made.pk)


def test_the_same_over_the_api(scene: Scene, owner_actor: Actor, now: datetime) -> None:
    _, secret = create_api_key(actor=owner_actor, now=now, name="Robot", scopes=["integrations.manage"])
    api, path = ApiClient(secret), f"/customers/{encode_id('cus', scene.customer.pk)}/configuration"
    text: Any = api.get(path).json()["yaml"]
    changed = text.replace("first_task: Kick-off", "first_task: Begin")

    plan = api.post(f"{path}/plan", {"yaml": changed}).json()
    applied = api.post(f"{path}/apply", {"yaml": changed}).json()
    again = api.post(f"{path}/apply", {"yaml": changed}).json()
    refused = api.post(f"{path}/apply", {"yaml": "nothing"})

    assert (plan["is_empty"], plan["integrations"][0]["action"]) == (False, "change")
    assert applied == plan
    assert again["is_empty"] is True
    assert (refused.status_code, refused.json()["detail"][:7]) == (400, "Line 1:")


def test_what_holds_for_all_customers_is_shown_before_it_is_carried_out(owner: Client, scene: Scene) -> None:
    page = address("partner_configuration")
    text = owner.get(page).context["text"]
    changed = text.replace("per_customer: null", "per_customer: 3")

    planned = owner.post(page, {"source": changed})
    untouched = load_limits().per_customer
    owner.post(page, {"source": changed, "confirmed": "1"})
    wrong = owner.post(page, {"source": changed.replace("limits:", "limit:")})

    assert [detail.name for detail in planned.context["plan"].changes[0].details] == ["per_customer"]
    assert (untouched, load_limits().per_customer) == (None, 3)
    assert (wrong.status_code, "There is no such part" in wrong.context["problem"]) == (422, True)
    assert owner.get(address("partner_configuration_export")).content.decode() == changed
