"""Ready-made integrations and their versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7


class VersionStatus(models.TextChoices):
    """The life of anything that is written, looked over by somebody, and then in force."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    PUBLISHED = "published", "Published"
    DEPRECATED = "deprecated", "Deprecated"


OPEN_VERSIONS = (VersionStatus.DRAFT, VersionStatus.IN_REVIEW)


class IntegrationTemplate(models.Model):
    """A ready-made integration: shipped as versioned files, or the partner's own, most often forked from a shipped one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    is_own = models.BooleanField(default=False, db_default=False)
    forked_from = models.ForeignKey(
        "IntegrationTemplateVersion", null=True, on_delete=models.PROTECT, related_name="forks"
    )

    def __str__(self) -> str:
        return self.name


class IntegrationTemplateVersion(models.Model):
    """One state of a template. `definition` is `source` (YAML) parsed; both are immutable once published.

    `number` is 1 to 3 counts joined by dots. A deprecated version is not deployed any more; what was deployed goes on.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(IntegrationTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.CharField(max_length=20)
    definition = models.JSONField()
    source = models.TextField(blank=True, db_default="")
    status = models.CharField(
        max_length=12, choices=VersionStatus, default=VersionStatus.PUBLISHED, db_default="published"
    )
    note = models.CharField(max_length=200, blank=True, db_default="")
    author_id = models.CharField(max_length=64, blank=True, db_default="")  # who edited it last: an actor's id
    author_ids = models.JSONField(default=list, db_default=[])  # the same, and who made the API key it was edited with
    author_label = models.CharField(max_length=200, blank=True, db_default="")
    changed_at = models.DateTimeField(null=True)
    reviewer_label = models.CharField(max_length=200, blank=True, db_default="")
    review_note = models.CharField(max_length=500, blank=True, db_default="")
    released_at = models.DateTimeField(null=True)
    deprecated_at = models.DateTimeField(null=True)
    deprecation_reason = models.CharField(max_length=300, blank=True, db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["template"], condition=models.Q(status__in=OPEN_VERSIONS), name="one_open_template_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.number}"

    @property
    def subject_key(self) -> str:
        """All versions of a template are one thing to whoever reads what happened to it."""
        return f"template:{self.template_id}"

    @property
    def owner_key(self) -> str:
        return ""


class ReleaseRules(models.Model):
    """The partner's own rules for publishing; the one row, made when something differs from the standard."""

    id = models.CharField(primary_key=True, max_length=8, default="all", editable=False)
    requires_review = models.BooleanField(default=False)  # nobody publishes what they wrote themselves
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200)
    # Somebody wants to end the review; it ends when another person agrees.
    end_asked_at = models.DateTimeField(null=True)
    end_asked_by_label = models.CharField(max_length=200, blank=True, db_default="")
    end_asked_by_ids = models.JSONField(default=list, db_default=[])
    end_voter_ids = models.JSONField(default=list, db_default=[])  # who could agree when it was asked

    def __str__(self) -> str:
        return "Reviewed by a second person" if self.requires_review else "Published by whoever changes"
