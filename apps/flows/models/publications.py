"""Mappings that are put in force in many integrations at one person's word."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.actor import Actor
from apps.core.ids import uuid7


class PublicationQuerySet(models.QuerySet["MappingPublication"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those in which there is nothing of anybody else's."""
        return self if actor.scope is None else self.filter(customer_ids__contained_by=sorted(actor.scope))


class MappingPublication(models.Model):
    """The integrations in their order, and what became of the first `done_count` of them.

    `outcomes` are {integration, label, status, message}, one for each that had its turn. `asked_by` is who asked:
    whatever is published in the background is published by them. `stop_reason`: why the rest was given up, where nobody
    stopped it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer_ids = ArrayField(models.UUIDField())
    integration_ids = ArrayField(models.UUIDField())
    done_count = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)
    is_accepted = models.BooleanField(default=False)
    asked_by = models.JSONField()
    requested_by_label = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=300, blank=True)

    objects: ClassVar[Any] = PublicationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.total} integration{'' if self.total == 1 else 's'}"

    @property
    def total(self) -> int:
        return len(self.integration_ids)

    @property
    def is_active(self) -> bool:
        return self.finished_at is None

    @property
    def next_id(self) -> UUID | None:
        """Whose turn it is."""
        if self.finished_at is not None or self.done_count >= self.total:
            return None
        found: UUID = self.integration_ids[self.done_count]
        return found

    def counts(self) -> dict[str, int]:
        """How many integrations came to which end; all ends, also those nobody came to."""
        found = dict.fromkeys(("published", "waiting", "unchanged", "refused"), 0)
        for outcome in self.outcomes:
            found[outcome["status"]] += 1
        return found
