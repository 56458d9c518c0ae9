from __future__ import annotations

from datetime import datetime

import pytest

from apps.flows.models import IntegrationTemplateVersion
from apps.flows.services import load_templates
from tests.api.conftest import ApiClient


@pytest.fixture
def shipped(partner: object, now: datetime) -> IntegrationTemplateVersion:
    load_templates(now=now)
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
    assert "unknown field `rule`" in wrong.content.decode()
    assert (published["status"], following["number"], gone.status_code) == ("published", "1.1.0", 204)
    assert refused.status_code == 400
    assert (deprecated["status"], deprecated["deprecation_reason"]) == ("deprecated", "Old")


def test_a_key_of_one_customer_writes_no_templates(bound: ApiClient, shipped: IntegrationTemplateVersion) -> None:
    row = next(row for row in bound.get("/templates").json()["data"] if row["template"] == "payment-status")

    assert bound.post(path(row["id"], "/fork"), {"key": "custom-paid", "name": "Paid"}).status_code == 403
    assert IntegrationTemplateVersion.objects.filter(template__is_own=True).count() == 0
