"""Base64url without padding, in its one canonical form (RFC 4648 section 5 and 3.5)."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """Return `data` as unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str, size: int | None = None) -> bytes:
    """Return the bytes of `text`; with `size`, exactly that many.

    Raise ValueError for padding, other characters, non-zero trailing bits or another
    size: two texts never decode to the same bytes.
    """
    if _ALPHABET.fullmatch(text) is None:
        raise ValueError("a character is outside the base64url alphabet")
    if len(text) % 4 == 1:
        raise ValueError("the length is not one of base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("the trailing bits are not zero")
    if size is not None and len(data) != size:
        raise ValueError(f"{len(data)} bytes where {size} are due")
    return data


def is_canonical(text: str, size: int) -> bool:
    """Say whether `text` is the canonical base64url of `size` bytes."""
    try:
        decode(text, size)
    except ValueError:
        return False
    return True
