"""Which connectors there are: every folder of `vendors/` that exports `CONNECTOR`, and what the partner wrote down.

Deleting a folder deletes a connector. Connectors of the partner's own have keys that begin with `custom-`.
"""

from __future__ import annotations

import pkgutil
import time
from functools import lru_cache
from importlib import import_module
from uuid import UUID

from apps.connectors import vendors
from apps.connectors.models import CustomConnector
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared import connector_type, parse_definition
from apps.connectors.sdk.manifest import ConnectorManifest
from apps.core.planes import require_tenant_schema

CUSTOM = "custom-"
# How long a process may go on with the version it knows. Lists ask for a manifest in every row.
_REMEMBERED_SECONDS = 3.0
_remembered: dict[tuple[str, str], tuple[float, UUID, str]] = {}


class UnknownVendor(LookupError):
    """No connector goes by this key."""


@lru_cache(maxsize=1)
def connectors() -> dict[str, type[Connector]]:
    """Every connector that comes with the platform by its manifest's key, in alphabetical order of the keys."""
    folders = [found.name for found in pkgutil.iter_modules(vendors.__path__) if found.ispkg]
    found = [import_module(f"{vendors.__name__}.{folder}").CONNECTOR for folder in folders]
    return {kind.manifest.key: kind for kind in sorted(found, key=lambda kind: kind.manifest.key)}


def get_connector(key: str) -> type[Connector]:
    """Raises UnknownVendor."""
    if key.startswith(CUSTOM):
        return _custom_connector(key)
    try:
        return connectors()[key]
    except KeyError:
        raise UnknownVendor(key) from None


def get_manifest(key: str) -> ConnectorManifest:
    """Raises UnknownVendor."""
    return get_connector(key).manifest


def find_manifest(key: str) -> ConnectorManifest | None:
    """None where no connector goes by this key any more."""
    try:
        return get_manifest(key)
    except UnknownVendor:
        return None


def get_offered(key: str) -> ConnectorManifest:
    """Of a connector that new connections may use: not of one that was archived. Raises UnknownVendor."""
    if key.startswith(CUSTOM) and not CustomConnector.objects.filter(key=key, archived_at=None).exists():
        raise UnknownVendor(key)
    return get_manifest(key)


def list_manifests() -> list[ConnectorManifest]:
    """Every manifest by name, as the catalogue shows them; the partner's own among them."""
    own = CustomConnector.objects.filter(archived_at=None).exclude(published=None).values_list("key", flat=True)
    manifests = [kind.manifest for kind in connectors().values()] + [get_manifest(key) for key in own]
    return sorted(manifests, key=lambda manifest: manifest.name.lower())


def forget_custom(key: str) -> None:
    """What this process knows of a custom connector is asked for again."""
    _remembered.pop((require_tenant_schema(), key), None)


def _custom_connector(key: str) -> type[Connector]:
    place, now = (require_tenant_schema(), key), time.monotonic()
    known = _remembered.get(place)
    if known is None or known[0] < now:
        version, source = _published(key)
        known = _remembered[place] = (now + _REMEMBERED_SECONDS, version, source)
    return _build(key, known[1], known[2])


def _published(key: str) -> tuple[UUID, str]:
    """Of archived ones too: the history of connections that used them is still shown. Raises UnknownVendor."""
    row = CustomConnector.objects.filter(key=key).values_list("published_id", "published__source").first()
    if row is None or row[0] is None:
        raise UnknownVendor(key)
    return row[0], str(row[1])


@lru_cache(maxsize=256)
def _build(key: str, version: UUID, source: str) -> type[Connector]:
    return connector_type(key, parse_definition(source))
