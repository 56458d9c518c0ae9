"""The log in the portal: filtered lists, permalinks, the live list, exports, and what is kept."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from apps.canonical.models import CanonicalRecord, CrossReference
from apps.sync.models import LogExport, LogSettings
from apps.sync.services import make_export
from tests.factories.delivery import START, make_connection, make_customer, make_flow
from tests.factories.logs import make_call, make_log
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene

LATER = "2026-11-02T09:05:00+00:00"


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def listed(response: object) -> list[str]:
    return [row.key for row in response.context["table"].rows]  # type: ignore[attr-defined]


def test_records_are_filtered_and_lead_to_their_page(owner: Client, scene: Scene) -> None:
    failed = make_log(
        scene.flow, action="failed", error_class="validation", error="The code is taken", diff={"code": [None, "F-1"]}
    )
    make_log(make_flow(make_customer("Globex Cheese")), action="failed", error="The code is taken")

    response = owner.get(
        address("log_records"), {"customer": str(scene.customer.pk), "q": "code taken", "error": "validation"}
    )

    assert listed(response) == [str(failed.pk)]
    assert reverse("partner_portal:log_record", args=[failed.pk]) in response.content.decode()
    page = owner.get(address("log_record", failed.pk)).content.decode()
    assert "The code is taken" in page
    assert "F-1" in page
    assert "Refused by the system" in page


def test_an_entry_shows_what_the_record_is_called_elsewhere(owner: Client, scene: Scene) -> None:
    other = make_connection(scene.customer)
    record = CanonicalRecord.objects.create(
        customer=scene.customer,
        environment=scene.flow.environment,
        entity="project",
        created_at=START,
        changed_at=START,
    )
    CrossReference.objects.create(record=record, connection=other, object_name="projects", external_id="4711")
    log = make_log(scene.flow, record_id=record.pk)

    facts = dict(owner.get(address("log_record", log.pk)).context["facts"])

    assert "4711" in facts[f"Id in {other.name}"]


def test_what_was_read_is_said_in_words_of_people(owner: Client, scene: Scene) -> None:
    account = CanonicalRecord.objects.create(
        customer=scene.customer, environment=scene.flow.environment, entity="account", title="Harbor Works",
        created_at=START, changed_at=START,
    )  # fmt: skip
    told: dict[str, Any] = {"changed_fields": ["account", "start_date"], "entity": "project", "run": scene.run}
    diff = {"account": [None, str(account.pk)], "start_date": [None, "2026-03-02"]}
    read = make_log(scene.flow, direction="read", diff=diff, **told)
    written = make_log(scene.flow, direction="write", diff={"start_date": [None, "2026-03-02"]}, **told)

    ours, theirs = (owner.get(address("log_record", log.pk)).content.decode() for log in (read, written))
    listed = owner.get(address("log_records")).content.decode()
    run = owner.get(address("run", scene.run.pk)).content.decode()

    assert all("Start date" in page for page in (ours, listed, run))
    assert all("Harbor Works" in page and str(account.pk) not in page for page in (ours, run))
    assert "<code>start_date</code>" in theirs


def test_values_are_not_for_every_role(viewer: Client, scene: Scene) -> None:
    log = make_log(scene.flow, diff={"code": [None, "F-1"]})

    page = viewer.get(address("log_record", log.pk)).content.decode()

    assert "F-1" not in page
    assert "Your role does not show the values." in page


def test_calls_are_filtered_by_their_answer(owner: Client, scene: Scene) -> None:
    broken = make_call(scene.flow, status=503, error="Away", path="/deals/7")

    response = owner.get(address("log_calls"), {"answer": "broken"})

    assert listed(response) == [str(broken.pk)]
    assert "GET /deals/7" in owner.get(address("log_call", broken.pk)).content.decode()
    run = owner.get(address("log_calls"), {"run": str(broken.run_id)})
    assert listed(run) == [str(broken.pk)]
    assert "Only one run" in run.content.decode()


@pytest.mark.parametrize("name", ["log_record", "log_call"])
def test_what_is_not_there_is_told_so(owner: Client, scene: Scene, name: str) -> None:
    assert owner.get(address(name, 999_999_999)).status_code == 404


def test_the_live_list_asks_for_what_is_newer_and_can_be_paused(owner: Client, scene: Scene) -> None:
    first = make_log(scene.flow)
    page = owner.get(address("log_records"), {"live": "1", "action": "updated"})
    poll = page.context["poll_url"]
    assert f"after={first.pk}" in poll
    assert 'hx-trigger="every 2s"' in page.content.decode()
    assert "Pause" in page.content.decode()
    partial = {"HX-Request": "true"}

    assert owner.get(poll, headers=partial).status_code == 204
    make_log(scene.flow, action="failed")
    assert owner.get(poll, headers=partial).status_code == 204  # not what is looked at
    newer = make_log(scene.flow)
    answer = owner.get(poll, headers=partial)

    assert listed(answer)[0] == str(newer.pk)
    assert f"after={newer.pk}" in answer.context["poll_url"]
    paused = owner.get(page.context["pause_url"])
    assert (paused.context["is_live"], paused.context["poll_url"]) == (False, "")
    assert listed(paused)[0] == str(newer.pk)


def test_a_list_is_exported_with_its_filters(owner: Client, viewer: Client, scene: Scene, now: datetime) -> None:
    make_log(scene.flow, action="failed", title="Wanted")
    make_log(scene.flow, title="Unwanted")
    asked = owner.get(address("log_records"), {"action": "failed", "live": "1"}).context["export_url"]
    assert asked == f"{address('log_export_add', 'records')}?action=failed"
    assert "Failed" in owner.get(asked).content.decode()

    made = owner.post(asked, {"format": "jsonl"})

    export = LogExport.objects.get()
    assert made["Location"] == address("log_export", export.pk)
    assert 'hx-trigger="every 2s"' in owner.get(made["Location"]).content.decode()
    make_export(export_id=export.pk, now=lambda: now)
    ready = owner.get(made["Location"])
    assert 'hx-trigger="every 2s"' not in ready.content.decode()
    file = owner.get(address("log_export_file", export.pk))
    assert file["Content-Disposition"].startswith('attachment; filename="records-')
    lines = [json.loads(line) for line in b"".join(file.streaming_content).splitlines()]
    assert [line["title"] for line in lines if line["title"].endswith("anted")] == ["Wanted"]
    assert {line["action"] for line in lines} == {"failed"}
    for name in ("log_export", "log_export_file"):  # with values in it: not for this role
        assert viewer.get(address(name, export.pk)).status_code == 404


def test_an_export_can_be_stopped(owner: Client, scene: Scene) -> None:
    owner.post(address("log_export_add", "runs"), {"format": "csv"})
    export = LogExport.objects.get()

    response = owner.post(address("log_export_stop", export.pk), follow=True)

    assert "The export was stopped." in response.content.decode()
    export.refresh_from_db()
    assert export.status == "canceled"
    assert owner.get(address("log_export_file", export.pk)).status_code == 404


def test_a_file_that_is_not_there_is_not_found(owner: Client, scene: Scene) -> None:
    assert owner.get(address("log_export", UUID(int=7))).status_code == 404
    assert owner.get(address("log_export_add", "invoices")).status_code == 404


def test_the_settings_are_shown_changed_and_refused(owner: Client, scene: Scene) -> None:
    page = owner.get(address("log_settings"))
    start = {
        name: field.initial or page.context["form"].initial[name] for name, field in page.context["form"].fields.items()
    }
    assert start.pop("keeps_payloads") is True
    assert (start["payloads_success"], start["runs_failure"]) == (30, 400)

    refused = owner.post(address("log_settings"), {**start, "hidden": "e mail", "keeps_payloads": "on"})
    assert "is no field" in refused.content.decode()
    short = owner.post(address("log_settings"), {**start, "hidden": "", "runs_success": "5"})
    assert "70" in short.content.decode()
    assert LogSettings.objects.count() == 0
    owner.post(address("log_settings"), {**start, "hidden": "email\r\n*phone*", "calls_success": "7"})

    kept = LogSettings.objects.get()
    assert (kept.hidden_fields, kept.keeps_payloads, kept.days["calls"]) == (
        ["email", "*phone*"], False, {"success": 7, "failure": 90},
    )  # fmt: skip


def test_a_connection_keeps_no_values_on_request(owner: Client, scene: Scene) -> None:
    connection = scene.connections["crm"]
    page = address("connection", connection.pk)
    assert "Keep no values" in owner.get(page).content.decode()

    owner.post(address("connection_payloads", connection.pk), {"keep": "0"})

    assert LogSettings.objects.get().payload_free_connections == [connection.pk]
    assert "Keep no values" not in owner.get(page).content.decode()
    assert connection.name in owner.get(address("log_settings")).content.decode()


@pytest.mark.parametrize("role", ["support", "viewer", "engineer"])
def test_the_settings_are_for_those_who_look_after_security(sign_in: SignIn, scene: Scene, role: str) -> None:
    browser = sign_in(role)

    assert browser.get(address("log_settings")).status_code == 403
    assert browser.post(address("connection_payloads", scene.connections["crm"].pk), {"keep": "0"}).status_code == 403
    assert LogSettings.objects.count() == 0
