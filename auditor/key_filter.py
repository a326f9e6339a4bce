"""A Bloom filter over keys: says of most keys that were never written that they weren't, without a look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_BITS: Final = 23
_MASK: Final = (1 << _BITS) - 1


class KeyFilter:
    """A set that forgets nothing and now and then takes a stranger for a member (B. H. Bloom, CACM 1970).

    One MiB; of 400,000 keys three in a thousand strangers are taken for members. The hashes are Python's
    own, which differ between processes, so that nobody can choose keys that fill it.
    """

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray(1 << (_BITS - 3))

    def add(self, keys: Iterable[str]) -> None:
        """Take keys in."""
        bits = self._bytes
        for key in keys:
            value = hash(key)
            for place in (value & _MASK, value >> 20 & _MASK, value >> 40 & _MASK):
                bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: str) -> bool:
        """Say False only of what was never taken in."""
        value, bits = hash(key), self._bytes
        one, two, three = value & _MASK, value >> 20 & _MASK, value >> 40 & _MASK
        return bool(
            bits[one >> 3] >> (one & 7) & bits[two >> 3] >> (two & 7) & bits[three >> 3] >> (three & 7) & 1
        )
