"""The partner's list of hosts that connections may call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from apps.audit.services import record_audit
from apps.connectors.models import AllowedHost, Connection
from apps.connectors.outbound import allowed_hosts
from apps.connectors.registry import get_manifest
from apps.connectors.sdk.manifest import ADDRESS_KINDS
from apps.core.actor import Actor
from apps.core.errors import AnticipatedError
from apps.core.http import is_listed

_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class UnableToRestrict(AnticipatedError):
    """The list holds something that is no host, or leaves out one that is in use."""

    code = "unable_to_restrict"


@transaction.atomic
def set_allowed_hosts(*, actor: Actor, now: datetime, patterns: Iterable[str]) -> tuple[str, ...]:
    """This function will replace the list; an empty one allows every public address.

    Raises UnableToRestrict, naming what cannot be read or which connection would be cut off.
    """
    actor.require("security.manage")
    actor.require_sight_of_all("The list holds for all customers. Ask somebody who sees them all.")
    wanted = sorted({clean_pattern(pattern) for pattern in patterns if pattern.strip()})
    if wanted:
        _require_reachable(wanted)
    before = allowed_hosts()
    AllowedHost.objects.exclude(pattern__in=wanted).delete()
    AllowedHost.objects.bulk_create(
        [AllowedHost(pattern=pattern, created_at=now) for pattern in wanted if pattern not in before],
        ignore_conflicts=True,  # somebody else may be adding it at this moment
    )
    record_audit(
        actor=actor,
        action="allowed_hosts.changed",
        target_key="outbound",
        target_label="Outbound addresses",
        before={"hosts": list(before)},
        after={"hosts": wanted},
        now=now,
    )
    return tuple(wanted)


def clean_pattern(text: str) -> str:
    """The host of what was typed, also of a whole address. Raises UnableToRestrict."""
    typed = text.strip().lower()
    try:
        host = (urlsplit(typed).hostname or "") if "://" in typed else typed.rstrip(".")
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise UnableToRestrict(
            f"“{text.strip()[:80]}” is no host. Enter names such as api.example.com or *.example.com.", field="hosts"
        )
    return host


def _require_reachable(patterns: list[str]) -> None:
    cut_off: dict[str, str] = {}
    for connection in Connection.objects.filter(archived_at=None).select_related("customer").order_by("name"):
        for host in hosts_of(connection):
            if not is_listed(host, patterns):
                cut_off.setdefault(host, f"{connection.name} ({connection.customer})")
    if cut_off:
        named = ", ".join(f"{host} of {name}" for host, name in sorted(cut_off.items())[:5])
        more = f" and {len(cut_off) - 5} more" if len(cut_off) > 5 else ""
        raise UnableToRestrict(f"Connections in use would be cut off: add {named}{more}.", field="hosts")


def hosts_of(connection: Connection) -> set[str]:
    """The hosts a connection is known to call: its address, and where its tokens come from."""
    manifest = get_manifest(connection.vendor)
    own = [connection.settings.get(field.key) for field in manifest.config if field.kind in ADDRESS_KINDS]
    addresses = [address for address in own if address] or [manifest.base_url]
    if manifest.oauth2 is not None and addresses == [manifest.base_url]:
        addresses.append(manifest.oauth2.token_url)
    return {host for address in addresses if (host := _host_of(str(address)))}


def _host_of(address: str) -> str | None:
    """Of a whole address, or of a name without scheme (SFTP)."""
    return urlsplit(address if "://" in address else f"//{address}").hostname
