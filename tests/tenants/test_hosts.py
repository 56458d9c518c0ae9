"""The host decides the partner; whoever is not served gets a neutral answer."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from apps.core.actor import Actor
from apps.core.planes import current_schema
from apps.provisioning.services import UnableToSuspend, resume_partner, suspend_partner
from apps.tenants.models import Domain, Partner, PartnerStatus

pytestmark = pytest.mark.django_db


def test_an_unknown_host_gets_a_neutral_404() -> None:
    response = Client(headers={"host": "nobody.example.org"}).get("/")

    assert response.status_code == 404
    assert response.content == b"Not found\n"
    assert response["X-Request-Id"]
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_a_partner_that_is_not_ready_does_not_exist(now: datetime) -> None:
    partner = Partner.objects.create(name="Half", slug="half", schema_name="p_half", created_at=now)
    Domain.objects.create(tenant=partner, domain="half.localhost", is_primary=True)

    response = Client(headers={"host": "half.localhost"}).get("/")

    assert response.status_code == 404
    assert response.content == b"Not found\n"


def test_a_suspended_partner_answers_with_one_page(system: Actor, now: datetime) -> None:
    partner = Partner.objects.get(slug="acme")
    suspend_partner(actor=system, partner=partner, reason="Unpaid", now=now)

    response = Client(headers={"host": "acme.localhost"}).get("/manage/")

    assert response.status_code == 503
    assert b"Unpaid" not in response.content
    assert current_schema() == "public"


def test_resuming_opens_it_again(system: Actor, now: datetime) -> None:
    partner = Partner.objects.get(slug="acme")
    suspend_partner(actor=system, partner=partner, reason="Unpaid", now=now)

    resume_partner(actor=system, partner=partner, now=now)

    partner.refresh_from_db()
    assert (partner.status, partner.suspended_at, partner.suspension_reason) == (PartnerStatus.ACTIVE, None, "")


def test_suspending_twice_is_a_conflict(system: Actor, now: datetime) -> None:
    partner = Partner.objects.get(slug="acme")
    suspend_partner(actor=system, partner=partner, reason="Unpaid", now=now)

    with pytest.raises(UnableToSuspend):
        suspend_partner(actor=system, partner=partner, reason="Unpaid", now=now)
