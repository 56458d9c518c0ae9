"""Versions of an integration over the API, from draft to publication, and connections that are paused."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.accounts.models import StaffMembership, User
from apps.core.actor import Actor
from apps.core.ids import encode_id
from apps.flows.models import Integration
from apps.flows.services import change_settings, set_release_rules
from tests.api.conftest import ApiClient
from tests.factories.world import make_world


@pytest.fixture
def integration(partner: object, owner_actor: Actor, now: datetime) -> Integration:
    """With a draft that another person has to publish."""
    for name in ("second", "third"):
        user = User.objects.create(email=f"{name}@example.com", name=name, created_at=now)
        StaffMembership.objects.create(user=user, role="admin", created_at=now)
    found = make_world("Lakeside").integrations["time-to-invoice"]
    set_release_rules(actor=owner_actor, now=now, requires_review=True)
    change_settings(
        actor=owner_actor, now=now, integration=found, name=found.name, settings={**found.settings, "payment_days": 45}
    )
    return found


def versions(integration: Integration, number: int | str = "", step: str = "") -> str:
    return f"/integrations/{encode_id('itg', integration.pk)}/versions/{number}{step}"


def test_a_draft_tells_its_changes_and_goes_through_review(api: ApiClient, integration: Integration) -> None:
    number = api.get(versions(integration).rstrip("/")).json()["data"][0]["number"]

    shown = api.get(versions(integration, number)).json()
    handed_in = api.post(versions(integration, number, "/submit")).json()
    silent = api.post(versions(integration, number, "/return"), {"reason": " "})
    returned = api.post(versions(integration, number, "/return"), {"reason": "Too long"}).json()

    assert (shown["status"], shown["number"]) == ("draft", number)
    assert shown["changed"] == [{"part": "Settings", "name": "payment days", "before": "30", "after": "45"}]
    assert shown["back"] == shown["changed"]
    assert (handed_in["status"], silent.status_code, returned["status"]) == ("in_review", 400, "draft")


def test_whoever_wrote_it_does_not_publish_it_and_may_discard_it(
    api: ApiClient, integration: Integration, bound: ApiClient
) -> None:
    number = integration.revisions.order_by("-number").values_list("number", flat=True)[0]

    assert bound.get(versions(integration, number)).status_code == 404
    refused = api.post(versions(integration, number, "/publish"))
    gone = api.client.delete(f"/api/v1{versions(integration, number)}")

    assert (refused.status_code, gone.status_code) == (409, 204)
    assert api.get(versions(integration, number)).status_code == 404


def test_a_connection_is_paused_and_resumed(api: ApiClient, partner: object) -> None:
    connection = make_world("Brightwater").connections["delivery"]
    place = f"/connections/{encode_id('con', connection.pk)}"

    paused = api.post(f"{place}/pause").json()
    again = api.post(f"{place}/resume").json()

    assert (paused["status"], again["status"]) == ("paused", "active")
