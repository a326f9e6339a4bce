"""Deterministic CBOR of the one kind used here: unsigned integers, byte and text strings, arrays.

RFC 8949 section 4.2.1: shortest heads, definite lengths; nothing after the item. A
reading is accepted only if writing it again gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Final

import cbor2

MAX_DEPTH: Final = 8


class CborError(ValueError):
    """The bytes are not one item of the profile in its deterministic form."""


def dumps(value: Any) -> bytes:
    """Return the deterministic encoding of ints (0..2^64-1), bytes, str and lists or tuples of them."""
    _check(value)
    return cbor2.dumps(value)


def loads(data: bytes) -> Any:
    """Return the value of deterministic bytes, arrays as lists; raise CborError for any others."""
    try:
        value = cbor2.loads(data, max_depth=MAX_DEPTH, allow_indefinite=False)
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as error:
        raise CborError(f"not CBOR: {error}") from error
    _check(value)
    if cbor2.dumps(value) != data:
        raise CborError("not the deterministic encoding, or bytes after the item")
    return value


def _check(value: Any) -> None:
    kind = type(value)
    if kind is int:
        if not 0 <= value < 1 << 64:
            raise CborError("an integer outside 0 to 2^64-1")
    elif kind in (list, tuple):
        for item in value:
            _check(item)
    elif kind not in (bytes, str):
        raise CborError(f"a {kind.__name__} where only integers, strings and arrays may be")
