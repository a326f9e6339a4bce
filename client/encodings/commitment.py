"""Commitments to evidence: nothing can be guessed from them, and deleting the salt ends them."""

from __future__ import annotations

import hmac
from typing import Any, Final

from client.encodings import base64url, hashes, jcs

SALT_BYTES: Final = 32


def commit(salt: bytes, evidence: Any) -> str:
    """Return the base64url commitment to `evidence` (any JSON of the profile) under a 32-byte random salt."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"the salt has {len(salt)} bytes, not {SALT_BYTES}")
    return base64url.encode(hashes.tagged(hashes.COMMITMENT, salt + jcs.dumps(evidence)))


def verify_commitment(commitment: str, salt: bytes, evidence: Any) -> None:
    """Raise ValueError unless `commitment` is the one to `evidence` under `salt`."""
    if not hmac.compare_digest(commit(salt, evidence), commitment):
        raise ValueError("the evidence and its salt don't open this commitment")
