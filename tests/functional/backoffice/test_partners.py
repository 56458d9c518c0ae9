"""The back office: partners are listed, made, suspended and resumed; what they hold stays theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEvent
from apps.core.planes import public_plane
from apps.dispatch.models import WorkItem
from apps.provisioning.models import ProvisioningRun
from apps.tenants.models import Domain, Partner, PartnerStatus
from tests.browsing import Browser
from tests.factories.world import make_staff

PAGES = ["/partners/", "/partners/new/", "/provisioning/", "/health/"]


@pytest.fixture
def acme(partner: Partner) -> Partner:
    return partner


@pytest.mark.parametrize("address", PAGES)
def test_operators_see_it_within_the_budget(acme: Partner, office: Browser, address: str) -> None:
    office.get(address)

    with CaptureQueriesContext(connection) as queries:
        response = office.get(address)

    assert response.status_code == 200
    assert len([query for query in queries if not query["sql"].startswith("SET ")]) <= 15


@pytest.mark.parametrize("address", ["/", *PAGES])
def test_strangers_are_sent_to_sign_in(acme: Partner, address: str) -> None:
    response = Browser("localhost").get(address)

    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/")


@pytest.mark.parametrize("address", PAGES)
def test_a_partners_own_people_have_no_back_office(acme: Partner, now: datetime, address: str) -> None:
    owner = make_staff(now, "owner")
    browser = Browser("localhost")
    browser.force_login(owner)

    assert browser.get(address).status_code == 302
    assert Browser().get(address).status_code == 404


def test_the_list_shows_partners_and_filters_them(acme: Partner, office: Browser) -> None:
    everybody = office.get("/partners/").content.decode()
    found = office.get("/partners/?q=glob").content.decode()

    assert [name for name in ("acme.localhost", "globex.localhost") if name in everybody] == [
        "acme.localhost",
        "globex.localhost",
    ]
    assert [name for name in ("acme.localhost", "globex.localhost") if name in found] == ["globex.localhost"]


def test_a_partner_is_suspended_with_a_reason_and_its_address_typed(
    acme: Partner, office: Browser, now: datetime
) -> None:
    address = f"/partners/{acme.pk}/"

    unconfirmed = office.post(f"{address}suspend/", {"reason": "Unpaid", "confirm": "globex"})
    with public_plane():
        assert Partner.objects.get(pk=acme.pk).status == PartnerStatus.ACTIVE
    done = office.post(f"{address}suspend/", {"reason": "Unpaid", "confirm": "acme"})

    assert unconfirmed.status_code == 422
    assert "Type acme, the address of the partner you want to suspend." in unconfirmed.content.decode()
    assert (done.status_code, done["Location"]) == (302, address)
    with public_plane():
        acme.refresh_from_db()
        assert (acme.status, acme.suspension_reason) == (PartnerStatus.SUSPENDED, "Unpaid")
        event = AuditEvent.objects.get(action="tenants.partner.suspended")
        assert (event.actor_label, event.target_key) == ("Op Erator", f"partner:{acme.pk}")
    assert Browser().get("/").status_code == 503
    assert "Unpaid" in office.get(address).content.decode()


def test_a_suspended_partner_is_resumed_once(acme: Partner, office: Browser) -> None:
    address = f"/partners/{acme.pk}/"
    office.post(f"{address}suspend/", {"reason": "Unpaid", "confirm": "acme"})

    office.post(f"{address}resume/")
    again = office.post(f"{address}resume/")

    with public_plane():
        acme.refresh_from_db()
        assert (acme.status, acme.suspension_reason) == (PartnerStatus.ACTIVE, "")
        assert AuditEvent.objects.filter(action="tenants.partner.resumed").count() == 1
    assert again.status_code == 302


@pytest.mark.schema
def test_a_partner_is_created_ready_to_sign_in_to(acme: Partner, office: Browser) -> None:
    response = office.post(
        "/partners/new/",
        {"name": "Initech", "slug": "initech", "owner_email": "bill@initech.example", "currency": "USD",
         "time_zone": "Europe/Berlin", "country": "US"},
    )  # fmt: skip

    with public_plane():
        made = Partner.objects.get(slug="initech")
        assert (made.status, made.currency, made.time_zone) == (PartnerStatus.ACTIVE, "USD", "Europe/Berlin")
        assert Domain.objects.get(tenant=made).domain == "initech.localhost"
        assert ProvisioningRun.objects.get(partner=made).status == "succeeded"
    assert (response.status_code, response["Location"]) == (302, f"/partners/{made.pk}/")
    assert Browser("initech.localhost").get("/accounts/login/").status_code == 200
    assert "Initech" in office.get("/provisioning/").content.decode()


@pytest.mark.parametrize(
    ("slug", "words"),
    [("acme", "This address is taken."), ("api", "This address is reserved or malformed."), ("a b", "Use letters")],
)
def test_an_unusable_address_is_said_at_the_field(acme: Partner, office: Browser, slug: str, words: str) -> None:
    with public_plane():
        before = Partner.objects.count()

    response = office.post(
        "/partners/new/",
        {"name": "Twin", "slug": slug, "owner_email": "x@twin.example", "currency": "EUR", "time_zone": "UTC"},
    )

    assert response.status_code == 422
    assert words in response.content.decode()
    with public_plane():
        assert Partner.objects.count() == before


def test_health_tells_how_long_due_work_waits(acme: Partner, office: Browser, now: datetime) -> None:
    WorkItem.objects.create(schema="p_acme", kind="sync.flow", key="1", due_at=now - timedelta(minutes=5))
    WorkItem.objects.create(schema="p_acme", kind="sync.flow", key="2", due_at=now + timedelta(minutes=5))
    WorkItem.objects.create(
        schema="p_acme",
        kind="sync.flow",
        key="3",
        due_at=now - timedelta(hours=1),
        lease_until=now + timedelta(hours=1),
    )

    body = office.get("/health/").content.decode()

    assert "Falling behind" in body
    assert "5 min" in body
    assert "Sync: flow" in body


def test_health_does_not_count_what_a_suspended_partner_keeps(acme: Partner, office: Browser, now: datetime) -> None:
    WorkItem.objects.create(schema="p_acme", kind="sync.flow", key="1", due_at=now - timedelta(days=5))
    office.post(f"/partners/{acme.pk}/suspend/", {"reason": "Unpaid", "confirm": "acme"})

    assert "Keeping up" in office.get("/health/").content.decode()


def test_an_unknown_partner_does_not_exist(acme: Partner, office: Browser) -> None:
    assert office.get("/partners/0199aaaa-0000-7000-8000-000000000001/").status_code == 404


def test_the_schema_of_no_partner_is_entered(acme: Partner, office: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        office.get("/health/")
        office.get("/partners/")

    assert [query["sql"] for query in queries if "p_acme" in query["sql"] and "SET search_path" in query["sql"]] == []
