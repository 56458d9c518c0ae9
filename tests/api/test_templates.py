from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.core.ids import encode_id
from apps.flows.models import IntegrationTemplate, IntegrationTemplateVersion, TemplateRollout
from apps.flows.services import open_template_draft, publish_template
from apps.sync.services import advance_rollout
from tests.api.conftest import ApiClient
from tests.factories.library import load_library
from tests.factories.world import make_world


@pytest.fixture
def shipped(partner: object, now: datetime) -> IntegrationTemplateVersion:
    load_library()
    return IntegrationTemplateVersion.objects.get(template__key="payment-status")


def path(version_id: str, step: str = "") -> str:
    return f"/templates/{version_id}{step}"


def test_a_template_is_forked_written_published_and_deprecated(
    api: ApiClient, shipped: IntegrationTemplateVersion
) -> None:
    listed = api.get("/templates").json()["data"]
    origin = next(row for row in listed if row["template"] == "payment-status")

    made = api.post(path(origin["id"], "/fork"), {"key": "custom-paid", "name": "Paid"})
    draft = made.json()
    wrong = api.client.put(
        f"/api/v1{path(draft['id'])}", {"yaml": draft["yaml"].replace("rules:", "rule:", 1)},
        content_type="application/json",
    )  # fmt: skip
    published = api.post(path(draft["id"], "/publish")).json()
    following = api.post(path(draft["id"], "/draft")).json()
    gone = api.client.delete(f"/api/v1{path(following['id'])}")
    refused = api.post(path(draft["id"], "/deprecate"))
    deprecated = api.post(path(draft["id"], "/deprecate"), {"reason": "Old"}).json()

    assert (made.status_code, draft["status"], draft["is_own"], draft["forked_from"]) == (
        201,
        "draft",
        True,
        origin["id"],
    )
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["pointer"] == "/yaml"
    assert "unknown field `rule`" in wrong.content.decode()
    assert (published["status"], following["number"], gone.status_code) == ("published", "1.1.0", 204)
    assert refused.status_code == 400
    assert (deprecated["status"], deprecated["deprecation_reason"]) == ("deprecated", "Old")


def test_a_key_of_one_customer_writes_no_templates(bound: ApiClient, shipped: IntegrationTemplateVersion) -> None:
    row = next(row for row in bound.get("/templates").json()["data"] if row["template"] == "payment-status")

    assert bound.post(path(row["id"], "/fork"), {"key": "custom-paid", "name": "Paid"}).status_code == 403
    assert IntegrationTemplateVersion.objects.filter(template__is_own=True).count() == 0


def test_a_version_is_rolled_out_and_an_integration_goes_back(
    api: ApiClient, partner: object, owner_actor: Any, now: datetime
) -> None:
    world = make_world("Brightwater")
    integration = world.integrations["payment-status"]
    IntegrationTemplate.objects.filter(key="payment-status").update(is_own=True)
    draft = open_template_draft(actor=owner_actor, now=now, version=integration.template_version)
    version = publish_template(actor=owner_actor, now=now, version=draft)

    made = api.post("/rollouts", {"template_version": encode_id("tpv", version.pk), "stages": [1]})
    advance_rollout(rollout_id=TemplateRollout.objects.get(version=version).pk, now=now)
    rollout = api.get(f"/rollouts/{made.json()['id']}").json()
    path = f"/integrations/{rollout['members'][0]['integration']}/versions"
    listed = [(row["number"], row["status"]) for row in api.get(path).json()["data"]]
    back = api.post(path, {"number": 1}).json()
    ended = api.post(f"/rollouts/{rollout['id']}/cancel").json()

    assert made.status_code == 201
    assert [(m["stage"], m["status"]) for m in rollout["members"]] == [(0, "in_progress")]
    assert listed == [(2, "published"), (1, "deprecated")]
    assert (back["number"], back["note"], ended["status"]) == (3, "Version 1 again", "canceled")
