"""What only the customer can do is told with the next step; the rest is the partner's."""

from __future__ import annotations

from apps.canonical.models import FieldQuestion, MatchQuestion, QuestionStatus
from apps.core.ids import uuid7
from apps.customer_portal.cards import need_cards
from apps.customer_portal.selectors.needs import by_cause, explain
from apps.monitoring.models import BusinessException
from apps.sync.models import ApprovalRequest, FailureStatus, RecordFailure, SyncRun
from tests.browsing import Browser
from tests.factories.world import World
from tests.functional.conftest import SignIn


def retry_of(world: World, kind: str = "validation") -> str:
    return f"/failures/{world.failures[kind].pk}/retry/"


def status(world: World, kind: str = "validation") -> str:
    return RecordFailure.objects.get(pk=world.failures[kind].pk).status


def test_the_customers_own_failures_are_explained_and_the_others_only_counted(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.admin).get("/needs/").content.decode()

    assert "Xero says: Contact has no e-mail" in body
    assert "Correct the record where it comes from." in body
    assert "No rule fits" not in body
    assert "One more record could not be brought into step. There is nothing you need to do." in body


def test_the_vendors_own_code_says_more_and_a_missing_setting_is_the_partners(harbor: World, browse: SignIn) -> None:
    own = RecordFailure.objects.filter(pk=harbor.failures["validation"].pk)
    own.update(code="currency")
    body = browse(harbor.admin).get("/needs/").content.decode()
    assert "or correct it at the source, then retry." in body

    own.update(code="revenue_account")
    body = browse(harbor.admin).get("/needs/").content.decode()

    assert "Contact has no e-mail" not in body
    assert "Two more records could not be brought into step." in body


def test_what_one_step_brings_through_stands_together(harbor: World, browse: SignIn) -> None:
    first = harbor.failures["validation"]
    first.code, first.message = "missing_resource", "Nobody in Xero has the address jo@harbor.example"
    first.save()
    for number in (2, 3):
        RecordFailure.objects.create(
            **{field.attname: getattr(first, field.attname) for field in RecordFailure._meta.fields}
            | {"id": uuid7(), "external_id": f"t{number}", "record_title": f"Time {number}"}
        )

    body = browse(harbor.admin).get("/needs/").content.decode()

    assert body.count("Nobody in Xero has the address jo@harbor.example") == 1
    assert body.count("with the same e-mail address; the time then goes through by itself.") == 1
    assert [f"Time {number}" in body for number in (2, 3)] == [True, True]
    assert body.count("/retry/") == 3
    (card,) = need_cards([], by_cause(map(explain, RecordFailure.objects.filter(code=first.code))), may_connect=True)
    assert card.title.endswith("and two more")
    assert card.text == "Xero: Nobody in Xero has the address jo@harbor.example"


def test_only_what_a_system_answered_is_put_into_its_mouth(harbor: World, browse: SignIn) -> None:
    own = RecordFailure.objects.filter(pk=harbor.failures["validation"].pk)
    own.update(error_class="conflict", code="invoiced_time", message="This time is on an invoice and was changed")

    body = browse(harbor.admin).get("/needs/").content.decode()

    assert "Xero: This time is on an invoice and was changed" in body
    assert "Xero says" not in body
    assert "Put the time back to what was invoiced, then try again here." in body


def test_an_administrator_has_the_record_tried_again(harbor: World, browse: SignIn) -> None:
    runs = SyncRun.objects.filter(customer=harbor.customer, trigger="retry")

    response = browse(harbor.admin).post(retry_of(harbor))

    assert (response.status_code, response["Location"]) == (302, "/needs/")
    assert (status(harbor), runs.count()) == (FailureStatus.RETRYING, 1)
    assert "being tried again" in browse(harbor.admin).get("/needs/").content.decode()


def test_nobody_else_does(harbor: World, stranger: World, browse: SignIn) -> None:
    answers = [
        browse(harbor.viewer).post(retry_of(harbor)).status_code,
        browse(stranger.admin).post(retry_of(harbor)).status_code,
        browse(harbor.admin).post(retry_of(harbor, "mapping")).status_code,
        Browser().post(retry_of(harbor)).status_code,
    ]

    assert answers == [403, 404, 404, 302]
    assert (status(harbor), status(harbor, "mapping")) == (FailureStatus.OPEN, FailureStatus.OPEN)
    assert SyncRun.objects.filter(trigger="retry").count() == 0


def test_a_viewer_sees_what_is_needed_without_the_button(harbor: World, browse: SignIn) -> None:
    body = browse(harbor.viewer).get("/needs/").content.decode()

    assert "Contact has no e-mail" in body
    assert retry_of(harbor) not in body


def test_nothing_needed_says_so(harbor: World, browse: SignIn) -> None:
    RecordFailure.objects.filter(customer=harbor.customer).update(status=FailureStatus.RESOLVED)
    MatchQuestion.objects.filter(customer=harbor.customer).update(status=QuestionStatus.DIFFERENT)
    FieldQuestion.objects.filter(customer=harbor.customer).delete()
    ApprovalRequest.objects.filter(customer=harbor.customer).delete()
    BusinessException.objects.filter(customer=harbor.customer).update(status="resolved")

    body = browse(harbor.admin).get("/needs/").content.decode()

    assert "Nothing needs you" in body


def test_more_than_one_page_of_decisions_is_counted(harbor: World, browse: SignIn) -> None:
    known = harbor.approvals["customer"]
    fields = {field.attname: getattr(known, field.attname) for field in ApprovalRequest._meta.concrete_fields}
    ApprovalRequest.objects.bulk_create(
        ApprovalRequest(**{**fields, "id": uuid7(), "step": f"step-{number}"}) for number in range(26)
    )

    page = browse(harbor.admin).get("/needs/")

    assert (len(page.context["approvals"]), page.context["more"]) == (25, {"approvals": 2})
    assert "more: they follow here as you decide." in page.content.decode()
