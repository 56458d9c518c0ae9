"""What stands for an id in an address. Found by `namespace:kwarg` first, then by `kwarg`, for one customer's world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.accounts.models import ApiKey, Invitation, StaffMembership
from apps.connectors.models import CustomConnector
from apps.notifications.models import OutgoingMail
from apps.tenants.models import Partner
from tests.architecture.isolation.routes import Route
from tests.factories.world import World


@dataclass
class Scene:
    """Two customers of acme, and what belongs to acme itself."""

    ours: World
    theirs: World
    partner: Partner
    member: StaffMembership
    staff_invitation: Invitation
    api_key: ApiKey
    connector: CustomConnector
    mail: OutgoingMail


Sample = Callable[[Scene, World], object]
NOTHING = "0" * 64

SAMPLES: dict[str, Sample] = {
    "customer_id": lambda scene, world: world.customer.pk,
    "connection_id": lambda scene, world: world.connections["delivery"].pk,
    "uploading_id": lambda scene, world: world.upload.connection_id,  # type: ignore[union-attr]
    "file_id": lambda scene, world: world.upload.pk,  # type: ignore[union-attr]
    "link_id": lambda scene, world: world.connect_link.pk,
    "connector_id": lambda scene, world: scene.connector.pk,
    "connector_version_id": lambda scene, world: scene.connector.published_id,
    "integration_id": lambda scene, world: world.integrations["time-to-invoice"].pk,
    "partner_portal:role": lambda scene, world: "delivery",
    "partner_portal:direction": lambda scene, world: "read",
    "partner_portal:object_name": lambda scene, world: "time_entries",
    "revision_id": lambda scene, world: world.revision.pk,  # type: ignore[union-attr]
    "number": lambda scene, world: world.revision.number,  # type: ignore[union-attr]
    "rollout_id": lambda scene, world: world.rollout_member.rollout_id,  # type: ignore[union-attr]
    "member_id": lambda scene, world: world.rollout_member.pk,  # type: ignore[union-attr]
    "rollout_step": lambda scene, world: "skip",
    "publication_id": lambda scene, world: world.publication.pk,  # type: ignore[union-attr]
    "flow_id": lambda scene, world: next(iter(world.flows.values())).pk,
    "run_id": lambda scene, world: next(iter(world.runs.values())).pk,
    "record_id": lambda scene, world: world.records["invoice"].pk,
    "question_id": lambda scene, world: world.question.pk,  # type: ignore[union-attr]
    "merge_plan_id": lambda scene, world: world.merge_plan.pk,  # type: ignore[union-attr]
    "line": lambda scene, world: 1,
    "merge_id": lambda scene, world: world.merge.pk,  # type: ignore[union-attr]
    "value_question_id": lambda scene, world: world.value_question.pk,  # type: ignore[union-attr]
    "approval_id": lambda scene, world: world.approvals["partner"].pk,
    "customer_portal:approval_id": lambda scene, world: world.approvals["customer"].pk,
    "service": lambda scene, world: "payment_status",
    "review_id": lambda scene, world: world.deletions.pk,  # type: ignore[union-attr]
    "field_policy_id": lambda scene, world: world.field_policy.pk,  # type: ignore[union-attr]
    "failure_id": lambda scene, world: world.failures["validation"].pk,
    "retry_id": lambda scene, world: world.retry.pk,  # type: ignore[union-attr]
    "act": lambda scene, world: "assign",
    "invoice_id": lambda scene, world: world.invoice.pk,  # type: ignore[union-attr]
    "report_id": lambda scene, world: world.report.pk,  # type: ignore[union-attr]
    "membership_id": lambda scene, world: world.memberships["viewer"].pk,
    "invitation_id": lambda scene, world: world.invitation.pk,
    "plan_id": lambda scene, world: world.plan.pk,  # type: ignore[union-attr]
    "policy_id": lambda scene, world: world.policy.pk,  # type: ignore[union-attr]
    "version_id": lambda scene, world: world.integrations["time-to-invoice"].template_version_id,
    "template_version_id": lambda scene, world: world.integrations["time-to-invoice"].template_version_id,
    "release_step": lambda scene, world: "submit",
    "environment_id": lambda scene, world: world.connections["delivery"].environment_id,
    "fingerprint": lambda scene, world: world.failures["validation"].fingerprint,
    "exception_id": lambda scene, world: world.exception.pk,  # type: ignore[union-attr]
    "exception_act": lambda scene, world: "wake",
    "rule_key": lambda scene, world: "project-without-contract",
    "legacy_interface_id": lambda scene, world: world.modernization.interface.pk,  # type: ignore[union-attr]
    "wave_id": lambda scene, world: world.modernization.wave.pk,  # type: ignore[union-attr]
    "point_id": lambda scene, world: world.modernization.point.pk,  # type: ignore[union-attr]
    "parallel_run_id": lambda scene, world: world.modernization.run.pk,  # type: ignore[union-attr]
    "finding_id": lambda scene, world: world.modernization.finding.pk,  # type: ignore[union-attr]
    "cut_over_step": lambda scene, world: "cut-over",
    "point_change": lambda scene, world: "tick",
    "comparison_change": lambda scene, world: "again",
    "estate_format": lambda scene, world: "csv",
    "endpoint_id": lambda scene, world: world.endpoint.pk,  # type: ignore[union-attr]
    "delivery_id": lambda scene, world: world.delivery.pk,  # type: ignore[union-attr]
    "log_id": lambda scene, world: world.log.pk,  # type: ignore[union-attr]
    "call_id": lambda scene, world: world.call.pk,  # type: ignore[union-attr]
    "export_id": lambda scene, world: world.export.pk,  # type: ignore[union-attr]
    "kind": lambda scene, world: "records",
    "position": lambda scene, world: 2,
    "entity": lambda scene, world: "invoice",
    "partner_portal:entity": lambda scene, world: "account",
    "api:vendor": lambda scene, world: "xero",
    "vendor": lambda scene, world: "redmine",
    "change": lambda scene, world: "pause",
    "answer": lambda scene, world: "later",
    "step": lambda scene, world: "settings",
    "page": lambda scene, world: "partner_portal:runs",
    # A person's own; somebody else's is left as it is (tests/accounts/test_saved_views.py).
    "view_id": lambda scene, world: scene.partner.pk,
    # The partner's own: staff see them, customers have no page for them.
    "partner_portal:member_id": lambda scene, world: scene.member.pk,
    "partner_portal:invitation_id": lambda scene, world: scene.staff_invitation.pk,
    "partner_portal:key_id": lambda scene, world: scene.api_key.pk,
    "partner_portal:mail_id": lambda scene, world: scene.mail.pk,
    "partner_id": lambda scene, world: scene.partner.pk,
    # Proofs in the address itself: a wrong one leads nowhere, for anybody.
    "token": lambda scene, world: "no-such-token",
    "uidb36": lambda scene, world: "nobody",
    "key": lambda scene, world: "no-such-key",
    "anything": lambda scene, world: "no-such-address",
    "brand_theme:digest": lambda scene, world: NOTHING[:16],
    "brand_mark:digest": lambda scene, world: NOTHING[:16],
    "brand_image:digest": lambda scene, world: NOTHING,
    "extension": lambda scene, world: "png",
}


def fill_kwargs(route: Route, scene: Scene, world: World) -> dict[str, object]:
    return {kwarg: _sample(route, kwarg)(scene, world) for kwarg in route.kwargs}


def _sample(route: Route, kwarg: str) -> Sample:
    space, _, _ = route.name.partition(":")
    found = SAMPLES.get(f"{space}:{kwarg}") or SAMPLES.get(kwarg)
    assert found is not None, f"add a sample for {kwarg} ({route.pattern}) to tests/architecture/isolation/samples.py"
    return found
