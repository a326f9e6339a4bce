"""Batches: which ballots travel together, and their bytes (deterministic CBOR, RFC 8949 section 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import cbor2

_ARRAY = 0x80
_SMALL, _ONE_BYTE, _TWO_BYTES = 24, 0x100, 0x10000


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is full (`count` ballots or `octets` bytes) and when it leaves anyway (`age` seconds)."""

    count: int = 2500
    octets: int = 3_900_000
    age: float = 0.25


@dataclass(frozen=True, slots=True)
class Item:
    """One ballot of a batch: its row, its voter's pseudonym and its encoded entry."""

    ballot: int
    sub: str
    entry: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch that this relay holds: at most one ballot a voter, in the order of acknowledgement."""

    id: str
    root: str
    mtg: str
    attempts: int
    items: tuple[Item, ...]

    def encode(self) -> bytes:
        """Return the bytes that `SubmitBallots` takes: `[1, mtg, [entry…]]`."""
        head = b"\x83\x01" + cbor2.dumps(self.mtg) + _array_head(len(self.items))
        return head + b"".join(item.entry for item in self.items)


def _array_head(length: int) -> bytes:
    if length < _SMALL:
        return bytes([_ARRAY | length])
    if length < _ONE_BYTE:
        return bytes([_ARRAY | 24, length])
    if length < _TWO_BYTES:
        return bytes([_ARRAY | 25]) + length.to_bytes(2, "big")
    return bytes([_ARRAY | 26]) + length.to_bytes(4, "big")
