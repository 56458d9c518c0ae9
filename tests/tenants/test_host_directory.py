"""The memory of which partner a host leads to: quick, and never wrong for longer than it says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.actor import Actor
from apps.core.clock import now as current_time
from apps.core.planes import public_plane
from apps.provisioning.services import resume_partner, suspend_partner
from apps.tenants.hosts import HostDirectory, directory
from apps.tenants.models import Domain, Partner, PartnerStatus

pytestmark = pytest.mark.django_db


class Watch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hosts(watch: Watch) -> HostDirectory:
    return HostDirectory(watch)


def test_a_known_host_asks_the_database_once(hosts: HostDirectory) -> None:
    with public_plane(), CaptureQueriesContext(connection) as queries:
        found = [hosts.find("acme.localhost", seconds=3).slug for _ in range(3)]

    assert found == ["acme", "acme", "acme"]
    assert ["tenants_domain" in query["sql"] for query in queries if not query["sql"].startswith("SET ")] == [True]


def test_what_another_process_changed_is_seen_after_the_promised_seconds(hosts: HostDirectory, watch: Watch) -> None:
    hosts.find("acme.localhost", seconds=3)
    # Without a signal, as if another process had done it.
    Partner.objects.filter(slug="acme").update(status=PartnerStatus.SUSPENDED)

    watch.seconds += 2.9
    before = hosts.find("acme.localhost", seconds=3).status
    watch.seconds += 0.1
    after = hosts.find("acme.localhost", seconds=3).status

    assert (before, after) == (PartnerStatus.ACTIVE, PartnerStatus.SUSPENDED)


def test_an_unknown_host_is_not_remembered(hosts: HostDirectory) -> None:
    with pytest.raises(Domain.DoesNotExist):
        hosts.find("new.localhost", seconds=3)
    Domain.objects.create(tenant=Partner.objects.get(slug="acme"), domain="new.localhost", is_platform=False)

    assert hosts.find("new.localhost", seconds=3).slug == "acme"


def test_each_request_gets_a_partner_of_its_own(hosts: HostDirectory) -> None:
    first = hosts.find("acme.localhost", seconds=3)
    first.name = first.domain_url = "changed by a request"

    second = hosts.find("acme.localhost", seconds=3)

    assert (second.name, second.domain_url) == (Partner.objects.get(slug="acme").name, None)


def test_what_was_read_before_a_change_is_not_remembered_after_it(
    hosts: HostDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = HostDirectory._keep
    monkeypatch.setattr(HostDirectory, "_keep", lambda *args: (hosts.forget(), real(*args)))
    hosts.find("acme.localhost", seconds=3)

    assert hosts._known == {}


def test_a_suspension_here_takes_effect_with_the_next_request(system: Actor, settings: Any) -> None:
    settings.PARTNER_LOOKUP_SECONDS = 3600
    directory.forget()
    browser = Client(headers={"host": "acme.localhost"})
    partner = Partner.objects.get(slug="acme")
    try:
        answers = [browser.get("/accounts/login/").status_code]
        suspend_partner(actor=system, partner=partner, reason="Unpaid", now=current_time())
        answers.append(browser.get("/accounts/login/").status_code)
        resume_partner(actor=system, partner=partner, now=current_time())
        answers.append(browser.get("/accounts/login/").status_code)
    finally:
        directory.forget()

    assert answers == [200, 503, 200]
