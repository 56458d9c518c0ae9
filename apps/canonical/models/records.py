"""What things are, which system knows them under which id, and how they changed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models

from apps.connectors.models import Connection
from apps.core.ids import uuid7
from apps.customers.models import EngineOwned


class Entity(models.TextChoices):
    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Contact"
    OPPORTUNITY = "opportunity", "Opportunity"
    PROJECT = "project", "Project"
    TASK = "task", "Task"
    RESOURCE = "resource", "Resource"
    TIME_ENTRY = "time_entry", "Time entry"
    INVOICE = "invoice", "Invoice"
    PAYMENT = "payment", "Payment"
    QUOTE = "quote", "Quote"
    CONTRACT = "contract", "Contract"
    SUBSCRIPTION = "subscription", "Subscription"
    MILESTONE = "milestone", "Milestone"
    ASSIGNMENT = "assignment", "Assignment"
    EXPENSE = "expense", "Expense"
    INVOICE_SCHEDULE = "invoice_schedule", "Invoice schedule"
    USAGE_RECORD = "usage_record", "Usage record"
    REVENUE_ENTRY = "revenue", "Revenue entry"
    TICKET = "ticket", "Ticket"


def name_of(entity: str, title: str, fallback: str = "") -> str:
    """What a record is called among others; a title without a word in it is said with its kind: “Time entry 2”."""
    if any(sign.isalpha() for sign in title):
        return title
    label = str(Entity(entity).label) if entity in Entity.values else ""
    return f"{label} {title or fallback}".strip()


# Nobody looks for these by a word, and there are many: the word index leaves them out.
MASS_ENTITIES = (Entity.TIME_ENTRY.value, Entity.USAGE_RECORD.value)
WORDS = SearchVector("title", "number", config="simple")


class CanonicalRecord(EngineOwned):
    """One real thing of a customer, whatever systems hold it. `data` follows the entity's published schema.

    `title`, `number`, `state` and `occurred_on` repeat what lists filter and sort by. `version` rises with each change.
    `match_keys` are what it is looked up by when another system's record may be the same thing (`matching.py`).
    A record that a rule made (a project from a won opportunity) has an id computed from its origin: made twice, it is one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entity = models.CharField(max_length=20, choices=Entity)
    data = models.JSONField(default=dict)
    title = models.CharField(max_length=250, blank=True)
    number = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=30, blank=True)
    occurred_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    match_keys = ArrayField(models.CharField(max_length=300), default=list)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["environment", "entity", "-changed_at"], name="canonical_newest"),
            models.Index(fields=["customer", "-changed_at", "-id"], name="canonical_newest_of_customer"),
            models.Index(fields=["-changed_at", "-id"], name="canonical_newest_of_all"),
            # Without a list of pending entries, which every search would walk through.
            GinIndex(fields=["match_keys"], name="canonical_by_match_key", fastupdate=False),
            GinIndex(WORDS, name="canonical_by_word", condition=~models.Q(entity__in=MASS_ENTITIES)),
        ]

    def __str__(self) -> str:
        day = str(self.occurred_on or "")
        return name_of(self.entity, self.title or self.number, day or f"…{str(self.pk)[-8:]}")

    @property
    def subject_key(self) -> str:
        return f"record:{self.pk}"


class CanonicalLink(models.Model):
    """A named reference from one record to another (`project` of a time entry). One target per name."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="links", db_index=False)
    name = models.CharField(max_length=30)
    target = models.ForeignKey(CanonicalRecord, on_delete=models.CASCADE, related_name="backlinks")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "name"], name="link_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.name} {self.target_id}"


class CrossReference(models.Model):
    """A record's id in one connection. Unique both ways.

    `last_seen_hash` covers the vendor's object and the mapping's version; every read and the read-back of every write
    renew it. Equal means unchanged, decided before mapping. `seen` holds the canonical fields as this system has them
    ("@name": external id of a reference): only what differs from it is an edit made there. `write_hash` covers what was
    last asked of the vendor, until an edit there is seen; `rest_hash` the part of it that no reading shows again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record = models.ForeignKey(
        CanonicalRecord, on_delete=models.CASCADE, related_name="cross_references", db_constraint=False, db_index=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    object_name = models.CharField(max_length=40)  # the stream that reads it
    external_id = models.CharField(max_length=120)
    url = models.CharField(max_length=300, blank=True)
    last_seen_hash = models.CharField(max_length=32, blank=True)
    seen = models.JSONField(default=dict)
    write_hash = models.CharField(max_length=32, blank=True)
    rest_hash = models.CharField(max_length=32, blank=True)
    source_modified_at = models.DateTimeField(null=True)  # the vendor's own time: an older reading never wins
    last_seen_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "object_name", "external_id"], name="xref_external_once"),
            models.UniqueConstraint(fields=["record", "connection", "object_name"], name="xref_record_once"),
        ]

    def __str__(self) -> str:
        return f"{self.object_name} {self.external_id}"


class CanonicalChange(models.Model):
    """One version of a record: which fields changed, from what to what, by which system and run. Append-only.

    Written under the environment's lock, so that ids follow the order of commits: a flow finds what other flows
    changed by asking for ids above the last one it handled. A changed reference is a field of the reference's name.
    """

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(
        CanonicalRecord, on_delete=models.CASCADE, related_name="changes", db_constraint=False, db_index=False
    )
    environment_id = models.UUIDField()
    entity = models.CharField(max_length=20, choices=Entity)
    flow_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    source_kind = models.CharField(max_length=20)  # connection | flow | person
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False, db_index=False
    )
    run_id = models.UUIDField(null=True)
    fields = models.JSONField(default=dict)  # {field: [before, after]}
    source_at = models.DateTimeField(null=True)  # when it was edited there, by that system's clock

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "version"], name="change_version_once")]
        indexes: ClassVar = [models.Index(fields=["environment_id", "id"], name="change_newest")]

    def __str__(self) -> str:
        return f"{self.record_id} v{self.version}"
