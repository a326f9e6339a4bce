"""Sealing of personal data, as the store asks for it: the key is never in the database."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Authenticated encryption bound to one place in the database, and keyed hashes for finding equals.

    `client.platform.Vault` is one, with its key in a file of its own. An HSM goes in here.
    """

    def seal(self, table: str, column: str, row: str, plain: bytes) -> bytes:
        """Encrypt `plain` for exactly this place."""
        ...

    def unseal(self, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """Return what was sealed for this place, or raise."""
        ...

    def blind_index(self, purpose: str, value: str) -> bytes:
        """Return a keyed hash; without the key it says nothing about the value."""
        ...
