"""Making a promise, changing it, closing its month: what each button leaves behind, and whom it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.core.actor import system_actor
from apps.sla.models import SlaAssignment, SlaPolicy, SlaPolicyVersion, SlaReport
from apps.sla.services import revise_policy
from apps.sync.models import RunStatus
from tests.browsing import Browser
from tests.conftest import NOW
from tests.factories.delivery import make_customer, make_run
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene

NOBODY = UUID(int=7)
GOLD = {
    "name": "Platinum", "run_success": "99.950", "record_success": "", "freshness": "98", "freshness_minutes": "30",
}  # fmt: skip
OBJECTIVES = [
    {"key": "run_success", "target": "99.95"},
    {"key": "freshness", "target": "98", "threshold_seconds": 1800},
]


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def promised(scene: Scene) -> SlaPolicyVersion:
    return SlaAssignment.objects.get(customer=scene.customer, ends_at=None).policy_version


def counts() -> tuple[int, int, int, int]:
    return (
        SlaPolicy.objects.count(),
        SlaPolicyVersion.objects.count(),
        SlaAssignment.objects.count(),
        SlaReport.objects.count(),
    )


def test_a_policy_is_created_with_its_objectives(owner: Client, partner: object) -> None:
    response = owner.post(address("policy_add"), GOLD)

    version = SlaPolicyVersion.objects.get(policy__name="Platinum")
    assert (response.status_code, response["Location"]) == (302, address("policies"))
    assert (version.number, version.objectives) == (1, OBJECTIVES)
    assert AuditEvent.objects.filter(action="sla.policy.published", target_label="Platinum").count() == 1


BAD = {
    "no name": {"name": ""},
    "no objective": {"run_success": "", "freshness": "", "freshness_minutes": ""},
    "above a hundred": {"run_success": "100.001"},
    "nothing": {"run_success": "0"},
    "negative": {"run_success": "-1"},
    "no number": {"run_success": "NaN"},
    "too fine": {"run_success": "99.9999"},
    "freshness without its minutes": {"freshness_minutes": ""},
    "minutes without their share": {"freshness": ""},
    "no minutes": {"freshness_minutes": "0"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_bad_objectives_are_refused(owner: Client, partner: object, change: dict[str, str]) -> None:
    response = owner.post(address("policy_add"), {**GOLD, **change})

    assert response.status_code == 200
    assert response.context["form"].errors
    assert counts() == (0, 0, 0, 0)


def test_a_name_is_taken_once(owner: Client, partner: object) -> None:
    owner.post(address("policy_add"), GOLD)

    response = owner.post(address("policy_add"), {**GOLD, "name": "PLATINUM "})

    assert response.context["form"].errors == {"name": ["Choose a name that no other policy has."]}
    assert counts() == (1, 1, 0, 0)


def test_a_revision_leaves_what_was_promised(owner: Client, scene: Scene) -> None:
    first = promised(scene)

    response = owner.post(address("policy", first.policy_id), {"run_success": "97.5"})

    second = SlaPolicyVersion.objects.get(policy=first.policy, number=2)
    first.refresh_from_db()
    assert response["Location"] == address("policy", first.policy_id)
    assert second.objectives == [{"key": "run_success", "target": "97.5"}]
    assert [row["target"] for row in first.objectives] == ["99", "95"]
    assert promised(scene).pk == first.pk


def test_a_bad_revision_changes_nothing(owner: Client, scene: Scene) -> None:
    response = owner.post(address("policy", promised(scene).policy_id), {"run_success": "101"})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["run_success"]
    assert SlaPolicyVersion.objects.count() == 1


def test_a_new_promise_ends_the_one_before(owner: Client, scene: Scene, now: datetime) -> None:
    first = promised(scene)
    owner.post(address("policy", first.policy_id), {"run_success": "97.5"})
    second = SlaPolicyVersion.objects.get(number=2)

    response = owner.post(address("customer_sla", scene.customer.pk), {"policy": str(second.pk)})

    assert response["Location"] == address("customer_sla", scene.customer.pk)
    spans = SlaAssignment.objects.order_by("starts_at").values_list("policy_version_id", "starts_at", "ends_at")
    assert list(spans) == [(first.pk, now - timedelta(days=45), now), (second.pk, now, None)]


def test_a_version_that_was_replaced_cannot_be_promised(owner: Client, scene: Scene) -> None:
    first = promised(scene)
    owner.post(address("policy", first.policy_id), {"run_success": "97.5"})

    response = owner.post(address("customer_sla", scene.customer.pk), {"policy": str(first.pk)})

    assert list(response.context["form"].errors) == ["policy"]
    assert SlaAssignment.objects.count() == 1


def test_last_month_is_closed_once_with_its_figures(owner: Client, scene: Scene) -> None:
    for day, status in ((6, RunStatus.SUCCEEDED), (13, RunStatus.SUCCEEDED), (20, RunStatus.FAILED)):
        at = datetime(2026, 10, day, 8, tzinfo=UTC)
        make_run(scene.flow, at=at, status=status, finished_at=at)

    first = owner.post(address("sla_close", scene.customer.pk))
    owner.post(address("sla_close", scene.customer.pk))

    report = SlaReport.objects.get()
    runs = report.results["objectives"][0]
    assert first["Location"] == address("sla_report", report.pk)
    assert (report.period_start, report.period_end) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (runs["good"], runs["total"], runs["achieved"], runs["is_met"]) == (2, 3, "66.66", False)
    assert report.is_met is False


def test_a_closed_month_is_read_and_downloaded(owner: Client, scene: Scene) -> None:
    owner.post(address("sla_close", scene.customer.pk))
    report = SlaReport.objects.get()

    page = owner.get(address("sla_report", report.pk))
    listed = owner.get(address("sla_reports"))
    pdf = owner.get(address("sla_report_pdf", report.pk))

    assert page.context["report"] == report
    assert [row.pk for row in listed.context["page"].items] == [report.pk]
    assert (pdf.status_code, pdf["Content-Type"], pdf.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert pdf["Content-Disposition"] == f'attachment; filename="sla-{scene.customer.slug}-2026-10.pdf"'
    assert pdf.content == bytes(report.document or b"")


def test_a_month_without_a_promise_is_not_closed(owner: Client, scene: Scene) -> None:
    customer = make_customer("Osprey")

    response = owner.post(address("sla_close", customer.pk), follow=True)

    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was promised at the end of last month."
    ]
    assert SlaReport.objects.count() == 0


def writes(scene: Scene) -> list[tuple[str, dict[str, str]]]:
    """In an order in which each of them works."""
    version = promised(scene)
    # Another version than the one promised: promising that again would change nothing.
    other = revise_policy(actor=system_actor(), now=NOW, policy=version.policy, objectives=version.objectives)
    return [
        (address("policy_add"), GOLD),
        (address("customer_sla", scene.customer.pk), {"policy": str(other.pk)}),
        (address("policy", version.policy_id), {"run_success": "97.5"}),
        (address("sla_close", scene.customer.pk), {}),
    ]


# Writing a policy, promising it to a customer, revising it, closing a month.
ALLOWED = {
    "viewer": (403, 403, 403, 403),
    "engineer": (403, 403, 403, 403),
    "support": (403, 403, 403, 302),
    "finance": (403, 302, 403, 302),
}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_does_what_its_work_is(sign_in: SignIn, scene: Scene, role: str) -> None:
    browser, allowed = sign_in(role), ALLOWED[role]

    answers = tuple(browser.post(url, data).status_code for url, data in writes(scene))

    assert answers == allowed
    assert counts() == (1, 2, 1 + (allowed[1] == 302), int(allowed[3] == 302))
    assert browser.get(address("sla_reports")).status_code == 200


@pytest.mark.parametrize("role", [*ALLOWED, "owner"])
def test_a_page_offers_what_the_role_may_do(sign_in: SignIn, scene: Scene, role: str) -> None:
    page = sign_in(role).get(address("customer_sla", scene.customer.pk)).content.decode()

    allowed = ALLOWED.get(role, (302,) * 4)
    assert ("Promise from now on" in page, "Close the report now" in page) == (allowed[1] == 302, allowed[3] == 302)


def test_who_closed_the_month_is_written_down(sign_in: SignIn, scene: Scene) -> None:
    sign_in("finance").post(address("sla_close", scene.customer.pk))

    assert AuditEvent.objects.get(action="sla.report.closed").actor_label == "Finance"


def test_an_admin_manages_promises(sign_in: SignIn, scene: Scene) -> None:
    browser = sign_in("admin")

    assert [browser.post(url, data).status_code for url, data in writes(scene)] == [302] * 4
    assert counts() == (2, 4, 2, 1)


def test_a_stranger_is_asked_to_sign_in(scene: Scene) -> None:
    answers = [Browser().post(url, data) for url, data in writes(scene)]

    assert [(answer.status_code, answer["Location"].split("?")[0]) for answer in answers] == [
        (302, reverse("account_login"))
    ] * 4
    assert counts() == (1, 2, 1, 0)


@pytest.mark.parametrize("name", ["policy", "sla_report", "sla_report_pdf", "customer_sla"])
def test_what_is_not_there_is_not_found(owner: Client, partner: object, name: str) -> None:
    assert owner.get(address(name, NOBODY)).status_code == 404


@pytest.mark.parametrize("name", ["policy", "customer_sla", "sla_close"])
def test_nothing_is_done_to_what_is_not_there(owner: Client, partner: object, name: str) -> None:
    assert owner.post(address(name, NOBODY), {"run_success": "99"}).status_code == 404
    assert counts() == (0, 0, 0, 0)
