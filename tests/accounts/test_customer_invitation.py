"""Accounts does not know customers: these follow an invitation through the handler that customers registered."""

from __future__ import annotations

import re
from datetime import datetime

from django.test import Client

from apps.accounts.models import StaffMembership
from apps.accounts.services import invite
from apps.core import clock
from apps.core.actor import Actor
from apps.core.planes import tenant_plane
from apps.customers.models import CustomerMembership
from apps.customers.services import create_customer
from apps.notifications.models import OutgoingMail
from apps.tenants.models import Partner
from tests.accounts.conftest import PASSWORD


def test_a_customers_person_joins_that_customer_and_lands_in_its_portal(
    partner: Partner, owner_actor: Actor, now: datetime
) -> None:
    customer = create_customer(actor=owner_actor, now=now, name="Initech")
    invite(
        actor=owner_actor, now=clock.now(), email="cora@initech.example", role="admin",
        subject_key=customer.subject_key, subject_label=customer.name,
    )  # fmt: skip
    link = re.search(r"/accounts/invitations/[\w-]+/", OutgoingMail.objects.get().text).group()
    browser = Client(headers={"host": "acme.localhost"})

    assert "Join Initech" in browser.get(link).content.decode()
    done = browser.post(link, {"name": "Cora", "password": PASSWORD})

    assert (done.status_code, done["Location"]) == (302, "/")
    assert browser.get("/manage/settings/team/").status_code == 404
    profile = browser.get("/accounts/profile/")
    assert profile.wsgi_request.ui_audience == "customer_portal"
    with tenant_plane("p_acme"):
        membership = CustomerMembership.objects.get()
        assert (membership.user.email, membership.customer_id, membership.role) == (
            "cora@initech.example", customer.pk, "admin",
        )  # fmt: skip
        assert StaffMembership.objects.count() == 0
