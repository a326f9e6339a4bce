"""Commitments to evidence: nothing can be guessed from them, and deleting the salt ends them."""

from __future__ import annotations

from typing import Any, Final

from client.encodings import hashes, jcs

SALT_BYTES: Final = 32


def commit(salt: bytes, evidence: Any) -> str:
    """Return the base64url commitment to `evidence` (any JSON of the profile) under a 32-byte random salt."""
    return commit_canonical(salt, jcs.dumps(evidence))


def commit_canonical(salt: bytes, evidence: bytes) -> str:
    """Return the base64url commitment to evidence that is canonical JSON already, under its salt.

    That is SHA-256(tag || salt || evidence). Raises ValueError unless the salt has 32 bytes: where salt
    ends and evidence begins must be the same for everybody.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt has {len(salt)} bytes, not {SALT_BYTES}")
    return hashes.digest(hashes.COMMITMENT, salt + evidence)
