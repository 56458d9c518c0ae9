"""Versions of an integration in the portal, and a rollout from plan to end."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.flows.models import (
    Flow,
    Integration,
    IntegrationRevision,
    IntegrationTemplate,
    IntegrationTemplateVersion,
    TemplateRollout,
)
from apps.flows.services import open_template_draft, publish_template, save_template_draft
from apps.flows.states import starts_of
from apps.sync.services import advance_rollout
from tests.functional.partner.scene import SYSTEM, Scene

ASKED = "settings:\n  - {key: cost_center, label: Cost center, required: true}\n"


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


@pytest.fixture
def integration(scene: Scene) -> Integration:
    return scene.flow.integration


@pytest.fixture
def version(integration: Integration, now: datetime) -> IntegrationTemplateVersion:
    """A following version, which asks for something."""
    IntegrationTemplate.objects.filter(key="opportunity-to-project").update(is_own=True)
    current = IntegrationTemplateVersion.objects.get(pk=integration.template_version_id)
    draft = open_template_draft(actor=SYSTEM, now=now, version=current)
    source = draft.source.replace("settings:\n", ASKED, 1)
    saved = save_template_draft(actor=SYSTEM, now=now, version=draft, source=source, note="Cost centers")
    return publish_template(actor=SYSTEM, now=now, version=saved)


def test_a_changed_setting_is_a_version_that_can_be_gone_back_from(owner: Client, integration: Integration) -> None:
    settings = address("deploy_step", integration.pk, "settings")
    given = {"name": integration.name, "setting_project_prefix": "P-", "setting_first_task": "Begin"}
    owner.post(settings, given)
    listed = owner.get(address("versions", integration.pk))
    first, second = IntegrationRevision.objects.order_by("number")
    shown = owner.get(address("version", integration.pk, first.pk))
    changed = owner.get(address("version", integration.pk, second.pk)).context["changed"]
    owner.post(address("version_step", integration.pk, first.pk, "restore"))

    integration.refresh_from_db()
    assert [revision.number for revision in listed.context["revisions"]] == [2, 1]
    assert [(one.name, one.before, one.after) for one in changed] == [
        ("first task", "Kick-off", "Begin"), ("project prefix", "", "P-"),
    ]  # fmt: skip
    assert [(one.name, one.before, one.after) for one in shown.context["back"]] == [
        ("first task", "Begin", "Kick-off"), ("project prefix", "P-", ""),
    ]  # fmt: skip
    assert integration.settings["first_task"] == "Kick-off"


def test_a_change_is_handed_in_and_given_back(owner: Client, integration: Integration) -> None:
    owner.post(address("release_rules"), {"requires_review": "on"})
    given = {"name": integration.name, "setting_project_prefix": "P-", "setting_first_task": "Begin"}
    owner.post(address("deploy_step", integration.pk, "settings"), given)
    draft = IntegrationRevision.objects.get(status="draft")
    owner.post(address("version_step", integration.pk, draft.pk, "submit"))
    refused = owner.post(address("version_step", integration.pk, draft.pk, "publish"), follow=True).content.decode()
    owner.post(address("version_step", integration.pk, draft.pk, "return"), {"reason": "Why?"})
    shown = owner.get(address("version", integration.pk, draft.pk)).content.decode()
    owner.post(address("version_step", integration.pk, draft.pk, "discard"))

    assert "You wrote this yourself" in refused
    assert "Why?" in shown
    assert IntegrationRevision.objects.filter(status="draft").count() == 0


def test_a_rollout_from_plan_to_the_way_back(
    owner: Client, integration: Integration, version: IntegrationTemplateVersion, now: datetime
) -> None:
    told = owner.get(address("versions", integration.pk)).content.decode()
    preview = owner.get(address("upgrade", integration.pk, version.pk))
    plan = owner.get(address("rollout_plan", version.pk))
    begun = owner.post(address("rollout_plan", version.pk), {"stages": "1, 10%", f"take-{integration.pk}": "1"})
    rollout = TemplateRollout.objects.get()
    page = owner.get(begun["Location"])
    member = rollout.members.get()

    assert "There is a newer version of the template" in told
    assert [setting.key for setting in preview.context["plan"].asked] == ["cost_center"]
    assert [row.plan.integration for row in plan.context["planned"]] == [integration]
    assert (rollout.stages, member.status) == ([1], "needs_review")
    assert "Cost center" in page.content.decode()

    owner.post(address("rollout_member", member.pk, "answer"), {f"answer-{member.pk}-cost_center": "7"})
    advance_rollout(rollout_id=rollout.pk, now=now)
    integration.refresh_from_db()
    assert (integration.template_version_id, integration.settings["cost_center"]) == (version.pk, "7")

    owner.post(address("rollout_member", member.pk, "back"))
    integration.refresh_from_db()
    assert integration.template_version.number == "1.0.0"
    owner.post(address("rollout_change", rollout.pk, "back"))
    advance_rollout(rollout_id=rollout.pk, now=now)
    rollout.refresh_from_db()
    assert rollout.status == "rolled_back"


@pytest.mark.parametrize("stages", ["none", "0", "-1", "%"])
def test_stages_that_are_none_are_refused(
    owner: Client, integration: Integration, version: IntegrationTemplateVersion, stages: str
) -> None:
    page = owner.post(address("rollout_plan", version.pk), {"stages": stages, f"take-{integration.pk}": "1"})

    assert page.status_code == 422
    assert TemplateRollout.objects.count() == 0


def test_what_stands_against_a_trial_is_told(
    owner: Client, integration: Integration, version: IntegrationTemplateVersion
) -> None:
    tried = owner.post(address("template_try", version.pk), {"where": f"integration:{integration.pk}"}).content.decode()

    assert "The dry run could not be made" in tried
    assert "Cost center is needed" in tried
    assert owner.post(address("template_try", version.pk), {"where": "elsewhere"}).status_code == 200


def test_a_schedule_is_chosen_by_its_numbers(owner: Client, scene: Scene, integration: Integration) -> None:
    page = owner.get(address("schedule", integration.pk))
    row = page.context["rows"][0]
    owner.post(address("schedule", integration.pk), {"flow": str(scene.flow.pk), "choice": "nightly"})
    again = owner.get(address("schedule", integration.pk)).context["rows"][0]
    wrong = owner.post(address("schedule", integration.pk), {"flow": str(scene.flow.pk), "choice": "never"})

    flow = Flow.objects.select_related("current_version").get(pk=scene.flow.pk)
    assert row.chosen == "webhook"
    assert [one.choice.key for one in row.estimates] == ["webhook", "1", "5", "15", "60", "nightly"]
    assert again.chosen == "nightly"
    assert (flow.schedule_seconds, starts_of(flow.current_version.definition)) == (
        86400, [{"cron": "0 2 * * *"}, {"manual": True}, {"api": True}],
    )  # fmt: skip
    assert IntegrationRevision.objects.get(status="published").note == "Won deals to projects: every night"
    assert wrong.status_code == 404
