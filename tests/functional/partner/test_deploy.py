"""From a template to a live integration, step by step; and the life of the integration."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.connectors.services.credentials import Secrets, store_secrets
from apps.core.money import Money
from apps.dispatch.models import WorkItem
from apps.flows.models import Integration, IntegrationStatus, IntegrationTemplateVersion, RoleBinding
from apps.sla.models import SlaAssignment
from apps.sync.models import SyncRun
from tests.factories.delivery import make_connection
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


def template(key: str) -> IntegrationTemplateVersion:
    return IntegrationTemplateVersion.objects.get(template__key=key)


def chosen(scene: Scene) -> dict[str, str]:
    xero = make_connection(scene.customer, "xero", name="Xero", settings={"base_url": "http://127.0.0.1:9"})
    return {
        "delivery": str(scene.connections["delivery"].pk), "erp": str(scene.connections["erp"].pk), "billing": str(xero.pk),
    }  # fmt: skip


def begin(owner: Client, scene: Scene) -> Integration:
    owner.post(address("deploy_connections", scene.customer.pk, template("time-to-invoice").pk), chosen(scene))
    return Integration.objects.get(template_version__template__key="time-to-invoice")


def test_only_systems_that_can_play_a_role_are_offered(owner: Client, scene: Scene) -> None:
    page = owner.get(address("deploy_connections", scene.customer.pk, template("time-to-invoice").pk))

    offered = {
        name: [label.split(" (")[0] for _, label in field.choices]
        for name, field in page.context["form"].fields.items()
    }
    assert offered == {
        "erp": ["Tryton of Northwind Advisory"], "billing": ["Tryton of Northwind Advisory"],
        "delivery": ["Redmine of Northwind Advisory"],
    }  # fmt: skip


def test_the_answers_make_a_draft_that_can_be_left_and_found_again(owner: Client, scene: Scene) -> None:
    draft = begin(owner, scene)

    listed = owner.get(address("deploy", scene.customer.pk)).context["drafts"]
    opened = owner.get(address("integration", draft.pk))

    assert (draft.status, draft.name) == (IntegrationStatus.DRAFT, "Time to invoice")
    assert [found.pk for found in listed] == [draft.pk]
    assert opened["Location"] == address("deploy_step", draft.pk, "settings")


def test_settings_are_checked_and_kept(owner: Client, scene: Scene) -> None:
    draft = begin(owner, scene)
    step = address("deploy_step", draft.pk, "settings")
    given = {"name": "Time at Northwind", "setting_default_rate": "120.50", "setting_payment_days": "14", "setting_invoice_status": "draft", "setting_cut_off": "at once"}  # fmt: skip

    wrong = owner.post(step, {**given, "setting_default_rate": "a lot"})
    right = owner.post(step, given)

    draft.refresh_from_db()
    assert "setting_default_rate" in wrong.context["form"].errors
    assert right["Location"] == address("deploy_step", draft.pk, "dry-run")
    assert draft.name == "Time at Northwind"
    assert draft.settings["default_rate"] == {"amount": Money(12050, "EUR").amount, "currency": "EUR"}
    assert (draft.settings["payment_days"], draft.settings["invoice_status"]) == (14, "draft")


def test_a_draft_may_change_its_systems(owner: Client, scene: Scene) -> None:
    draft = begin(owner, scene)
    second = make_connection(scene.customer, "tryton", name="New Tryton")
    given = {b.role: str(b.connection_id) for b in RoleBinding.objects.filter(integration=draft)}

    owner.post(address("deploy_step", draft.pk, "connections"), {**given, "billing": str(second.pk)})

    assert RoleBinding.objects.get(integration=draft, role="billing").connection_id == second.pk


def test_a_dry_run_of_systems_that_do_not_answer_says_so_and_writes_nothing(
    owner: Client, scene: Scene, now: datetime
) -> None:
    draft = begin(owner, scene)
    for binding in RoleBinding.objects.filter(integration=draft).select_related("connection"):
        store_secrets(connection=binding.connection, secrets=Secrets({"api_key": "x", "access_token": "x"}), now=now)

    page = owner.get(address("deploy_step", draft.pk, "dry-run"))
    result = owner.post(address("deploy_try", draft.pk), headers={"HX-Request": "true"})

    assert page.status_code == 200
    assert result.status_code == 200
    (flow,) = result.context["result"].flows
    assert flow.changes == []
    assert {problem.system for problem in flow.problems} >= {
        "Tryton of Northwind Advisory",
        "Redmine of Northwind Advisory",
    }
    assert SyncRun.objects.filter(flow__integration=draft).count() == 0
    assert "<html" not in result.content.decode()


def test_going_live_makes_the_first_runs_due(owner: Client, scene: Scene) -> None:
    draft = begin(owner, scene)
    summary = owner.get(address("deploy_step", draft.pk, "go-live"))

    response = owner.post(address("deploy_step", draft.pk, "go-live"))

    draft.refresh_from_db()
    flows = {str(pk) for pk in draft.flows.values_list("pk", flat=True)}
    due = set(WorkItem.objects.filter(kind="sync.flow", key__in=flows).values_list("key", flat=True))
    assert [role for role, _ in summary.context["bindings"]] == ["Billing", "Delivery", "ERP"]
    assert response["Location"] == address("integration", draft.pk)
    assert draft.status == IntegrationStatus.LIVE
    assert due == flows


def test_before_going_live_the_terms_are_told_or_asked_for(owner: Client, scene: Scene) -> None:
    page = address("deploy_step", begin(owner, scene).pk, "go-live")
    with CaptureQueriesContext(connection) as queries:
        agreed = owner.get(page)
    SlaAssignment.objects.all().delete()

    open_ones = owner.get(page)

    plan = scene.subscription.plan_version.plan.name
    assert [(term.label, term.agreed) for term in agreed.context["terms"]] == [
        ("SLA", f"Gold for {scene.customer.name} v1"),
        ("Plan", plan),
    ]
    assert [(term.label, term.agreed) for term in open_ones.context["terms"]] == [("SLA", ""), ("Plan", plan)]
    link = f'<a href="{address("customer_sla", scene.customer.pk)}">Promise a service level</a>'
    assert link in open_ones.content.decode()
    assert link not in agreed.content.decode()
    assert sum(not query["sql"].startswith("SET ") for query in queries) <= 15


def test_where_a_second_person_publishes_a_colleague_takes_it_live(
    owner: Client, sign_in: SignIn, scene: Scene
) -> None:
    owner.post(address("release_rules"), {"requires_review": "on"})
    draft = begin(owner, scene)
    page = address("deploy_step", draft.pk, "go-live")
    colleague = sign_in("admin")

    shown = owner.get(page)
    refused = owner.post(page, follow=True).content.decode()
    offered = colleague.get(page)
    asked = owner.post(address("release_rules"), {}, follow=True).content.decode()

    assert (shown.context["may_start"], offered.context["may_start"]) == (False, True)
    assert "A colleague takes it live" in shown.content.decode()
    assert "You set this up yourself, or a part of it." in refused
    assert "Owner wants to end the review by a second person" in asked
    colleague.post(page)
    draft.refresh_from_db()
    assert draft.status == IntegrationStatus.LIVE


def test_a_system_that_is_not_connected_holds_going_live_back(owner: Client, scene: Scene) -> None:
    draft = begin(owner, scene)
    scene.connections["erp"].__class__.objects.filter(pk=scene.connections["erp"].pk).update(
        status="needs_reauthorization"
    )

    response = owner.post(address("deploy_step", draft.pk, "go-live"), follow=True)

    draft.refresh_from_db()
    assert draft.status == IntegrationStatus.DRAFT
    assert "Connect Tryton of Northwind Advisory first." in response.content.decode()


def test_a_fresh_integration_is_watched_until_its_first_run_shows(owner: Client, scene: Scene) -> None:
    page = address("integration", scene.flow.integration_id)
    settled = owner.get(page).context["has_active"]
    SyncRun.objects.all().delete()

    waiting = owner.get(page).context["has_active"]

    assert (settled, waiting) == (False, True)


def test_running_a_flow_now_queues_one_run(owner: Client, scene: Scene) -> None:
    for _ in range(2):
        owner.post(address("flow_run", scene.flow.pk))

    assert list(SyncRun.objects.filter(status="queued").values_list("flow_id", "trigger")) == [
        (scene.flow.pk, "manual")
    ]


def test_pausing_resuming_and_retiring(owner: Client, scene: Scene) -> None:
    integration = scene.flow.integration
    states = []

    for change in ("pause", "resume", "retire"):
        owner.post(address("integration_change", integration.pk, change))
        integration.refresh_from_db()
        states.append(integration.status)

    assert states == ["paused", "live", "retired"]


def test_a_viewer_deploys_and_changes_nothing(viewer: Client, scene: Scene) -> None:
    integration = scene.flow.integration
    refused = [
        viewer.get(address("deploy", scene.customer.pk)).status_code,
        viewer.post(address("deploy_connections", scene.customer.pk, template("time-to-invoice").pk), {}).status_code,
        viewer.post(address("deploy_step", integration.pk, "settings"), {"name": "Mine"}).status_code,
        viewer.post(address("deploy_try", integration.pk)).status_code,
        viewer.post(address("integration_change", integration.pk, "pause")).status_code,
    ]

    integration.refresh_from_db()
    assert refused == [403] * 5
    assert (integration.status, integration.name) == ("live", "Opportunity to project")
    assert Integration.objects.count() == 1


def test_unknown_steps_and_changes_are_not_found(owner: Client, scene: Scene) -> None:
    integration = scene.flow.integration

    assert owner.get(address("deploy_step", integration.pk, "dance")).status_code == 404
    assert owner.post(address("integration_change", integration.pk, "dance")).status_code == 404
