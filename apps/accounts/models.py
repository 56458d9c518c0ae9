"""People, their roles at the partner, invitations and API keys. In public: operators."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from apps.accounts.policies import StaffRole
from apps.core.ids import uuid7


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person at this partner (or, in public, an operator). The same person elsewhere is another row, unknown here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    # django.contrib.auth asks these of a user; rights come from `policies`, never from Django's permissions.
    is_staff = False
    is_superuser = False

    @property
    def subject_key(self) -> str:
        return f"user:{self.pk}"

    @property
    def owner_key(self) -> str:
        return ""

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class SavedView(models.Model):
    """A list as one person likes it. With a name: filters and order to come back to. Without: the columns always left out.

    `page` is the list's URL name, so what is chosen for one customer's runs holds for every customer's.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=80)
    name = models.CharField(max_length=60, blank=True)
    query = models.CharField(max_length=1000, blank=True)
    hidden_columns = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_name_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.page


class StaffMembership(models.Model):
    """A person works for the partner in one role. In public the row makes them an operator."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="staff_membership")
    role = models.CharField(max_length=20, choices=StaffRole)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # Ownership is transferred, never shared: a partner always has exactly one owner once provisioned.
            models.UniqueConstraint(fields=["role"], condition=models.Q(role="owner"), name="one_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"


class Invitation(models.Model):
    """A mailed offer of one role, to staff (`subject_key` empty) or at a customer (`customer:<id>`).

    Only the hash of the token is kept. Accepted once, before `expires_at`, by a person who proves the address.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=20)
    subject_key = models.CharField(max_length=80, blank=True)
    subject_label = models.CharField(max_length=200, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                "subject_key",
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    def is_open(self, now: datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at


class ApiKey(models.Model):
    """A machine's way in: `pk_<prefix>_<secret>`. Only the secret's SHA-256 is kept; the prefix finds the row.

    `customer_id` narrows everything the key sees to one customer (opaque here: customers stand above accounts).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    customer_id = models.UUIDField(null=True)
    created_by_id = models.CharField(max_length=64, blank=True, db_default="")
    created_by_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} (pk_{self.prefix}_…)"

    @property
    def subject_key(self) -> str:
        return f"api_key:{self.pk}"

    @property
    def owner_key(self) -> str:
        return f"customer:{self.customer_id}" if self.customer_id else ""

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
