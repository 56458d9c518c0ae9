"""What was sent to whom."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.ids import uuid7


class OutgoingMail(models.Model):
    """One mail to one address, kept as sent so that support can answer "did you get it?". Bodies of mails that carry a
    one-time code or link are kept only until they expire."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=60)
    recipient = models.EmailField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-id"], name="mail_newest")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"
