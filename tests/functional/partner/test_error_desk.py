"""The error desk: narrowing, trends, working together, retrying many, correcting one."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.canonical.models import CanonicalRecord
from apps.core.actor import Actor
from apps.core.ids import uuid7
from apps.partner_portal import exports
from apps.partner_portal.selectors import badges, failures
from apps.partner_portal.selectors.badges import count_badges
from apps.sync.models import ErrorClass, FailureNote, FailureRetry, RecordFailure
from apps.sync.services import carry_out_retry
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene, make_failure


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def listed(response: object) -> dict[str, int]:
    rows = response.context["table"].rows  # type: ignore[attr-defined]
    return {row.key: row.cells[1].value for row in rows}


def states() -> dict[str, str]:
    return dict(RecordFailure.objects.values_list("record_title", "status"))


def test_the_desk_is_narrowed_by_state_person_code_and_class(owner: Client, scene: Scene) -> None:
    other = make_failure(
        scene.run, scene.connections["crm"], scene.failure.last_at, 9, fingerprint="beef" * 8, message="No owner",
        error_class=ErrorClass.CONFLICT, code="E42",
    )  # fmt: skip
    person = User.objects.get(email="owner@acme.example")
    desk, cause = address("errors"), scene.failure.fingerprint
    owner.post(address("error_act", other.pk, "assign"), {"assignee": str(person.pk)})
    owner.post(address("error_group_act", cause, "snooze"), {"until": "again"})

    assert listed(owner.get(desk)) == {other.fingerprint: 1}
    assert listed(owner.get(desk, {"state": "snoozed"})) == {cause: 2}
    assert listed(owner.get(desk, {"assignee": str(person.pk)})) == {other.fingerprint: 1}
    assert listed(owner.get(desk, {"assignee": "nobody"})) == {}
    assert listed(owner.get(desk, {"q": "e42"})) == {other.fingerprint: 1}
    assert listed(owner.get(desk, {"class": "conflict"})) == {other.fingerprint: 1}
    assert listed(owner.get(desk, {"class": "validation", "state": "snoozed"})) == {cause: 2}


def test_a_failed_record_leads_to_the_mapping_that_made_it(owner: Client, viewer: Client, scene: Scene) -> None:
    page = address("error", scene.failure.pk)
    place = (scene.flow.integration_id, "erp", "write", "projects")

    assert address("mapping", *place) in owner.get(page).content.decode()
    assert "/mapping/" not in viewer.get(page).content.decode()


def test_each_cause_shows_its_fortnight(owner: Client, scene: Scene) -> None:
    from apps.core import clock

    RecordFailure.objects.filter(pk=scene.failures[0].pk).update(first_at=clock.now() - timedelta(days=3))
    RecordFailure.objects.filter(pk=scene.failures[1].pk).update(first_at=clock.now())

    page = owner.get(address("errors"))

    assert page.context["table"].rows[0].cells[2].value == [0] * 10 + [1, 0, 0, 1]
    assert "New in 14 days, trend" in page.content.decode()


def test_the_list_is_exported_record_by_record(owner: Client, scene: Scene) -> None:
    answer = owner.get(address("errors"), {"format": "json"})

    rows = json.loads(answer.content)
    assert sorted(row["record"] for row in rows) == ["Project 0", "Project 1"]
    assert {(row["customer"], row["class"], row["message"]) for row in rows} == {
        ("Northwind Advisory", "validation", "Party is required")
    }


def test_all_that_match_are_retried_watched_and_withdrawn(owner: Client, scene: Scene) -> None:
    make_failure(scene.run, scene.connections["crm"], scene.failure.last_at, 9, error_class=ErrorClass.CONFLICT)

    answer = owner.post(address("errors_retry") + "?class=validation")

    retry = FailureRetry.objects.get()
    own = address("error_retry_progress", retry.pk)
    assert (retry.total, retry.label, answer["Location"]) == (2, "Class: Refused by the system", own)
    assert (set(states().values()), owner.get(own).context["progress"].waiting) == ({"open"}, 2)
    carry_out_retry(retry_id=retry.pk, now=lambda: scene.failure.last_at)
    assert states() == {"Project 0": "retrying", "Project 1": "retrying", "Project 9": "open"}
    RecordFailure.objects.filter(record_title="Project 0").update(status="resolved")
    page = owner.get(own)
    assert (page.context["progress"].resolved, page.context["progress"].waiting, page.context["poll_url"]) == (
        1,
        1,
        own,
    )
    assert [row.key for row in owner.get(address("error_retries")).context["table"].rows] == [str(retry.pk)]

    owner.post(address("error_retry_cancel", retry.pk))

    done = owner.get(own)
    assert states() == {"Project 0": "resolved", "Project 1": "open", "Project 9": "open"}
    assert (done.context["progress"].withdrawn, done.context["poll_url"]) == (1, "")


def test_a_record_that_is_tried_again_is_watched_until_something_came_of_it(owner: Client, scene: Scene) -> None:
    page = address("error", scene.failure.pk)
    htmx = {"HX-Request": "true"}
    assert "data-poll" not in owner.get(page).content.decode()

    owner.post(address("error_retry", scene.failure.pk))

    shown, asked = owner.get(page), owner.get(page, headers=htmx)
    assert (shown.context["poll_url"], asked.status_code, "HX-Refresh" in asked) == (page, 204, False)
    RecordFailure.objects.filter(pk=scene.failure.pk).update(status="resolved")
    assert owner.get(page, headers=htmx)["HX-Refresh"] == "true"
    assert (owner.get(page).context["poll_url"], "Nothing is left to do." in owner.get(page).content.decode()) == (
        "",
        True,
    )


def test_a_field_that_cannot_be_taken_over_is_named_as_people_know_it(owner: Client, scene: Scene) -> None:
    RecordFailure.objects.filter(pk=scene.failure.pk).update(code="duration_seconds", error_class=ErrorClass.MAPPING)

    shown = owner.get(address("error", scene.failure.pk)).content.decode()

    assert "<dt>Field</dt><dd>Duration</dd>" in shown
    assert "duration_seconds" not in shown


def test_a_cause_is_ignored_and_reopened_and_who_did_it_is_kept(owner: Client, scene: Scene) -> None:
    cause = scene.failure.fingerprint
    owner.post(address("error_group_act", cause, "ignore"), {"reason": ""})
    assert set(states().values()) == {"open"}
    owner.post(address("error_group_act", cause, "ignore"), {"reason": "Test data"})
    assert set(states().values()) == {"ignored"}
    assert listed(owner.get(address("errors"), {"state": "ignored"})) == {cause: 2}

    owner.post(address("error_group_act", cause, "reopen") + "?state=ignored")
    owner.post(address("error_comment", scene.failure.pk), {"text": "Their sandbox."})

    page = owner.get(address("error", scene.failure.pk))
    assert set(states().values()) == {"open"}
    assert [(note.title, note.body, note.actor) for note in page.context["notes"]] == [
        ("Commented", "Their sandbox.", "Owner"), ("Reopened", "", "Owner"), ("Left as it is", "Test data", "Owner"),
    ]  # fmt: skip
    assert AuditEvent.objects.filter(action="failures.ignored").count() == 1
    assert owner.post(address("error_act", scene.failure.pk, "explode")).status_code == 404


def test_a_record_is_corrected_in_a_form_of_its_fields(owner: Client, scene: Scene) -> None:
    record = CanonicalRecord.objects.create(
        pk=uuid7(), customer=scene.customer, environment=scene.run.environment, entity="account", version=3,
        data={"name": "Norhwind"}, title="Norhwind", created_at=scene.failure.last_at, changed_at=scene.failure.last_at,
    )  # fmt: skip
    RecordFailure.objects.filter(pk=scene.failure.pk).update(record_id=record.pk, object_name="parties")
    own = address("error_edit", scene.failure.pk)

    form = owner.get(own).context["form"]
    assert (form.initial["version"], form.initial["name"], form.fields["name"].required) == (3, "Norhwind", True)
    refused = owner.post(own, {"version": 3, "name": ""})
    assert refused.context["form"].errors["name"] == ["This field is required."]
    stale = owner.post(own, {"version": 2, "name": "Northwind"})
    assert "has changed since" in stale.context["form"].non_field_errors()[0]

    answer = owner.post(own, {"version": 3, "name": "Northwind"})

    record.refresh_from_db()
    assert answer["Location"] == address("error", scene.failure.pk)
    assert (record.data["name"], record.version, states()["Project 0"]) == ("Northwind", 4, "retrying")
    assert FailureNote.objects.filter(kind="edited").values_list("text", "by_label").get() == ("name", "Owner")


def test_a_payload_is_read_in_words_and_kept_as_it_was_sent(owner: Client, scene: Scene) -> None:
    # The database gives the shorter name first.
    RecordFailure.objects.filter(pk=scene.failure.pk).update(payload={"done": True, "name": "Harbor", "party": 7})
    shown = owner.get(address("error", scene.failure.pk))
    kept = {"project": str(uuid7()), "duration_seconds": 5400, "work_date": "2026-10-27", "status": "approved"}
    RecordFailure.objects.filter(pk=scene.failure.pk).update(
        object_name="invoiced time", code="invoiced_time", payload=kept
    )
    invoiced = owner.get(address("error", scene.failure.pk))

    assert (shown.context["sent"].object_label, list(shown.context["sent"].fields)) == (
        "Projects", ["name", "done", "party"],
    )  # fmt: skip
    text = invoiced.content.decode()
    assert all(part in text for part in ("As it was invoiced", "1.5 h", "27 Oct 2026", "Approved", "As kept"))
    rows = re.findall('cell-main">([^<]+)</td><td data-label="Value">', text)
    assert rows == ["Work date", "Duration", "Status", "Project"]
    assert "invoiced_time" not in text
    assert "5400" in text


def test_time_that_is_invoiced_is_settled_by_hand_first(owner: Client, scene: Scene) -> None:
    RecordFailure.objects.filter(pk=scene.failure.pk).update(
        object_name="invoiced time", code="invoiced_time", payload={"duration_seconds": 5400}
    )
    own = address("error", scene.failure.pk)

    page = owner.get(own)

    buttons = re.findall(r'class="btn btn-primary" type="submit"[^>]*>([^<]+)<', page.content.decode())
    assert buttons == ["Settle it"]
    assert "The time was put back: look again" in page.content.decode()
    assert page.context["form"]["reason"].value() == "The invoice was corrected."
    owner.post(own, {"reason": "The invoice was corrected."})
    assert states()["Project 0"] == "ignored"


def test_a_duration_is_corrected_in_hours(owner: Client, scene: Scene) -> None:
    record = CanonicalRecord.objects.create(
        pk=uuid7(), customer=scene.customer, environment=scene.run.environment, entity="time_entry", version=1,
        data={"work_date": "2026-10-27", "duration_seconds": 36000, "status": "approved", "billable": True}, title="Review",
        created_at=scene.failure.last_at, changed_at=scene.failure.last_at,
    )  # fmt: skip
    RecordFailure.objects.filter(pk=scene.failure.pk).update(record_id=record.pk, object_name="time")
    own = address("error_edit", scene.failure.pk)
    form = owner.get(own).context["form"]
    given = {"version": 1, "work_date": "2026-10-27", "status": "approved", "billable": "true"}

    owner.post(own, {**given, "duration_seconds": "1.2502"})

    record.refresh_from_db()
    label = form.fields["duration_seconds"].label
    assert (label, str(form.initial["duration_seconds"])) == ("Duration (hours)", "10")
    assert (record.data["duration_seconds"], record.version) == (4501, 2)


def test_money_is_corrected_as_an_amount_and_its_currency(owner: Client, scene: Scene) -> None:
    record = CanonicalRecord.objects.create(
        pk=uuid7(), customer=scene.customer, environment=scene.run.environment, entity="opportunity", version=1,
        data={"name": "Claims", "stage": "won", "amount": {"amount": 120050, "currency": "EUR"}}, title="Claims",
        created_at=scene.failure.last_at, changed_at=scene.failure.last_at,
    )  # fmt: skip
    RecordFailure.objects.filter(pk=scene.failure.pk).update(record_id=record.pk, object_name="opportunity")
    own = address("error_edit", scene.failure.pk)
    initial = owner.get(own).context["form"].initial
    assert (str(initial["amount"]), initial["amount_currency"], initial["paid_amount_currency"]) == (
        "1200.50", "EUR", "EUR",
    )  # fmt: skip
    given = {"version": 1, "name": "Claims", "stage": "won", "amount": "1200.5"}
    assert owner.post(own, given).context["form"].errors == {"amount_currency": ["An amount needs its currency."]}

    owner.post(own, {**given, "amount_currency": "EUR", "paid_amount": "10.01", "paid_amount_currency": "EUR"})

    record.refresh_from_db()
    assert record.data == {
        "name": "Claims", "stage": "won", "amount": {"amount": 120050, "currency": "EUR"},
        "paid_amount": {"amount": 1001, "currency": "EUR"},
    }  # fmt: skip


def test_support_settles_but_corrects_nothing_without_seeing_payloads(sign_in: SignIn, scene: Scene) -> None:
    support = sign_in("support")

    assert support.get(address("error_edit", scene.failure.pk)).status_code == 403
    assert support.get(address("error", scene.failure.pk)).context["can_edit"] is False
    support.post(address("error_act", scene.failure.pk, "snooze"), {"until": "4h"})
    assert RecordFailure.objects.exclude(snoozed_until=None).count() == 1


def test_a_viewer_changes_nothing(viewer: Client, scene: Scene) -> None:
    key, cause = scene.failure.pk, scene.failure.fingerprint
    refused = [
        viewer.post(address("errors_retry")).status_code,
        viewer.post(address("error_act", key, "wake")).status_code,
        viewer.post(address("error_group_act", cause, "ignore"), {"reason": "x"}).status_code,
        viewer.post(address("error_comment", key), {"text": "x"}).status_code,
        viewer.get(address("error_edit", key)).status_code,
    ]

    assert refused == [403] * 5
    assert viewer.get(address("error", key)).context["acts"] == []


@pytest.mark.parametrize("most_summed", [1000, 51])
def test_causes_are_paged_by_key_and_counted_whole(
    owner: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch, most_summed: int
) -> None:
    monkeypatch.setattr(failures, "MOST_SUMMED", most_summed)
    known = RecordFailure.objects.filter(status="open").order_by("last_at").last()
    assert known is not None
    more = [
        RecordFailure(**{
            **{field.attname: getattr(known, field.attname) for field in RecordFailure._meta.concrete_fields},
            "id": uuid7(), "record_id": None, "external_id": f"n{number}", "fingerprint": f"{number:032d}",
            "last_at": known.last_at + timedelta(minutes=number % 7),
        })
        for number in range(60)
    ]  # fmt: skip
    RecordFailure.objects.bulk_create(more)
    unsolved = RecordFailure.objects.filter(status__in=["open", "retrying"])
    causes = set(unsolved.values_list("fingerprint", flat=True))

    first = owner.get(reverse("partner_portal:errors"))
    second = owner.get(first.context["page"].next_url)

    listed = [row.key for page in (first, second) for row in page.context["table"].rows]
    assert (len(first.context["table"].rows), len(listed), set(listed)) == (50, len(causes), causes)
    assert first.context["table"].total == second.context["table"].total == len(causes)
    assert first.context["record_count"] == unsolved.count()
    assert second.context["page"].next_url == ""


def test_a_file_that_holds_only_a_part_is_named_so(
    owner: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = owner.get(address("errors"), {"format": "json"})
    monkeypatch.setattr(exports, "MAX_ROWS", 1)
    part = owner.get(address("errors"), {"format": "json"})

    assert (len(whole.json()) > 1, len(part.json())) == (True, 1)
    assert whole.headers["Content-Disposition"] == 'attachment; filename="errors.json"'
    assert part.headers["Content-Disposition"] == 'attachment; filename="errors-first-1.json"'


def test_beside_a_name_large_numbers_are_cut(scene: Scene, owner_actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = count_badges(owner_actor)["partner_portal:errors"]
    monkeypatch.setattr(badges, "MOST", 1)

    assert (exact, count_badges(owner_actor)["partner_portal:errors"]) == (2, "1+")
