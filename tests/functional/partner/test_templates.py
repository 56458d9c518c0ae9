"""Forking a template in the portal, writing its versions, publishing and deprecating them."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion
from apps.flows.services.template_versions import requires_second_person
from tests.functional.partner.conftest import SignIn
from tests.functional.partner.scene import Scene


def address(name: str, *args: object) -> str:
    return reverse(f"partner_portal:{name}", args=args)


@pytest.fixture
def shipped(scene: Scene) -> IntegrationTemplateVersion:
    return IntegrationTemplateVersion.objects.get(template__key="opportunity-to-project")


@pytest.fixture
def draft(owner: Client, shipped: IntegrationTemplateVersion) -> IntegrationTemplateVersion:
    owner.post(address("template_fork", shipped.pk), {"name": "Our deals", "key": "custom-deals"})
    return IntegrationTemplateVersion.objects.get(template__key="custom-deals")


def test_a_fork_leads_to_its_editor(owner: Client, shipped: IntegrationTemplateVersion) -> None:
    page = owner.get(address("template_fork", shipped.pk))
    made = owner.post(address("template_fork", shipped.pk), {"name": "Our deals", "key": "custom-deals"})

    draft = IntegrationTemplateVersion.objects.get(template__key="custom-deals")
    assert page.context["form"]["key"].value() == "custom-opportunity-to-project"
    assert made["Location"] == address("template_edit", draft.pk)
    assert "key: custom-deals" in owner.get(made["Location"]).context["form"]["source"].value()


def test_a_mistake_is_shown_with_its_line_and_the_text_is_kept(
    owner: Client, draft: IntegrationTemplateVersion
) -> None:
    broken = draft.source.replace("role: crm, entity: deal", "role: hr").replace("when: record", "whn: record")

    page = owner.post(address("template_edit", draft.pk), {"source": broken, "note": ""})

    assert page.status_code == 422
    assert page.context["form"].errors["source"] == [
        "Line 40, flow won-opportunities, rule 1: Object contains unknown field `whn`."
    ]
    assert page.context["form"]["source"].value() == broken


def test_a_version_is_written_compared_published_and_deprecated(
    owner: Client, draft: IntegrationTemplateVersion
) -> None:
    changed = draft.source.replace("default: Kick-off", "default: Begin here")
    owner.post(address("template_edit", draft.pk), {"source": changed, "note": "A better first task"})

    changes = owner.get(address("template_changes", draft.pk))
    owner.post(address("template_step", draft.pk, "publish"))
    following = owner.post(address("template_draft", draft.pk))
    deprecated = owner.post(address("template_step", draft.pk, "deprecate"), {"reason": "Use 1.1.0"})

    draft.refresh_from_db()
    marked = [(line.kind, line.text.strip()) for line in changes.context["lines"] if line.kind in ("added", "removed")]
    assert ("added", "default: Begin here") in marked
    assert ("removed", "default: Kick-off") in marked
    assert (draft.status, draft.note, draft.deprecation_reason) == ("deprecated", "A better first task", "Use 1.1.0")
    newest = IntegrationTemplateVersion.objects.get(template__key="custom-deals", number="1.1.0")
    assert following["Location"] == address("template_edit", newest.pk)
    assert deprecated["Location"] == address("template", draft.pk)
    assert "Not deployed any more" in owner.get(deprecated["Location"]).content.decode()


def test_with_the_rule_the_author_hands_in_and_another_publishes(
    owner: Client, sign_in: SignIn, draft: IntegrationTemplateVersion
) -> None:
    owner.post(address("release_rules"), {"requires_review": "on"})
    refused = owner.post(address("template_step", draft.pk, "publish"), follow=True).content.decode()
    owner.post(address("template_step", draft.pk, "submit"))
    mine = owner.get(address("template", draft.pk)).content.decode()
    sign_in("engineer").post(address("template_step", draft.pk, "publish"))

    draft.refresh_from_db()
    assert requires_second_person() is True
    assert "Hand it in for review first" in refused
    assert "Somebody else of your team" in mine
    assert (draft.status, draft.reviewer_label) == ("published", "Engineer")
    owner.post(address("release_rules"), {})
    assert requires_second_person() is False


def test_the_text_can_be_taken_along(owner: Client, draft: IntegrationTemplateVersion) -> None:
    file = owner.get(address("template_source", draft.pk))

    assert file.content.decode() == draft.source
    assert file["Content-Disposition"] == 'attachment; filename="custom-deals-1.0.0.yaml"'


def test_a_discarded_draft_is_gone(owner: Client, draft: IntegrationTemplateVersion) -> None:
    assert "Our deals" in owner.get(address("catalogue")).content.decode()

    owner.post(address("template_step", draft.pk, "discard"))

    assert IntegrationTemplate.objects.filter(key="custom-deals").count() == 0
    assert owner.get(address("template", draft.pk)).status_code == 404


def test_a_viewer_reads_and_changes_nothing(viewer: Client, shipped: IntegrationTemplateVersion, now: datetime) -> None:
    page = viewer.get(address("template", shipped.pk))
    tried = [
        viewer.post(address("template_fork", shipped.pk), {"name": "Mine", "key": "custom-mine"}).status_code,
        viewer.post(address("template_step", shipped.pk, "deprecate"), {"reason": "No"}).status_code,
        viewer.get(address("release_rules")).status_code,
    ]

    assert page.status_code == 200
    assert "Northwind Advisory" in page.content.decode()
    assert tried == [403, 403, 403]
    shipped.refresh_from_db()
    assert shipped.status == "published"
