"""The partner's own apps at vendors: whose consent screen people see and whose webhook address vendors call."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.models import OAuthApp
from apps.connectors.registry import UnknownVendor, get_manifest
from apps.connectors.sdk.manifest import AuthKind, ConnectorManifest
from apps.connectors.services.credentials import place_of, sealer
from apps.core.actor import Actor
from apps.core.crypto import Place
from apps.core.errors import AnticipatedError
from apps.core.ids import uuid7


class UnableToSaveApp(AnticipatedError):
    """The vendor app's details cannot be stored like this."""

    code = "unable_to_save_app"


@dataclass(frozen=True, slots=True)
class OpenedApp:
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)


def app_place(app: OAuthApp, name: str) -> Place:
    return place_of("connectors_oauthapp", app.pk, name)


@transaction.atomic
def save_oauth_app(
    *, actor: Actor, now: datetime, vendor: str, client_id: str, client_secret: str = "", webhook_secret: str = ""
) -> OAuthApp:
    """This function will store the partner's app at the vendor; a secret left empty stays as it was.

    Raises UnableToSaveApp with the field to change, NotPermitted.
    """
    actor.require("connectors.manage")
    actor.require_sight_of_all(
        "The partner’s apps serve all customers: only the partner’s own people and keys change them."
    )
    manifest = _manifest(vendor)
    app = OAuthApp.objects.select_for_update().filter(vendor=vendor).first()
    is_new = app is None
    if app is None:
        app = OAuthApp(id=uuid7(), vendor=vendor, webhook_token=secrets.token_urlsafe(24))
    if manifest.auth is AuthKind.OAUTH2:
        _require_complete(client_id, client_secret, is_new=is_new)
    app.client_id, app.updated_at = client_id.strip(), now
    _seal_into(app, client_secret.strip(), webhook_secret.strip(), is_new=is_new)
    app.save()
    record_audit(
        actor=actor,
        action="oauth_app.created" if is_new else "oauth_app.updated",
        target_key=f"oauth_app:{vendor}",
        target_label=manifest.name,
        after={
            "client_id": app.client_id,
            "client_secret_set": bool(client_secret),
            "webhook_secret_set": bool(webhook_secret),
        },
        now=now,
    )
    return app


def open_oauth_app(vendor: str) -> OpenedApp | None:
    app = OAuthApp.objects.filter(vendor=vendor).first()
    if app is None:
        return None
    return OpenedApp(app.client_id, _open(app, "sealed_secret"), _open(app, "sealed_webhook_secret"))


def _open(app: OAuthApp, name: str) -> str:
    sealed = getattr(app, name)
    return sealer().open(bytes(sealed), app_place(app, name)).decode() if sealed else ""


def _seal_into(app: OAuthApp, client_secret: str, webhook_secret: str, *, is_new: bool) -> None:
    keys = sealer()
    if client_secret or is_new:
        app.sealed_secret = keys.seal(client_secret.encode(), app_place(app, "sealed_secret"))
    if webhook_secret:
        app.sealed_webhook_secret = keys.seal(webhook_secret.encode(), app_place(app, "sealed_webhook_secret"))
    # `key_id` names the oldest key still needed: the rotation looks for rows where it is not the current one.
    app.key_id = keys.current_key_id if is_new or (client_secret and webhook_secret) else app.key_id


def _manifest(vendor: str) -> ConnectorManifest:
    try:
        manifest = get_manifest(vendor)
    except UnknownVendor:
        raise UnableToSaveApp("Choose one of the systems in the catalogue.", field="vendor") from None
    if manifest.oauth2 is None and (manifest.webhook is None or manifest.webhook.scope != "app"):
        raise UnableToSaveApp(f"{manifest.name} needs no app of yours.", field="vendor")
    return manifest


def _require_complete(client_id: str, client_secret: str, *, is_new: bool) -> None:
    if not client_id.strip():
        raise UnableToSaveApp("Enter the client id of your app.", field="client_id")
    if is_new and not client_secret.strip():
        raise UnableToSaveApp("Enter the client secret of your app.", field="client_secret")
