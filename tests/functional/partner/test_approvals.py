"""What waits to be released, in the partner's portal and in the customer's."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.canonical.models import CanonicalRecord
from apps.sync.engine.hashing import digest
from apps.sync.models import ApprovalRequest
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
