"""The consent: from our button to the vendor's page and back.

The state sent along is random, kept only as a hash, good for ten minutes and for one use. Whatever comes back, the state
is spent first. The PKCE verifier never leaves the server.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.http import url_has_allowed_host_and_scheme

from apps.audit.services import record_change
from apps.connectors.models import Connection, ConnectLink, PendingAuthorization
from apps.connectors.outbound import outbound_client
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.errors import ConnectorError
from apps.connectors.sdk.machine_access import machine_access
from apps.connectors.sdk.oauth2 import TokenSet, authorization_url, exchange_code, new_code_verifier, new_state
from apps.connectors.sdk.types import CheckResult
from apps.connectors.selectors import hash_state
from apps.connectors.services.checks import record_check, require_seen, schedule_check
from apps.connectors.services.credentials import Secrets, open_secrets, place_of, sealer
from apps.connectors.services.opening import build_connector
from apps.connectors.services.status import lock_connection
from apps.connectors.services.tokens import TOKEN_TIMEOUT_SECONDS, store_tokens, vendor_app, with_tokens
from apps.core.actor import Actor, ActorKind
from apps.core.crypto import Place
from apps.core.errors import AnticipatedError, NotPermitted
from apps.core.http import BlockedAddress
from apps.core.ids import uuid7
from apps.core.planes import require_tenant_schema
from apps.tenants.selectors import absolute_url, platform_host

LIFETIME = timedelta(minutes=10)
CALLBACK_PATH = "/oauth/callback"


class UnableToAuthorize(AnticipatedError):
    """The consent did not happen, or its answer cannot be trusted."""

    code = "unable_to_authorize"


def verifier_place(pending: PendingAuthorization) -> Place:
    return place_of("connectors_pendingauthorization", pending.pk, "sealed_verifier")


def redirect_uri() -> str:
    """On the partner's permanent host: an own domain added later changes nothing at the vendor."""
    return absolute_url(platform_host(require_tenant_schema()), CALLBACK_PATH)


def begin_authorization(*, actor: Actor, now: datetime, connection: Connection, return_path: str) -> str:
    """This function will prepare a consent and return the vendor's address to send the browser to.

    Raises UnableToAuthorize, NotVisible, NotPermitted.
    """
    require_seen(actor, connection)
    if not (actor.can("connections.manage") or actor.can("connections.authorize")):
        raise NotPermitted("Your role does not allow this. Ask an administrator of your team.")
    if connection.archived_at is not None:
        raise UnableToAuthorize("The connection is archived.")
    if machine_access(get_manifest(connection.vendor), connection.settings):
        raise UnableToAuthorize("This connection uses a client of its own. Change its credentials instead.")
    try:
        app = vendor_app(connection)
    except ConnectorError as error:
        raise UnableToAuthorize(error.message) from None
    state, verifier = new_state(), new_code_verifier()
    _store_pending(actor, now, connection, state, verifier, return_path)
    return authorization_url(app, redirect_uri=redirect_uri(), state=state, verifier=verifier)


@transaction.atomic
def _store_pending(
    actor: Actor, now: datetime, connection: Connection, state: str, verifier: str, return_path: str
) -> None:
    PendingAuthorization.objects.filter(expires_at__lte=now).delete()
    own_path = return_path.startswith("/") and url_has_allowed_host_and_scheme(return_path, allowed_hosts=None)
    pending = PendingAuthorization(
        id=uuid7(),
        connection=connection,
        state_hash=hash_state(state),
        return_path=return_path[:300] if own_path else "/",
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    pending.sealed_verifier = sealer().seal(verifier.encode(), verifier_place(pending))
    pending.save(force_insert=True)


def complete_authorization(*, now: datetime, state: str, code: str = "", error: str = "") -> Connection:
    """This function will spend the state, exchange the code, ask whose account it is, and store the tokens.

    Raises UnableToAuthorize; then nothing but the state has changed.
    """
    pending, verifier = _spend_state(state, now)
    connection = pending.connection
    name = get_manifest(connection.vendor).name
    if error or not code:
        refused = f"{name} did not give access. Start again, and agree on {name}'s page."
        raise UnableToAuthorize(
            refused if error in ("", "access_denied") else f"{name} reported a problem. Start again."
        )
    try:
        tokens = _exchange(connection, code, verifier, now)
        secrets = with_tokens(open_secrets(connection), tokens)
        result = build_connector(connection, secrets).check()
    except ConnectorError as failure:
        raise UnableToAuthorize(f"{name} did not accept the authorization: {failure.message}") from None
    return _store_consent(pending, now, secrets, tokens, result)


@transaction.atomic
def _spend_state(state: str, now: datetime) -> tuple[PendingAuthorization, str]:
    waiting = PendingAuthorization.objects.select_for_update(of=("self",)).select_related("connection")
    pending = waiting.filter(state_hash=hash_state(state), expires_at__gt=now, connection__archived_at=None).first()
    if pending is None:
        raise UnableToAuthorize("This authorization was used already or has expired. Start again.")
    verifier = sealer().open(bytes(pending.sealed_verifier), verifier_place(pending)).decode()
    PendingAuthorization.objects.filter(pk=pending.pk).delete()
    return pending, verifier


def _exchange(connection: Connection, code: str, verifier: str, now: datetime) -> TokenSet:
    app, target = vendor_app(connection), redirect_uri()
    try:
        with outbound_client(timeout=TOKEN_TIMEOUT_SECONDS) as client:
            return exchange_code(client, app, code=code, redirect_uri=target, verifier=verifier, now=now)
    except BlockedAddress:
        raise UnableToAuthorize("The address of this system may not be used.") from None


def _use_up(link_id: str, now: datetime) -> None:
    """Whoever withdrew the link, perhaps sent to a wrong address, also meant the consent that had begun."""
    link = ConnectLink.objects.filter(pk=link_id, withdrawn_at=None)
    if link.filter(used_at=None).update(used_at=now):
        return
    if link.exists():
        raise UnableToAuthorize("The link you came by has done its work. Ask for a new one to give access again.")
    raise UnableToAuthorize("The link you came by was replaced or withdrawn. Ask for a new one.")


@transaction.atomic
def _store_consent(
    pending: PendingAuthorization, now: datetime, secrets: Secrets, tokens: TokenSet, result: CheckResult
) -> Connection:
    connection = pending.connection
    lock_connection(connection)
    if connection.archived_at is not None:  # while the system was asked
        raise UnableToAuthorize("The connection is archived.")
    if connection.account_id and connection.account_id != result.account_id:
        # The records of two accounts would be mixed beyond repair.
        raise UnableToAuthorize(
            f"You agreed for {result.account_name}, but this connection belongs to {connection.account_name}. "
            "Choose that account, or add a new connection.",
        )
    if pending.actor_kind == ActorKind.LINK:
        _use_up(pending.actor_id, now)
    store_tokens(connection, secrets, tokens, now)
    actor = Actor(ActorKind(pending.actor_kind), pending.actor_id, pending.actor_label, scope=None)
    record_change(
        actor=actor, now=now, target=connection, action="connection.authorized",
        after={"account": result.account_name, "scope": tokens.scope},
    )  # fmt: skip
    record_check(actor=actor, now=now, connection=connection, result=result)
    schedule_check(connection, now)
    return connection
