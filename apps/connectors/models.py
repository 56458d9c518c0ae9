"""A customer's authorised links to its systems."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from apps.core.ids import uuid7
from apps.customers.models import CustomerOwned, OwnedQuerySet


class ConnectionStatus(models.TextChoices):
    PENDING = "pending", "Not connected yet"
    ACTIVE = "active", "Connected"
    DEGRADED = "degraded", "Degraded"
    NEEDS_REAUTHORIZATION = "needs_reauthorization", "Needs re-authorization"
    PAUSED = "paused", "Paused"


class ConnectionQuerySet(OwnedQuerySet["Connection"]):
    def usable(self) -> ConnectionQuerySet:
        return self.filter(status__in=[ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED], archived_at=None)


class Connection(CustomerOwned):
    """One vendor account of one customer. `settings` holds no secrets; those are sealed in `Credential`.

    `account_id` is the vendor's own id of the account: app-wide webhooks are split by it. `webhook_token` is the
    unguessable part of the connection's own hook address.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    vendor = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    settings = models.JSONField(default=dict)
    status = models.CharField(max_length=30, choices=ConnectionStatus, default=ConnectionStatus.PENDING)
    status_reason = models.CharField(max_length=500, blank=True)
    account_id = models.CharField(max_length=120, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    webhook_token = models.CharField(max_length=64, unique=True)
    failure_count = models.PositiveSmallIntegerField(default=0)  # transient failures in a row
    # The circuit breaker, over all workers: calls that failed in a row, since when and until when none is made.
    circuit_failures = models.PositiveSmallIntegerField(default=0)
    circuit_trips = models.PositiveSmallIntegerField(default=0)
    circuit_opened_at = models.DateTimeField(null=True)
    circuit_until = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = ConnectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "name"], condition=models.Q(archived_at=None), name="connection_name_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["vendor", "account_id"], name="connection_of_account")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"connection:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}"

    def circuit_state(self, now: datetime) -> str:
        """`closed`: calls are made; `open`: none is, until `circuit_until`; `half_open`: the next one decides."""
        if self.circuit_until is None:
            return "closed"
        return "open" if self.circuit_until > now else "half_open"

    @property
    def is_usable(self) -> bool:
        return self.archived_at is None and self.status in (ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED)


class Credential(models.Model):
    """The sealed secrets of a connection: JSON, AES-256-GCM, bound to schema, table, row and field.

    `version` rises with every replacement; a refresh holds the connection's row lock and saves the rotated token
    before anyone uses it. `expires_at` is the end of the token in use; `access_ends_at` the day from which no refresh
    helps and a person must act again, where that is known; `warned_for` is when the last
    warning of that end came due.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="credential")
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True)
    access_ends_at = models.DateTimeField(null=True)
    warned_for = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"credential of {self.connection_id}"


class OAuthApp(models.Model):
    """The partner's own app at a vendor: its consent screen, its limits, its webhooks. One per vendor."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    vendor = models.CharField(max_length=40, unique=True)
    client_id = models.CharField(max_length=200)
    sealed_secret = models.BinaryField()
    sealed_webhook_secret = models.BinaryField(null=True)
    key_id = models.CharField(max_length=20)
    webhook_token = models.CharField(max_length=64, unique=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.vendor} app"


class PendingAuthorization(models.Model):
    """A consent under way: the state sent to the vendor, used once, with the PKCE verifier sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    sealed_verifier = models.BinaryField()
    return_path = models.CharField(max_length=300)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"consent for {self.connection_id}"


class ConnectLink(models.Model):
    """A mailed link by which somebody at the customer connects one connection. The token itself is not kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="connect_links")
    email = models.CharField(max_length=254)
    message = models.CharField(max_length=500, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    sent_by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.connection_id}"


class AllowedHost(models.Model):
    """A host this partner's connections may call; where there is none, every public address may be.

    `pattern` is a name or, for everything below a domain, `*.example.com`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pattern = models.CharField(max_length=253, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.pattern


class CustomConnector(models.Model):
    """A system the partner wrote down (`sdk/declared`). `draft` is what is being edited; connections use `published`.

    `key` is what connections store as their vendor; `author_ids` are all who had a part in what is not published yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    draft = models.TextField()
    author_ids = models.JSONField(default=list, db_default=[])
    published = models.ForeignKey(
        "CustomConnectorVersion", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        return f"custom_connector:{self.pk}"

    @property
    def owner_key(self) -> str:
        """The partner's, not a customer's."""
        return ""


class CustomConnectorVersion(models.Model):
    """One published text of a connector; never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connector = models.ForeignKey(CustomConnector, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField()
    note = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField()
    published_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connector", "number"], name="custom_connector_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} v{self.number}"


class CallBudget(models.Model):
    """A connection's rate budget where there is no Redis: an unlogged table, empty again after a crash.

    `next_call_at` is the moment at which a full bucket would have paid for every call so far (GCRA); `day_count` are the
    calls of `day` in UTC. No foreign key: the hot row must not touch the connection's.
    """

    connection_id = models.UUIDField(primary_key=True)
    next_call_at = models.DateTimeField()
    day = models.DateField()
    day_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"budget of {self.connection_id}"


class CallSlot(models.Model):
    """One of the calls that a connection may have under way at once, where there is no Redis; unlogged as well.

    `place` is the connection's id and a number; the lease of a worker that was killed ends with its session at the
    database, at the latest at `expires_at`.
    """

    place = models.CharField(max_length=44, primary_key=True)
    holder = models.UUIDField()
    backend = models.IntegerField(default=0)  # the session's process at the database
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place


class StoredFile(models.Model):
    """A file that somebody uploaded for a connection. Until a person has looked at it, it waits in a folder of its own.

    Its content is in pieces, so that no file is held in memory as a whole.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="stored_files")
    folder = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    uploaded_at = models.DateTimeField()
    uploaded_by_label = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "folder", "name"], name="stored_file_once")
        ]

    def __str__(self) -> str:
        return self.name


class StoredFilePiece(models.Model):
    """A part of a file's content, in order of `number` from 0."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["file", "number"], name="stored_file_piece_once")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"


class PushedRecord(models.Model):
    """The newest state of a record that its system pushed to us. `version` is the sender's: older news changes nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    object_name = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    version = models.BigIntegerField()
    data = models.JSONField()
    deleted = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "object_name", "external_id"], name="pushed_record_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["connection", "object_name", "received_at", "id"], name="pushed_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.object_name} {self.external_id}"
