"""Base64url without padding, in its one canonical form (RFC 4648 section 5 and 3.5)."""

from __future__ import annotations

import binascii
import re
from typing import Final

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
# The last character's bits beyond the last byte are zero.
_CANONICAL = re.compile(
    r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?", re.ASCII
)
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = str.maketrans("-_", "+/")
_PADDING: Final = ("", "", "==", "=")


def encode(data: bytes) -> str:
    """Return `data` as unpadded base64url."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str, size: int | None = None) -> bytes:
    """Return the bytes of `text`; with `size`, exactly that many.

    Raise ValueError for padding, other characters, non-zero trailing bits or another
    size: two texts never decode to the same bytes.
    """
    if _CANONICAL.fullmatch(text) is None:
        raise ValueError(_fault(text))
    data = binascii.a2b_base64(text.translate(_FROM_URL) + _PADDING[len(text) % 4])
    if size is not None and len(data) != size:
        raise ValueError(f"{len(data)} bytes where {size} are due")
    return data


def _fault(text: str) -> str:
    if _ALPHABET.fullmatch(text) is None:
        return "a character is outside the base64url alphabet"
    if len(text) % 4 == 1:
        return "the length is not one of base64url"
    return "the trailing bits are not zero"


def is_canonical(text: str, size: int) -> bool:
    """Say whether `text` is the canonical base64url of `size` bytes."""
    try:
        decode(text, size)
    except ValueError:
        return False
    return True
