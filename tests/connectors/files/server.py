"""A real SFTP server on a free loopback port, over a temporary folder; its key and its users are of this process alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncssh

USER, PASSWORD = "interlace", "correct-horse-battery"


@dataclass(frozen=True)
class RunningSftp:
    port: int
    fingerprint: str
    root: Path
    attempts: list[str]  # passwords that were tried
    private_key: str

    @property
    def settings(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.port, "username": USER, "host_key": self.fingerprint, "folder": ""}


class _Login(asyncssh.SSHServer):
    def __init__(self, attempts: list[str], key: asyncssh.SSHKey) -> None:
        self.attempts = attempts
        self.key = key

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.attempts.append(password)
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.get_fingerprint() == self.key.get_fingerprint()


@contextmanager
def running_sftp(root: Path) -> Iterator[RunningSftp]:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    user_key = asyncssh.generate_private_key("ssh-ed25519")
    attempts: list[str] = []
    loop = asyncio.new_event_loop()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Login(attempts, user_key), "127.0.0.1", 0, server_host_keys=[host_key],
            sftp_factory=partial(asyncssh.SFTPServer, chroot=str(root).encode()),
        )  # fmt: skip

    acceptor = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        secret = user_key.export_private_key().decode()
        yield RunningSftp(acceptor.get_port(), host_key.get_fingerprint(), root, attempts, secret)
    finally:
        asyncio.run_coroutine_threadsafe(_stop(acceptor), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(acceptor: asyncssh.SSHAcceptor) -> None:
    acceptor.close()
    await acceptor.wait_closed()
