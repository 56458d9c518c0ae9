"""What waits to be released, in the partner's portal and in the customer's."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.services import authenticate_api_key, create_api_key
from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor
from apps.core.errors import NotPermitted
from apps.sync.engine.hashing import digest
from apps.sync.models import ApprovalRequest
from apps.sync.services import approve
from tests.factories.world import World, make_world


@pytest.fixture
def world(partner: object) -> World:
    return make_world("Harbor")


def as_shown(approval: ApprovalRequest) -> ApprovalRequest:
    """The record is as it is shown."""
    approval.shown = {"name": "Harbor"}
    approval.digest = digest({"name": "Harbor"})
    approval.save()
    return approval


def test_the_partner_releases_and_refuses(owner: Client, viewer: Client, world: World) -> None:
    approval = as_shown(world.approvals["partner"])
    CanonicalRecord.objects.filter(pk=approval.record_id).update(data={"name": "Harbor"})
    page = owner.get(reverse("partner_portal:approvals")).content.decode()
    assert "Release this invoice?" in page
    assert "The customer decides this in their portal." in page
    assert "Refuse" not in viewer.get(reverse("partner_portal:approvals")).content.decode()

    refuse = reverse("partner_portal:approval_reject", args=[approval.pk])
    owner.post(refuse, {"reason": ""})
    approval.refresh_from_db()
    assert approval.status == "open"

    owner.post(reverse("partner_portal:approval_approve", args=[approval.pk]), {"reason": "Seen"})
    approval.refresh_from_db()
    assert (approval.status, approval.reason) == ("released", "Seen")
    owner.post(reverse("partner_portal:approval_reject", args=[world.approvals["customer"].pk]), {"reason": "No"})
    world.approvals["customer"].refresh_from_db()
    assert world.approvals["customer"].status == "open"


def test_notices_are_listed(owner: Client, world: World) -> None:
    assert "Overdue: INV-7" in owner.get(reverse("partner_portal:notices")).content.decode()


def test_no_key_decides_for_the_customer_and_a_decision_by_key_names_who_made_it(
    world: World, owner_actor: Actor, now: datetime
) -> None:
    asked = {audience: as_shown(approval) for audience, approval in world.approvals.items()}
    CanonicalRecord.objects.filter(pk=asked["partner"].record_id).update(data={"name": "Harbor"})
    keys = {
        audience: create_api_key(
            actor=owner_actor, now=now, name="Robot", scopes=["approvals.decide"], customer_id=customer_id
        )[1]
        for audience, customer_id in (("partner", None), ("customer", world.customer.pk))
    }

    with pytest.raises(NotPermitted, match="no API key does it for them"):
        approve(actor=authenticate_api_key(keys["customer"], now), now=now, approval=asked["customer"])
    decided = approve(actor=authenticate_api_key(keys["partner"], now), now=now, approval=asked["partner"])

    assert decided.decided_by_label == f"Robot (API key), made by {owner_actor.label}"
    asked["customer"].refresh_from_db()
    assert asked["customer"].status == "open"
