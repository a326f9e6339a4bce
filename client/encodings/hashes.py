"""SHA-256 with a domain tag in front, so that no hash of one kind is ever one of another."""

from __future__ import annotations

import hashlib
from typing import Final

from client.encodings import base64url

AMENDMENT: Final = b"concordat/amendment/v1"
BALLOT: Final = b"concordat/ballot/v1"
COMMITMENT: Final = b"concordat/commitment/v1"
MANDATE: Final = b"concordat/mandate/v1"
MEETING: Final = b"concordat/meeting/v1"
OBJECTION: Final = b"concordat/objection/v1"
STEP: Final = b"concordat/step/v1"


def tagged(tag: bytes, data: bytes) -> bytes:
    """Return SHA-256(tag || data), 32 bytes."""
    return hashlib.sha256(tag + data).digest()


def digest(tag: bytes, data: bytes) -> str:
    """Return SHA-256(tag || data) as base64url, 43 characters."""
    return base64url.encode(tagged(tag, data))
