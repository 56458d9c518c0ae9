"""What changed, told as a client would say it; found by name and number; paged without end."""

from __future__ import annotations

import re
from datetime import timedelta

from apps.canonical.models import CanonicalLink, CanonicalRecord
from apps.sync.models import RecordLog
from tests.factories.world import LAST_RUN, World, write_log
from tests.functional.conftest import SignIn

TITLES = re.compile(r'<a href="/records/[^"]+">([^<]+)</a>')


def titles(body: str) -> list[str]:
    return TITLES.findall(body)


def test_one_change_is_one_line_over_all_systems(harbor: World, stranger: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get("/activity/").content.decode()

    assert titles(body) == [
        "Invoice INV-BRIGHTWATER-1043 created in Xero for Harbor of Brightwater",
        "Project Rollout of Brightwater created in Tryton and Redmine for Harbor of Brightwater",
    ]


def test_a_kind_is_said_once_and_a_project_where_no_account_is(harbor: World, browse: SignIn) -> None:
    project, invoice = harbor.records["project"], harbor.records["invoice"]
    CanonicalRecord.objects.filter(pk=invoice.pk).update(number="1043")
    entry = CanonicalRecord.objects.filter(entity="time_entry").earliest("title")
    CanonicalLink.objects.create(source=entry, name="project", target=project)
    write_log(harbor, entry, "delivery", at=LAST_RUN + timedelta(seconds=1))

    assert titles(browse(harbor.viewer).get("/activity/").content.decode())[:2] == [
        "Time entry Work 1 of Brightwater created in Redmine on Rollout of Brightwater",
        "Invoice 1043 created in Xero for Harbor of Brightwater",
    ]


def test_it_is_found_by_number_and_by_name(harbor: World, stranger: World, browse: SignIn) -> None:
    browser = browse(harbor.viewer)

    assert len(titles(browser.get("/activity/?q=inv-bright").content.decode())) == 1
    assert len(titles(browser.get("/activity/?q=rollout").content.decode())) == 1
    assert titles(browser.get("/activity/?q=northwind").content.decode()) == []
    assert len(titles(browser.get("/activity/?what=project").content.decode())) == 1


def test_only_the_rows_are_sent_to_htmx(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get("/activity/?q=rollout", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in body
    assert len(titles(body)) == 1


def test_reads_and_sandbox_writes_are_nobodys_news(harbor: World, browse: SignIn) -> None:
    sandbox = harbor.customer.environments.get(kind="sandbox")
    RecordLog.objects.filter(customer_id=harbor.customer.pk, entity="invoice").update(environment_id=sandbox.pk)
    RecordLog.objects.filter(customer_id=harbor.customer.pk, entity="project").update(direction="read")

    assert titles(browse(harbor.viewer).get("/activity/").content.decode()) == []


def test_pages_join_without_gap_or_repetition(harbor: World, browse: SignIn) -> None:
    project: CanonicalRecord = harbor.records["project"]
    for number in range(60):
        log = write_log(harbor, project, "erp", action="updated", at=LAST_RUN + timedelta(seconds=number))
        RecordLog.objects.filter(pk=log.pk).update(run_id=harbor.customer.pk, action="updated")
        write_log(harbor, harbor.records["invoice"], "billing", action="updated")
    browser = browse(harbor.viewer)

    first = browser.get("/activity/").content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = browser.get(following[1].replace("&amp;", "&")).content.decode()

    assert (len(titles(first)), len(titles(second))) == (50, 50)


def test_a_record_tells_its_story_across_systems(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get(f"/records/{harbor.records['project'].pk}/").content.decode()

    told = [text for text in ("Created in Tryton", "Created in Redmine", "First seen in HubSpot") if text in body]
    assert told == ["Created in Tryton", "Created in Redmine", "First seen in HubSpot"]
    assert "Harbor of Brightwater" in body
