"""Deterministic CBOR of the one kind used here: unsigned integers, byte and text strings, arrays.

RFC 8949 section 4.2.1: shortest heads, definite lengths; nothing after the item. A
reading is accepted only if writing it again gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Final

import cbor2

MAX_DEPTH: Final = 8

# The tags that the library would act on: building dates, big numbers, patterns, or values
# that contain themselves. None has a place here, so none is acted on.
_TAGS: Final = (
    0,
    1,
    2,
    3,
    4,
    5,
    25,
    28,
    29,
    30,
    35,
    36,
    37,
    52,
    54,
    100,
    256,
    258,
    260,
    261,
    1004,
    43000,
    55799,
)


_STRINGS: Final = frozenset((bytes, str))


def _no_tag(*_: Any) -> Any:
    raise CborError("a tag")


_DECODERS: Final = dict.fromkeys(_TAGS, _no_tag)


class CborError(ValueError):
    """The bytes are not one item of the profile in its deterministic form."""


def dumps(value: Any) -> bytes:
    """Return the deterministic encoding of ints (0..2^64-1), bytes, str and lists or tuples of them."""
    _check(value)
    return cbor2.dumps(value)


def loads(data: bytes) -> Any:
    """Return the value of deterministic bytes, arrays as lists; raise CborError for any others."""
    try:
        value = _decoded(data)
        _check(value)
    except CborError:
        raise
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as error:
        raise CborError(f"not CBOR: {error}") from error
    if cbor2.dumps(value) != data:
        raise CborError("not the deterministic encoding, or bytes after the item")
    return value


def peek(data: bytes) -> Any:
    """Return the value of bytes that are held against their due form anyway; raise CborError for no CBOR.

    Unlike `loads` it takes other encodings of a value and other values, too.
    """
    try:
        return _decoded(data)
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as error:
        raise CborError(f"not CBOR: {error}") from error


def _decoded(data: bytes) -> Any:
    return cbor2.loads(data, max_depth=MAX_DEPTH + 1, allow_indefinite=False, semantic_decoders=_DECODERS)


def size(value: Any) -> int:
    """Return the length of the encoding of a value that `loads` returned."""
    return len(cbor2.dumps(value))


def _check(value: Any, depth: int = 0) -> None:
    kind = type(value)
    if kind is int:
        if not 0 <= value < 1 << 64:
            raise CborError("an integer outside 0 to 2^64-1")
    elif kind in (list, tuple):
        if depth == MAX_DEPTH:
            raise CborError(f"nested deeper than {MAX_DEPTH} levels")
        for item in value:
            if type(item) not in _STRINGS:
                _check(item, depth + 1)
    elif kind not in _STRINGS:
        raise CborError(f"a {kind.__name__} where only integers, strings and arrays may be")
