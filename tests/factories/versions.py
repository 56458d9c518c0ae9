"""A version of an integration that was published, and a rollout in which nothing happens any more."""

from __future__ import annotations

from datetime import datetime

from apps.core.actor import system_actor
from apps.customers.askers import note_asker
from apps.flows.models import Integration, IntegrationRevision, RolloutMember, TemplateRollout


def make_versions(integration: Integration, now: datetime) -> tuple[IntegrationRevision, RolloutMember]:
    revision = IntegrationRevision.objects.create(
        integration=integration, number=1, mappings=[], published_at=now, published_by_label="System"
    )
    rollout = TemplateRollout.objects.create(
        version=integration.template_version, stages=[1], status="canceled", started_at=now, started_by_label="System",
        asked_by=note_asker(system_actor()),
    )  # fmt: skip
    member = RolloutMember.objects.create(
        rollout=rollout, integration=integration, customer_id=integration.customer_id,
        environment_id=integration.environment_id, stage=0,
    )  # fmt: skip
    return revision, member
