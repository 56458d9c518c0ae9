"""Making, changing, pausing and retiring connections."""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from apps.audit.services import record_change
from apps.connectors.models import Connection, ConnectionStatus, Credential
from apps.connectors.registry import UnknownVendor, get_manifest, get_offered
from apps.connectors.sdk.machine_access import ACCESS
from apps.connectors.sdk.manifest import ADDRESS_KINDS, ConnectorManifest
from apps.connectors.sdk.types import CheckResult
from apps.connectors.services.access import Access, try_access
from apps.connectors.services.checks import cancel_check, check_connection, record_check, require_seen, schedule_check
from apps.connectors.services.credentials import Secrets, open_secrets
from apps.connectors.services.inputs import UnableToConnect, clean_input, clean_name
from apps.connectors.services.status import change_status, lock_connection
from apps.core.actor import Actor, system_actor
from apps.core.errors import NotPermitted, NotVisible
from apps.customers.models import Environment, EnvironmentKind
from apps.events.services import record_event

WEBHOOK_TOKEN_BYTES = 24


def create_connection(
    *,
    actor: Actor,
    now: datetime,
    environment: Environment,
    vendor: str,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    access_ends_at: datetime | None = None,
) -> Connection:
    """This function will store a connection that was checked first, or a pending one that awaits its consent (OAuth 2).

    `access_ends_at` is the end of a key's life, where the vendor sets one: people are warned ahead of it.
    Raises UnableToConnect with the field to change, in words for the person who filled in the form.
    """
    _require_manager(actor, environment)
    given = clean_input(_offered(vendor), settings, secrets)
    connection = _draft(now, environment, vendor, name, given.settings)
    # The vendor is asked before anything is stored, and outside of the transaction.
    access = try_access(connection, Access(given.secrets, ends_at=access_ends_at), now)
    return _store_new(actor, now, connection, access)


def create_pending_connection(
    *, actor: Actor, now: datetime, environment: Environment, vendor: str, name: str, settings: Mapping[str, Any]
) -> Connection:
    """This function will store a connection whose secrets or consent the customer will give. Raises UnableToConnect."""
    _require_manager(actor, environment)
    given = clean_input(_offered(vendor), settings, {}, later=True)
    connection = _draft(now, environment, vendor, name, given.settings)
    return _store_new(actor, now, connection, Access(Secrets()))


def _require_manager(actor: Actor, environment: Environment) -> None:
    actor.require("connections.manage")
    if not actor.sees(environment.customer_id):
        raise NotVisible("There is no such environment.")


def _draft(now: datetime, environment: Environment, vendor: str, name: str, settings: dict[str, Any]) -> Connection:
    connection = Connection(
        customer_id=environment.customer_id,
        environment=environment,
        vendor=vendor,
        name=clean_name(name),
        settings=settings,
        webhook_token=random_secrets.token_urlsafe(WEBHOOK_TOKEN_BYTES),
        created_at=now,
    )
    _require_free_name(connection)
    return connection


@transaction.atomic
def _store_new(actor: Actor, now: datetime, connection: Connection, access: Access) -> Connection:
    # Two people at once would otherwise meet in the unique constraint: the second waits here and is told in words.
    Environment.objects.select_for_update(no_key=True).get(pk=connection.environment_id)
    _require_free_name(connection)
    connection.save(force_insert=True)
    if access.secrets:
        access.store(connection, now)
    record_change(
        actor=actor,
        now=now,
        target=connection,
        action="connection.created",
        after=_public_facts(connection, access.secrets),
    )
    if access.result is not None:
        record_check(actor=actor, now=now, connection=connection, result=access.result)
        schedule_check(connection, now)
    return connection


def update_connection(
    *,
    actor: Actor,
    now: datetime,
    connection: Connection,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    access_ends_at: datetime | None = None,
) -> Connection:
    """This function will check the changed connection and store it; secrets left empty stay as they are.

    Except where the address or the way of access changes: secrets serve only what they were given for.
    """
    actor.require("connections.manage")
    return _change(actor, now, connection, name, settings, secrets, access_ends_at)


def complete_connection(
    *,
    actor: Actor,
    now: datetime,
    connection: Connection,
    secrets: Mapping[str, str],
    settings: Mapping[str, Any] | None = None,
    spend: Callable[[], object] | None = None,
) -> Connection:
    """This function will check and store secrets and the settings left open: what the customer's own people may do.

    `spend` is called with the connection locked, as the last thing that may refuse it all.
    """
    if not (actor.can("connections.manage") or actor.can("connections.authorize")):
        raise NotPermitted("Your role does not allow this. Ask an administrator of your team.")
    left_open = {key: value for key, value in (settings or {}).items() if not connection.settings.get(key)}
    given = {**connection.settings, **left_open}
    return _change(actor, now, connection, connection.name, given, secrets, spend=spend)


def _change(
    actor: Actor,
    now: datetime,
    connection: Connection,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    access_ends_at: datetime | None = None,
    *,
    spend: Callable[[], object] | None = None,
) -> Connection:
    require_seen(actor, connection)
    _require_kept(connection)
    manifest = get_manifest(connection.vendor)
    held = open_secrets(connection)
    had_access = bool(held)
    given = clean_input(manifest, settings, secrets, held=held)
    moves = _destination(manifest, given.settings) != _destination(manifest, connection.settings)
    if moves:
        held = Secrets()
        given = clean_input(manifest, settings, secrets)
    draft = copy(connection)
    draft.name, draft.settings = clean_name(name), given.settings
    _require_free_name(draft)
    tried = try_access(draft, Access(Secrets({**held, **given.secrets}), ends_at=access_ends_at), now)
    _require_same_account(connection, manifest, tried.result, moves=moves)
    with transaction.atomic():
        locked = _lock_as_seen(connection)
        _require_same_account(locked, manifest, tried.result, moves=moves)
        if spend is not None:
            spend()
        access = replace(tried, secrets=given.secrets)
        changed = _store_changed(actor, now, locked, draft, access, keeps_secrets=bool(held))
        if had_access and (moves or given.secrets):
            _tell_of_access(actor, now, changed)
    return changed


def _tell_of_access(actor: Actor, now: datetime, connection: Connection) -> None:
    """Whoever watches over production learns that another key, or another address, is used from now on."""
    if connection.environment.kind != EnvironmentKind.PRODUCTION:
        return
    record_event(
        name="connectors.connection.access_changed", subject_key=connection.subject_key, now=now,
        payload={"connection_id": str(connection.pk), "by": actor.signature, "by_ids": sorted(actor.people)},
    )  # fmt: skip


def _destination(manifest: ConnectorManifest, settings: Mapping[str, Any]) -> list[Any]:
    return [
        settings.get(ACCESS),
        *(settings.get(field.key) for field in manifest.config if field.kind in ADDRESS_KINDS),
    ]


def _require_same_account(
    connection: Connection, manifest: ConnectorManifest, result: CheckResult | None, *, moves: bool
) -> None:
    if result is None or not connection.account_id:
        return
    if moves and _is_known_by_address(connection, manifest):
        return  # it has another id there, wherever it came from
    is_same = connection.account_id == result.account_id
    # Servers of one's own count their accounts from 1: at another address the name has to speak for it as well.
    if moves and connection.account_id.isdigit():
        is_same = is_same and connection.account_name == result.account_name
    if not is_same:
        # The records of two accounts would be mixed beyond repair.
        raise UnableToConnect(
            f"These credentials belong to {result.account_name}, this connection to {connection.account_name}. "
            "Add a new connection for another account."
        )


def _is_known_by_address(connection: Connection, manifest: ConnectorManifest) -> bool:
    """Whether the account's id is made of where it is."""
    addresses = (
        str(connection.settings.get(field.key) or "") for field in manifest.config if field.kind in ADDRESS_KINDS
    )
    hosts = (urlsplit(address).hostname or address for address in addresses if address)
    return any(host in connection.account_id for host in hosts)


def _lock_as_seen(seen: Connection) -> Connection:
    """The system was asked meanwhile: what was tried is stored where nobody retired or moved the connection since."""
    Environment.objects.select_for_update(no_key=True).get(pk=seen.environment_id)
    connection = Connection.objects.select_for_update(no_key=True).get(pk=seen.pk)
    _require_kept(connection)
    if connection.settings != seen.settings:
        raise UnableToConnect("Somebody else has changed this connection meanwhile. Load the page again.")
    return connection


def _store_changed(
    actor: Actor, now: datetime, connection: Connection, draft: Connection, access: Access, *, keeps_secrets: bool
) -> Connection:
    before = _public_facts(connection, {})
    connection.name, connection.settings = draft.name, draft.settings
    _require_free_name(connection)
    connection.save(update_fields=["name", "settings"])
    if keeps_secrets:
        access.store_over(connection, now)
    else:
        access.store(connection, now)
    record_change(
        actor=actor,
        now=now,
        target=connection,
        action="connection.updated",
        before=before,
        after=_public_facts(connection, access.secrets),
    )
    if access.result is not None:
        record_check(actor=actor, now=now, connection=connection, result=access.result)
        schedule_check(connection, now)
    elif not keeps_secrets:
        reason = "Authorize the connection at its new address."
        change_status(actor=actor, now=now, connection=connection, status=ConnectionStatus.PENDING, reason=reason)
    return connection


def pause_connection(*, actor: Actor, now: datetime, connection: Connection) -> Connection:
    """This function will stop every call to the vendor until somebody resumes."""
    actor.require("connections.manage")
    require_seen(actor, connection)
    _require_kept(connection)
    change_status(
        actor=actor, now=now, connection=connection, status=ConnectionStatus.PAUSED, reason=f"Paused by {actor.label}."
    )
    return connection


@transaction.atomic
def pause_connections_of(*, customer_id: UUID, now: datetime) -> int:
    """This function will stop every call made for a customer that is no longer served. Safe to repeat."""
    rows = Connection.objects.filter(customer_id=customer_id, archived_at=None).exclude(status=ConnectionStatus.PAUSED)
    reason, actor = "The customer is archived.", system_actor()
    return sum(
        change_status(actor=actor, now=now, connection=row, status=ConnectionStatus.PAUSED, reason=reason)
        for row in rows.order_by("id")
    )


def resume_connection(*, actor: Actor, now: datetime, connection: Connection) -> Connection:
    """This function will end a pause and check at once what state the connection is really in."""
    actor.require("connections.manage")
    require_seen(actor, connection)
    _require_kept(connection)
    if connection.status != ConnectionStatus.PAUSED:
        raise UnableToConnect("The connection is not paused.")
    change_status(actor=actor, now=now, connection=connection, status=ConnectionStatus.ACTIVE)
    schedule_check(connection, now)
    return check_connection(actor=actor, now=now, connection=connection)


@transaction.atomic
def archive_connection(*, actor: Actor, now: datetime, connection: Connection) -> Connection:
    """This function will retire the connection for good: its secrets are deleted, its history stays."""
    actor.require("connections.manage")
    require_seen(actor, connection)
    lock_connection(connection)
    _require_kept(connection)
    connection.archived_at = now
    connection.save(update_fields=["archived_at"])
    Credential.objects.filter(connection=connection).delete()
    cancel_check(connection)
    record_change(actor=actor, now=now, target=connection, action="connection.archived")
    return connection


def _offered(vendor: str) -> ConnectorManifest:
    try:
        return get_offered(vendor)
    except UnknownVendor:
        raise UnableToConnect("Choose one of the systems in the catalogue.", field="vendor") from None


def _require_free_name(connection: Connection) -> None:
    same = Connection.objects.filter(environment_id=connection.environment_id, name=connection.name, archived_at=None)
    if same.exclude(pk=connection.pk).exists():
        raise UnableToConnect("Another connection has this name. Choose a different one.", field="name")


def _require_kept(connection: Connection) -> None:
    if connection.archived_at is not None:
        raise UnableToConnect("The connection is archived.")


def _public_facts(connection: Connection, secrets: Mapping[str, str]) -> dict[str, Any]:
    """What the trail may know: which secrets were set, never their values."""
    facts = {"vendor": connection.vendor, "name": connection.name, "settings": connection.settings}
    return {**facts, "secrets_set": sorted(secrets)} if secrets else facts
