"""Sealing of personal data: AES-256-GCM (NIST SP 800-38D), the key in a file outside the database.

A sealed value is `0x01 || key id (4 bytes) || nonce (12 bytes) || ciphertext and tag`. Its
additional data name table, column and row, so that a value moved to another place no longer opens.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from client.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = b"\x01"
_ID = 4
_NONCE = 12
_KEY = 32
_HEAD = len(_VERSION) + _ID + _NONCE


class SealedError(UserError):
    """A sealed value doesn't open: another key, another row, or altered bytes."""


@dataclass(frozen=True, slots=True)
class Vault:
    """The keys that seal values (by id; `current` seals new ones) and the key of blind indices."""

    keys: dict[bytes, bytes]
    current: bytes
    index_key: bytes

    @classmethod
    def open(cls, path: Path) -> Vault:
        """Read the key file, made on first use with mode 0600; refuse one that others may read."""
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise UserError(f"{path} holds the key of all personal data but others may read it: chmod 600 it")
        try:
            document = json.loads(path.read_text(encoding="ascii"))
            keys = {bytes.fromhex(entry["id"]): b64decode(entry["key"]) for entry in document["keys"]}
            vault = cls(keys, bytes.fromhex(document["current"]), b64decode(document["index_key"]))
            sound = document["v"] == 1 and vault.current in keys
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is not a platform key file: restore it from its backup") from error
        if not sound or any(len(key) != _KEY for key in (*keys.values(), vault.index_key)):
            raise UserError(f"{path} is not a platform key file: restore it from its backup")
        return vault

    def seal(self, table: str, column: str, row: str, plain: bytes) -> bytes:
        """Encrypt `plain` for exactly this place in the database."""
        nonce = secrets.token_bytes(_NONCE)
        head = _VERSION + self.current
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, plain, _place(head, table, column, row))
        return head + nonce + sealed

    def unseal(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """Return what was sealed for this place; raise SealedError for anything else."""
        key = self.keys.get(sealed[1 : 1 + _ID])
        if sealed[:1] != _VERSION or key is None:
            raise SealedError(
                f"{table}.{column} of {row} was sealed with a key that the key file doesn't hold"
            )
        head, nonce = sealed[: 1 + _ID], sealed[1 + _ID : _HEAD]
        try:
            return AESGCM(key).decrypt(nonce, sealed[_HEAD:], _place(head, table, column, row))
        except InvalidTag as error:
            raise SealedError(f"{table}.{column} of {row} doesn't open: it was altered or moved") from error

    def blind_index(self, purpose: str, value: str) -> bytes:
        """Return a keyed hash for finding equal values; without the key it says nothing about them."""
        data = purpose.encode() + b"\x00" + value.encode()
        return hmac.new(self.index_key, data, hashlib.sha256).digest()


def _place(head: bytes, table: str, column: str, row: str) -> bytes:
    return b"concordat/sealed/v1" + head + json.dumps([table, column, row]).encode("ascii")


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    identifier = secrets.token_hex(_ID)
    document = {
        "v": 1,
        "current": identifier,
        "keys": [{"id": identifier, "key": b64encode(secrets.token_bytes(_KEY)).decode("ascii")}],
        "index_key": b64encode(secrets.token_bytes(_KEY)).decode("ascii"),
    }
    # Written aside and linked into place: two that start at once agree on one key, none reads half a file.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
