"""Digests that decide what is unchanged, and the deterministic names of writes and derived records."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from apps.connectors.sdk.manifest import StreamSpec
from apps.connectors.sdk.types import SourceRecord
from apps.sync.engine.keepable import writable

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def digest(value: Any) -> str:
    """32 hex digits; equal for equal JSON, whatever the order of keys."""
    return blake2b(orjson.dumps(value, option=_OPTIONS, default=str), digest_size=16).hexdigest()


def mapping_version(spec: StreamSpec, fields: Mapping[str, str]) -> str:
    return digest([spec.name, spec.entity, dict(fields), spec.refs])[:12]


def record_hash(record: SourceRecord, version: str) -> str:
    """Covers the vendor's object as read and the mapping that would be applied to it."""
    try:
        content = orjson.dumps(record.data, option=_OPTIONS, default=str)
    except TypeError:  # more than JSON holds in a field that may be nobody's
        content = orjson.dumps(writable(record.data), option=_OPTIONS, default=str)
    return blake2b(
        content, digest_size=16, key=version.encode(), person=b"deleted" if record.deleted else b""
    ).hexdigest()


def write_key(connection_id: UUID, object_name: str, record_id: UUID) -> str:
    """The neutral reference of a create, the same whoever asks for it and however often: 40 hex digits."""
    return blake2b(f"{connection_id}:{object_name}:{record_id}".encode(), digest_size=20).hexdigest()
