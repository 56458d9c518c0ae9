"""Re-sealing every stored secret of the current partner under the current key. Safe to repeat and to interrupt."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import models, transaction

from apps.connectors.models import Credential, OAuthApp, PendingAuthorization
from apps.connectors.services.authorizations import verifier_place
from apps.connectors.services.credentials import credential_place, sealer
from apps.connectors.services.oauth_apps import app_place
from apps.core.crypto import Place, Sealer
from apps.notifications.secrets import reseal_secrets


@dataclass(frozen=True, slots=True)
class RotationCount:
    credentials: int
    apps: int
    consents: int
    webhooks: int


def rotate_secrets() -> RotationCount:
    """This function will leave no value sealed with an older key. Raises SealBroken for a value it cannot open."""
    return RotationCount(
        credentials=sum(_rotate_credential(pk) for pk in _ids(Credential)),
        apps=sum(_rotate_app(pk) for pk in _ids(OAuthApp)),
        consents=sum(_rotate_consent(pk) for pk in _ids(PendingAuthorization)),
        webhooks=reseal_secrets(),
    )


def _ids(model: type[models.Model]) -> list[UUID]:
    return list(model._default_manager.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _rotate_credential(pk: UUID) -> int:
    credential = Credential.objects.select_for_update().filter(pk=pk).first()
    if credential is None:
        return 0
    keys = sealer()
    sealed = _resealed(keys, credential.sealed, credential_place(credential))
    if sealed is None:
        return 0
    credential.sealed, credential.key_id = sealed, keys.current_key_id
    credential.save(update_fields=["sealed", "key_id"])
    return 1


@transaction.atomic
def _rotate_app(pk: UUID) -> int:
    app = OAuthApp.objects.select_for_update().filter(pk=pk).first()
    if app is None:
        return 0
    keys, changed = sealer(), 0
    for name in ("sealed_secret", "sealed_webhook_secret"):
        held = getattr(app, name)
        sealed = _resealed(keys, held, app_place(app, name)) if held else None
        if sealed is not None:
            setattr(app, name, sealed)
            changed = 1
    app.key_id = keys.current_key_id
    app.save(update_fields=["sealed_secret", "sealed_webhook_secret", "key_id"])
    return changed


@transaction.atomic
def _rotate_consent(pk: UUID) -> int:
    pending = PendingAuthorization.objects.select_for_update().filter(pk=pk).first()
    sealed = _resealed(sealer(), pending.sealed_verifier, verifier_place(pending)) if pending else None
    if pending is None or sealed is None:
        return 0
    pending.sealed_verifier = sealed
    pending.save(update_fields=["sealed_verifier"])
    return 1


def _resealed(keys: Sealer, sealed: bytes | memoryview, place: Place) -> bytes | None:
    """The value under the current key; None when it is already."""
    held = bytes(sealed)
    if keys.key_id_of(held) == keys.current_key_id:
        return None
    return keys.seal(keys.open(held, place), place)
