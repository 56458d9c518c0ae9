"""Which connectors there are: every folder of `vendors/` that exports `CONNECTOR`. Deleting a folder deletes a connector."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module

from apps.connectors import vendors
from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.manifest import ConnectorManifest


class UnknownVendor(LookupError):
    """No connector goes by this key."""


@lru_cache(maxsize=1)
def connectors() -> dict[str, type[Connector]]:
    """Every connector by its manifest's key, in alphabetical order of the keys."""
    folders = [found.name for found in pkgutil.iter_modules(vendors.__path__) if found.ispkg]
    found = [import_module(f"{vendors.__name__}.{folder}").CONNECTOR for folder in folders]
    return {kind.manifest.key: kind for kind in sorted(found, key=lambda kind: kind.manifest.key)}


def get_connector(key: str) -> type[Connector]:
    """Raises UnknownVendor."""
    try:
        return connectors()[key]
    except KeyError:
        raise UnknownVendor(key) from None


def get_manifest(key: str) -> ConnectorManifest:
    """Raises UnknownVendor."""
    return get_connector(key).manifest


def list_manifests() -> list[ConnectorManifest]:
    """Every manifest by name, as the catalogue shows them."""
    return sorted((kind.manifest for kind in connectors().values()), key=lambda manifest: manifest.name.lower())
