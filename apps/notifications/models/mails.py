"""What was sent to whom."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from apps.core.ids import uuid7


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def in_state(self, state: str) -> Self:
        """`sent`, `waiting`, `failed`; anything else leaves the rows as they are."""
        conditions = {
            "sent": models.Q(sent_at__isnull=False),
            "waiting": models.Q(sent_at=None, gave_up_at=None),
            "failed": models.Q(gave_up_at__isnull=False),
        }
        return self.filter(conditions[state]) if state in conditions else self

    def to_recipient(self, text: str) -> Self:
        return self.filter(recipient__icontains=text) if text else self


class OutgoingMail(models.Model):
    """One mail to one address, kept as sent so that support can answer "did you get it?".

    `is_secret` mails carry a one-time code or link: their bodies are blanked once sent or given up, so that nobody who
    may read this list can sign in as the recipient. `key` makes a repeated request for the same mail a no-op.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120, null=True)
    recipient = models.EmailField()
    from_name = models.CharField(max_length=80, blank=True)
    reply_to = models.EmailField(blank=True)
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    is_secret = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    gave_up_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key"], name="mail_once_per_key"),
        ]
        indexes: ClassVar = [models.Index(fields=["-id"], name="mail_newest")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"

    @property
    def is_waiting(self) -> bool:
        return self.sent_at is None and self.gave_up_at is None
