"""A checked definition of files as a connector."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, ClassVar

from apps.connectors.sdk.connector import Connector
from apps.connectors.sdk.declared.connector import stream_refs
from apps.connectors.sdk.declared.definition import NONE_NAMED
from apps.connectors.sdk.declared.files.definition import FileObjectPart, FilesDefinition
from apps.connectors.sdk.declared.files.lookup import Lookup
from apps.connectors.sdk.declared.files.sftp import SftpStore
from apps.connectors.sdk.declared.files.sinks import FileSink, SentRows
from apps.connectors.sdk.declared.files.streams import FileStream
from apps.connectors.sdk.errors import ConfigurationError
from apps.connectors.sdk.files import FileEntry, FileMissing, FileStore
from apps.connectors.sdk.manifest import (
    AuthKind,
    ConfigField,
    ConnectorManifest,
    Evidence,
    RateLimit,
    Resolve,
    SinkSpec,
    StreamSpec,
)
from apps.connectors.sdk.types import CheckResult

UPLOADED = "uploaded"
_SFTP = (
    ConfigField(key="host", label="Server", kind="host", help="Its name, like sftp.example.com."),
    ConfigField(key="port", label="Port", kind="integer", default="22"),
    ConfigField(key="username", label="User name"),
    ConfigField(
        key="host_key", label="Server's key", required=False,
        help="Its fingerprint (SHA256:…). Leave it empty to see what the server shows; nothing secret is sent before it is agreed.",
    ),
    ConfigField(key="folder", label="Folder", required=False, help="Empty: where the server lets this user in."),
    ConfigField(key="password", label="Password", secret=True, required=False, help="Or a private key."),
    ConfigField(key="private_key", label="Private key", secret=True, required=False, kind="multiline"),
)  # fmt: skip


class FilesConnector(Connector):
    definition: ClassVar[FilesDefinition]
    speaks_http_only = False

    @property
    def is_upload(self) -> bool:
        return self.definition.transport == "upload"

    @cached_property
    def store(self) -> FileStore:
        if not self.is_upload:
            return SftpStore(self.context)
        return self.context.files or _Nothing()

    @cached_property
    def lookups(self) -> dict[str, Lookup]:
        return {}

    @cached_property
    def settled(self) -> set[str]:
        """Objects that go out of which nothing is half sent, as far as this conversation knows."""
        return set()

    def close(self) -> None:
        for lookup in self.lookups.values():
            lookup.close()
        self.store.close()

    def check(self) -> CheckResult:
        """Log in, and look into every folder."""
        try:
            home = self.store.home() if isinstance(self.store, SftpStore) else ""
            for folder in sorted({part.file.folder.strip("/") for part in self.definition.objects}):
                self._look_into(folder)
        finally:
            self.store.close()
        if self.is_upload:
            return CheckResult(account_id=UPLOADED, account_name="Uploaded files")
        settings = self.context.settings
        name = f"{settings.get('username')}@{settings.get('host')}"
        return CheckResult(account_id=f"{name}:{home}", account_name=name)

    def _look_into(self, folder: str) -> None:
        try:
            self.store.scan(folder)
        except FileMissing:
            raise ConfigurationError(f"there is no folder {folder}", code="no_folder") from None


class _Nothing:
    """The files of a connection that does not exist yet."""

    def scan(self, folder: str) -> list[FileEntry]:
        return []

    def open(self, path: str) -> Any:
        raise FileMissing(path)

    def move(self, path: str, target: str) -> bool:
        return False

    def write(self, path: str, content: bytes, *, is_new: bool = False) -> None:
        raise ConfigurationError("The connection is not stored yet.", code="not_stored")

    def remove(self, path: str) -> None:
        return None

    def close(self) -> None:
        return None


def files_type(key: str, definition: FilesDefinition) -> type[FilesConnector]:
    """The class that reads and writes these files; `key` is what connections are stored under."""
    streams: dict[str, Callable[[Any], Any]] = {
        o.name: partial(SentRows if o.write else FileStream, part=o) for o in definition.objects
    }
    sinks: dict[str, Callable[[Any], Any]] = {o.name: partial(FileSink, part=o) for o in definition.objects if o.write}
    attributes = {
        "definition": definition,
        "manifest": _manifest(key, definition),
        "stream_types": streams,
        "sink_types": sinks,
    }
    return type("FilesConnector", (FilesConnector,), attributes)


def _manifest(key: str, definition: FilesDefinition) -> ConnectorManifest:
    is_upload = definition.transport == "upload"
    return ConnectorManifest(
        key=key,
        name=definition.name,
        domain=definition.domain,
        also_domains=definition.also_domains,
        description=definition.description,
        evidence=Evidence.DECLARED,
        evidence_note="Written down by you. Look at a sample of every file before you rely on it.",
        auth=AuthKind.API_KEY,
        redact=definition.redact,
        nothing_to_hide="" if definition.redact else NONE_NAMED,
        base_url="",
        config=() if is_upload else _SFTP,
        streams=tuple(_stream(part) for part in definition.objects),
        sinks=tuple(_sink(part) for part in definition.objects if part.write),
        rate_limit=RateLimit(calls=600, seconds=60.0, concurrent=4),
        extra=_exchanged_here(definition) if is_upload else {},
    )


def _exchanged_here(definition: FilesDefinition) -> dict[str, bool]:
    """Whether people bring files to the connection's page, and whether they fetch some there."""
    going_out = [part.write is not None for part in definition.objects]
    return {"uploads": not all(going_out), "downloads": any(going_out)}


def _sink(part: FileObjectPart) -> SinkSpec:
    assert part.write is not None  # noqa: S101 - asked for such parts alone
    return SinkSpec(
        name=part.name,
        label=part.label,
        entity=part.entity,
        stream=part.name,
        fields=part.writes,
        refs=part.write_refs,
        required_refs=part.required_refs,
        resolve=Resolve.LOOKUP,
        batch_size=part.write.most_rows,
        updates=part.write.updates,
    )


def _stream(part: FileObjectPart) -> StreamSpec:
    return StreamSpec(
        name=part.name,
        label=part.label,
        entity=part.entity,
        fields=part.fields,
        refs=stream_refs(part),
        deletes=bool(part.deleted),
    )
