"""Files on an SFTP server whose key is known before anything secret is said.

The server's key is pinned by its fingerprint. The connection is made by us, through the guard for outbound addresses,
and handed to the SSH library.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar, cast

import asyncssh

from apps.connectors.sdk.connector import ConnectionContext, HttpExchange
from apps.connectors.sdk.errors import ConfigurationError, TransientError
from apps.connectors.sdk.files import FileEntry, FileExists, FileMissing
from apps.core.http import BlockedAddress, connect_guarded

T = TypeVar("T")
TIMEOUT_SECONDS = 30.0
BLOCK_BYTES = 1024 * 1024
LONGEST_LISTING = 20_000
LATEST_MOMENT = 253_402_300_799  # the end of the year 9999: servers may claim any 64-bit number
SSH_PORT = 22
LOWEST_OTHER_PORT = 1024  # below are the ports of other services, which an SFTP server has no business with


class HostKeyUnknown(ConfigurationError):
    """The server's key is not (or no longer) the one that was agreed to."""


class _PinnedClient(asyncssh.SSHClient):
    """Accepts the server only by its fingerprint."""

    def __init__(self, pinned: frozenset[str]) -> None:
        self.pinned = pinned
        self.shown = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = key.get_fingerprint()
        return self.shown in self.pinned


class SftpStore:
    """One conversation with one server; the connection is made with the first call and kept until `close`."""

    def __init__(self, context: ConnectionContext) -> None:
        self.context = context
        self.host = str(context.settings.get("host") or "")
        self.port = int(context.settings.get("port") or SSH_PORT)
        self.root = str(context.settings.get("folder") or "").rstrip("/")
        self._runner: asyncio.Runner | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None

    def scan(self, folder: str) -> list[FileEntry]:
        return self._call("LIST", folder, self._list(folder))

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        handle = self._call("READ", path, self._open(path))
        try:
            with io.BufferedReader(_RemoteFile(self, handle), BLOCK_BYTES) as reader:
                yield reader
        finally:
            if self._runner is not None:
                self._runner.run(handle.close())

    def move(self, path: str, target: str) -> bool:
        return self._call("MOVE", path, self._move(path, target))

    def write(self, path: str, content: bytes, *, is_new: bool = False) -> None:
        self._call("WRITE", path, self._write(path, content, "xb" if is_new else "wb"))

    def remove(self, path: str) -> None:
        try:
            self._call("REMOVE", path, self._remove(path))
        except FileMissing:
            return

    def home(self) -> str:
        """The folder that answers. Raises ConfigurationError when there is none."""
        try:
            return self._call("STAT", "", self._real_path())
        except FileMissing:
            raise ConfigurationError(f"There is no folder {self.root}.", code="no_folder") from None

    def close(self) -> None:
        runner, connection = self._runner, self._connection
        self._runner = self._connection = self._sftp = None
        if runner is not None:
            if connection is not None:
                connection.abort()
            runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of asynchronous work. What goes wrong is told in the words of connectors."""
        try:
            return self._loop().run(asyncio.wait_for(work, TIMEOUT_SECONDS))
        except asyncssh.SFTPNoSuchFile as error:
            raise FileMissing(str(error)) from None
        except asyncssh.SFTPPermissionDenied:
            raise ConfigurationError("The server does not permit this.", code="not_permitted") from None
        except (asyncssh.Error, OSError, TimeoutError) as error:
            self.close()
            raise TransientError(f"The server broke off ({type(error).__name__}).", code="connection") from None

    def _call(self, method: str, path: str, work: Coroutine[Any, Any, T]) -> T:
        started, status, problem = time.monotonic(), None, "interrupted"
        try:
            self._connect()
            self.context.acquire()
            with self.context.slot():
                outcome = self.run(work)
            status, problem = 200, ""
            return outcome
        except FileMissing:
            status, problem = 404, "missing"
            raise
        except FileExists:
            status, problem = 409, "exists"
            raise
        except Exception as error:
            problem = getattr(error, "code", "") or type(error).__name__
            raise
        finally:
            work.close()
            self._note(method, path, started, status, problem)

    def _note(self, method: str, path: str, started: float, status: int | None, problem: str) -> None:
        """The log of calls knows HTTP statuses; 200 and 404 say the same of files."""
        duration = int((time.monotonic() - started) * 1000)
        url = f"sftp://{self.host}:{self.port}/{self._full(path).lstrip('/')}"
        self.context.observe(HttpExchange(method=method, url=url, status=status, duration_ms=duration, error=problem))

    def _loop(self) -> asyncio.Runner:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner

    def _connect(self) -> None:
        if self._sftp is not None:
            return
        pinned = frozenset(str(self.context.settings.get("host_key") or "").split())
        if not pinned:
            raise HostKeyUnknown(
                f"the server shows the key {self._ask_for_key()}. Compare it with what its operator told you and "
                "enter it as the server's key",
                code="host_key",
            )
        self._log_in(pinned)

    def _ask_for_key(self) -> str:
        async def ask() -> str:
            key = await asyncssh.get_server_host_key(self.host, self.port, sock=self._socket(), config=None)
            return key.get_fingerprint() if key else "(none)"

        return self._guarded(ask())

    def _log_in(self, pinned: frozenset[str]) -> None:
        client = _PinnedClient(pinned)

        async def log_in() -> None:
            self._connection, _ = await asyncssh.create_connection(
                lambda: client, self.host, self.port, sock=self._socket(), known_hosts=([], [], []), config=None,
                agent_path=None, **self._secrets(),
            )  # fmt: skip
            self._sftp = await self._connection.start_sftp_client()

        try:
            self._guarded(log_in())
        except asyncssh.HostKeyNotVerifiable:
            raise HostKeyUnknown(
                f"the server shows another key than the agreed one: {client.shown}. Nothing was sent to it",
                code="host_key",
            ) from None

    def _guarded(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of work that connects."""
        try:
            return self._loop().run(asyncio.wait_for(work, TIMEOUT_SECONDS))
        except asyncssh.HostKeyNotVerifiable:
            self.close()
            raise
        except asyncssh.PermissionDenied:
            self.close()
            raise ConfigurationError("user name, password or key are wrong", code="refused") from None
        except BlockedAddress as error:
            self.close()
            raise ConfigurationError(str(error), code="blocked_address") from None
        except (asyncssh.Error, OSError, TimeoutError) as error:
            self.close()
            raise TransientError(f"no SFTP server answers ({type(error).__name__})", code="connection") from None

    def _socket(self) -> Any:
        if self.port != SSH_PORT and self.port < LOWEST_OTHER_PORT and not self.context.allow_private:
            raise BlockedAddress(f"port {self.port} is not allowed")
        made = connect_guarded(
            self.host, self.port, allow_private=self.context.allow_private,
            allowed_hosts=self.context.allowed_hosts, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        made.setblocking(False)
        return made

    def _secrets(self) -> dict[str, Any]:
        credentials = self.context.credentials
        key = credentials.get("private_key", "")
        try:
            keys = [asyncssh.import_private_key(key)] if key else []
        except asyncssh.KeyImportError:
            raise ConfigurationError("the private key cannot be read, or has a passphrase", code="bad_key") from None
        return {
            "username": str(self.context.settings.get("username") or ""),
            "password": credentials.get("password") or None,
            "client_keys": keys or None,
        }

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}".rstrip("/") if self.root and path else (self.root or path or ".")

    async def _list(self, folder: str) -> list[FileEntry]:
        found: list[FileEntry] = []
        async for entry in self._client().scandir(self._full(folder)):
            if entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR:
                name, size, modified = str(entry.filename), entry.attrs.size or 0, entry.attrs.mtime or 0
                modified = max(0, min(int(modified), LATEST_MOMENT))
                found.append(FileEntry(folder=folder, name=name, size=size, modified=modified))
            if len(found) > LONGEST_LISTING:
                raise ConfigurationError(f"{folder or 'The folder'} holds more than {LONGEST_LISTING:,} files.")
        return found

    async def _open(self, path: str) -> asyncssh.SFTPClientFile:
        return await self._client().open(self._full(path), "rb")

    async def _move(self, path: str, target: str) -> bool:
        client = self._client()
        try:
            await self._make_folder(target)
            await client.rename(self._full(path), self._full(target))
        except asyncssh.SFTPError:
            return False
        return True

    async def _make_folder(self, path: str) -> None:
        client, folder = self._client(), path.rpartition("/")[0]
        if not await client.isdir(self._full(folder)):
            await client.mkdir(self._full(folder))

    async def _write(self, path: str, content: bytes, mode: str) -> None:
        """Servers of version 3 say only "failure" where a file that was to be new exists."""
        await self._make_folder(path)
        try:
            handle = await self._client().open(self._full(path), mode)
        except asyncssh.SFTPFailure:
            if mode == "xb" and await self._client().exists(self._full(path)):
                raise FileExists(path) from None
            raise
        async with handle:
            await handle.write(content)

    async def _remove(self, path: str) -> None:
        await self._client().remove(self._full(path))

    async def _real_path(self) -> str:
        path = self._full("")
        await self._client().stat(path)
        return str(await self._client().realpath(path))

    def _client(self) -> asyncssh.SFTPClient:
        if self._sftp is None:
            raise TransientError("The connection was closed.", code="connection")
        return self._sftp


class _RemoteFile(io.RawIOBase):
    """A remote file as an ordinary one, read in order."""

    def __init__(self, store: SftpStore, handle: asyncssh.SFTPClientFile) -> None:
        self.store = store
        self.handle = handle

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = cast(bytes, self.store.run(self.handle.read(len(buffer))))
        buffer[: len(data)] = data
        return len(data)
