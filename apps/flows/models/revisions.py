"""What an integration is, version by version; and how a new version of its template reaches many of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned
from apps.flows.models.integrations import Integration
from apps.flows.models.templates import OPEN_VERSIONS, IntegrationTemplateVersion, VersionStatus


class IntegrationRevision(models.Model):
    """One version of an integration: template version, settings, what starts its flows (`starts`), mappings, and its own
    answers to edits on both sides and to deletions (`policies`).

    A draft or one in review can change; a published one never does, and is deprecated once a later one is published.
    None means: not kept then, as it is now. `settings`, `starts` and `policies` are what they were when it was published, so that it
    can be gone back to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=12, choices=VersionStatus, default=VersionStatus.PUBLISHED, db_default="published"
    )
    template_version = models.ForeignKey(
        IntegrationTemplateVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    settings = models.JSONField(null=True)
    starts = models.JSONField(null=True)  # {flow key: the keys of its definition that say what starts it}
    policies = models.JSONField(null=True)  # [{entity, field, policy, role}], by entity and field
    mappings = models.JSONField()
    is_return = models.BooleanField(default=False, db_default=False)  # goes back to an earlier one, mappings included
    note = models.CharField(max_length=200, blank=True)
    author_id = models.CharField(max_length=64, blank=True, db_default="")
    author_ids = models.JSONField(default=list, db_default=[])  # all who had a part in it, makers of API keys included
    author_label = models.CharField(max_length=200, blank=True, db_default="")
    review_note = models.CharField(max_length=500, blank=True, db_default="")
    published_at = models.DateTimeField(null=True)
    published_by_label = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "number"], name="mapping_revision_once"),
            models.UniqueConstraint(
                fields=["integration"], condition=models.Q(status__in=OPEN_VERSIONS), name="one_open_revision"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.integration} {self.number}"


class RolloutStatus(models.TextChoices):
    RUNNING = "running", "In progress"
    HALTED = "halted", "Halted"
    COMPLETED = "completed", "Completed"
    ROLLING_BACK = "rolling_back", "Going back"
    ROLLED_BACK = "rolled_back", "Rolled back"
    CANCELED = "canceled", "Ended early"


class TemplateRollout(models.Model):
    """A template version on its way to customers, stage by stage. `stages` are counts of integrations that add up.

    `asked_by` is whoever began it, went on with it or had it go back last.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(IntegrationTemplateVersion, on_delete=models.PROTECT, related_name="rollouts")
    stages = models.JSONField()
    stage = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=12, choices=RolloutStatus, default=RolloutStatus.RUNNING)
    halt_reason = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    started_by_label = models.CharField(max_length=200)
    asked_by = models.JSONField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(status__in=["running", "halted", "rolling_back"]),
                name="one_open_rollout",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}"


class MemberStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    NEEDS_ANSWER = "needs_review", "Needs an answer"
    WATCHED = "in_progress", "Waiting for its first run"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Left out"
    ROLLED_BACK = "rolled_back", "Rolled back"


class RolloutMember(CustomerOwned):
    """One integration in a rollout. `before` is what it goes back to, `open_failures` how many it had before."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rollout = models.ForeignKey(TemplateRollout, on_delete=models.CASCADE, related_name="members")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="rollouts")
    stage = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=MemberStatus, default=MemberStatus.WAITING)
    answers = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True)
    before = models.ForeignKey(IntegrationRevision, null=True, on_delete=models.SET_NULL, related_name="+")
    after = models.ForeignKey(IntegrationRevision, null=True, on_delete=models.SET_NULL, related_name="+")
    open_failures = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rollout", "integration"], name="rollout_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.integration}: {self.get_status_display()}"
