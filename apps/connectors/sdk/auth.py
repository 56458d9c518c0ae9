"""How a call proves who it is: small parts a client applies to each request."""

from __future__ import annotations

import base64
from typing import Protocol

import msgspec


class Auth(Protocol):
    """Adds the proof to a request's headers or parameters, and names the values that must never be shown."""

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None: ...

    def secrets(self) -> tuple[str, ...]: ...


class BearerAuth(msgspec.Struct, frozen=True):
    """`Authorization: Bearer <token>`."""

    token: str

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None:
        headers["authorization"] = f"Bearer {self.token}"

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


class HeaderKeyAuth(msgspec.Struct, frozen=True):
    """A key in a header of its own, e.g. `HeaderKeyAuth("X-Redmine-API-Key", key)`."""

    header: str
    key: str

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None:
        headers[self.header.lower()] = self.key

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


class QueryKeyAuth(msgspec.Struct, frozen=True):
    """A key among the parameters of the address, for systems that know no better."""

    parameter: str
    key: str

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None:
        params[self.parameter] = self.key

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


class BasicAuth(msgspec.Struct, frozen=True):
    """RFC 7617; the encoded pair is as secret as the password in it."""

    username: str
    password: str

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None:
        headers["authorization"] = f"Basic {self._encoded()}"

    def secrets(self) -> tuple[str, ...]:
        return (self.password, self._encoded())

    def _encoded(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class NoAuth(msgspec.Struct, frozen=True):
    """For the few addresses that ask for no proof."""

    def apply(self, headers: dict[str, str], params: dict[str, str]) -> None:
        return None

    def secrets(self) -> tuple[str, ...]:
        return ()
