"""Batches: which ballots travel together, and when."""

from __future__ import annotations

from dataclasses import dataclass

from client.encodings.batch import encode_batch


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
    claimed_at: float  # when its ballots were first read from the outbox, Unix seconds

    @property
    def octets(self) -> int:
        """The bytes of its entries together."""
        return sum(len(item.entry) for item in self.items)

    def encode(self) -> bytes:
        """Return the bytes that `SubmitBallots` takes: `[1, mtg, [entry…]]`."""
        return encode_batch(self.mtg, [item.entry for item in self.items])
