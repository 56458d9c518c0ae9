"""API keys: the secret is shown once, the hash kept."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from apps.accounts.access import api_key_actor
from apps.accounts.models import ApiKey
from apps.accounts.policies import API_SCOPES, PARTNER_WIDE_SCOPES
from apps.accounts.tokens import api_secret_hash
from apps.audit.services import record_change
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError

_USE_NOTED_EVERY = timedelta(minutes=1)
_PREFIX_BYTES = 4


class UnableToCreateApiKey(AnticipatedError):
    """A name, scope or expiry does not fit."""


class ApiKeyRefused(AnticipatedError):
    """Unknown, wrong, expired or revoked: deliberately the same answer."""

    status = 401
    code = "not_authenticated"


def create_api_key(
    *,
    actor: Actor,
    now: datetime,
    name: str,
    scopes: list[str],
    customer_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """This function will create a key and return it with the whole secret, which nobody can read again.

    Raises UnableToCreateApiKey, NotPermitted, NotVisible.
    """
    actor.require("keys.manage")
    _check(actor, now, name, scopes, customer_id, expires_at)
    prefix, secret = secrets.token_hex(_PREFIX_BYTES), secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name.strip(), prefix=prefix, secret_hash=api_secret_hash(secret), scopes=sorted(set(scopes)),
            customer_id=customer_id, created_by_id=actor.id, created_by_label=actor.label, created_at=now,
            expires_at=expires_at,
        )  # fmt: skip
        _audit(actor, "api_key.created", key, now, after={"scopes": key.scopes, "customer": str(customer_id or "")})
    return key, f"pk_{prefix}_{secret}"


def revoke_api_key(*, actor: Actor, now: datetime, key: ApiKey) -> ApiKey:
    """This function will void the key at once; voiding it again changes nothing."""
    actor.require("keys.manage")
    with transaction.atomic():
        locked = ApiKey.objects.select_for_update().get(pk=key.pk)
        if locked.revoked_at is None:
            locked.revoked_at = now
            locked.save(update_fields=["revoked_at"])
            _audit(actor, "api_key.revoked", locked, now)
    return locked


@transaction.atomic
def revoke_customer_keys(*, actor: Actor, now: datetime, customer_id: UUID) -> None:
    """This function will void all keys that are bound to a customer. Whether the actor may end it, the caller has asked."""
    for key in ApiKey.objects.select_for_update().filter(customer_id=customer_id, revoked_at=None).order_by("pk"):
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        _audit(actor, "api_key.revoked", key, now)


def authenticate_api_key(raw: str, now: datetime) -> Actor:
    """This function will turn `pk_<prefix>_<secret>` into the actor it stands for. Raises ApiKeyRefused."""
    head, _, rest = raw.partition("_")
    prefix, _, secret = rest.partition("_")
    key = ApiKey.objects.filter(prefix=prefix).first() if head == "pk" else None
    # Compared even without a row, so that a wrong prefix takes as long as a wrong secret.
    matches = constant_time_compare(api_secret_hash(secret), key.secret_hash if key else "")
    if key is None or not matches or not key.is_usable(now):
        raise ApiKeyRefused("This API key is not valid. Check it, or create a new one in the settings.")
    _note_use(key, now)
    return api_key_actor(key)


def _note_use(key: ApiKey, now: datetime) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - _USE_NOTED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _check(
    actor: Actor, now: datetime, name: str, scopes: list[str], customer_id: UUID | None, expires_at: datetime | None
) -> None:
    if not name.strip():
        raise UnableToCreateApiKey("Name the key after the machine that will use it.", field="name")
    if not scopes or not set(scopes) <= set(API_SCOPES):
        raise UnableToCreateApiKey("Choose at least one of the scopes.", field="scopes")
    if not all(actor.can(scope) for scope in scopes):
        raise UnableToCreateApiKey("A key cannot do more than you can.", field="scopes")
    if customer_id is not None:
        actor.require_sight(customer_id, "There is no such customer.")
    if customer_id is not None and PARTNER_WIDE_SCOPES & set(scopes):
        raise UnableToCreateApiKey("A key of one customer cannot create or change customers.", field="scopes")
    if expires_at is not None and expires_at <= now:
        raise UnableToCreateApiKey("Choose a day in the future.", field="expires_at")


def _audit(actor: Actor, action: str, key: ApiKey, now: datetime, after: dict[str, object] | None = None) -> None:
    record_change(actor=actor, now=now, target=key, action=action, after=after)
