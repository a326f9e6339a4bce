"""CBOR (RFC 8949) by the names of `cbor2`, as far as the profile goes: unsigned integers, strings, arrays.

`cbor2`'s only pure-Python releases can't be told to refuse what the profile refuses; this reads nothing else.
"""

from __future__ import annotations

from typing import Any, Final

_UNSIGNED, _BYTES, _TEXT, _ARRAY = 0, 2, 3, 4
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}


class CBORError(Exception):
    """The bytes are not CBOR of the profile."""


def dumps(value: Any) -> bytes:
    """Return the encoding with the shortest heads."""
    if isinstance(value, int):
        return _head(_UNSIGNED, value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode()
        return _head(_TEXT, len(encoded)) + encoded
    return _head(_ARRAY, len(value)) + b"".join(map(dumps, value))


def loads(data: bytes, *, max_depth: int, **_: Any) -> Any:
    """Return the first item of the bytes; raise CBORError."""
    return _item(data, 0, max_depth)[0]


def _item(data: bytes, start: int, depth: int) -> tuple[Any, int]:
    if depth == 0 or start >= len(data):
        raise CBORError("nested too deep, or cut off")
    kind, number = data[start] >> 5, data[start] & 31
    start += 1
    if number in _WIDTHS:
        width = _WIDTHS[number]
        number = int.from_bytes(data[start : start + width], "big")
        start += width
    elif number > min(_WIDTHS):
        raise CBORError("an indefinite length")
    if kind == _UNSIGNED:
        return number, start
    if kind == _ARRAY:
        items = []
        for _ in range(number):
            value, start = _item(data, start, depth - 1)
            items.append(value)
        return items, start
    if kind not in (_BYTES, _TEXT) or start + number > len(data):
        raise CBORError("another kind, or cut off")
    found = data[start : start + number]
    return (found if kind == _BYTES else found.decode()), start + number


def _head(kind: int, number: int) -> bytes:
    for width in (24, 25, 26, 27):
        if number < min(_WIDTHS):
            return bytes([kind << 5 | number])
        if number < 1 << 8 * _WIDTHS[width]:
            return bytes([kind << 5 | width]) + number.to_bytes(_WIDTHS[width], "big")
    raise OverflowError("an integer above 2^64-1")
