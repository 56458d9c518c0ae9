"""Sealing secrets at rest: AES-256-GCM, bound to the place they are stored in.

Layout: 1 byte length of the key id | key id | 12 bytes nonce | ciphertext and tag. The additional data is
`schema|table|row|field`, so that a ciphertext copied to another row, field or tenant does not open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The ciphertext was changed, moved, or sealed with a key we do not hold."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives."""

    schema: str
    table: str
    row: str
    field: str

    @property
    def additional_data(self) -> bytes:
        return "|".join((self.schema, self.table, self.row, self.field)).encode()


class Sealer:
    """`keys` maps key id to 32 bytes in hex; the last one seals, all of them open."""

    def __init__(self, keys: dict[str, str]) -> None:
        if not keys:
            raise ValueError("at least one credential key is needed (INTERLACE_CREDENTIAL_KEYS)")
        self._ciphers = {key_id: AESGCM(bytes.fromhex(value)) for key_id, value in keys.items()}
        self.current_key_id = list(keys)[-1]

    def seal(self, plaintext: bytes, place: Place) -> bytes:
        key_id = self.current_key_id.encode()
        nonce = os.urandom(_NONCE_BYTES)
        body = self._ciphers[self.current_key_id].encrypt(nonce, plaintext, place.additional_data)
        return bytes([len(key_id)]) + key_id + nonce + body

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Raises SealBroken."""
        length = sealed[0] if sealed else 0
        key_id, rest = sealed[1 : 1 + length].decode("ascii", "replace"), sealed[1 + length :]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(f"no key {key_id!r}")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.additional_data)
        except InvalidTag as error:
            raise SealBroken("the value was changed or moved") from error

    def key_id_of(self, sealed: bytes) -> str:
        return sealed[1 : 1 + sealed[0]].decode("ascii")
