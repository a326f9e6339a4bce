"""The append-only tree of RFC 9162 (section 2.1) on stored nodes.

Only nodes of complete subtrees are stored: such a node never changes again, so appending writes and
never rewrites, and the tree of any earlier size is still there. The node at (level, number) is
the hash of the leaves number * 2^level to (number + 1) * 2^level - 1.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from auditor.log.errors import LogRefused
from client.encodings.merkle import node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The hash of a tree without leaves (section 2.1.1)."""

_BATCH: Final = 4096


class Place(NamedTuple):
    """Where a complete subtree's node is."""

    level: int
    number: int


class NodeStore(Protocol):
    """Where one tree's nodes are kept; whoever keeps them decides when they are durable."""

    def size(self) -> int:
        """Return how many leaves there are."""
        ...

    def nodes(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """Return the hashes at places, all of which are there."""
        ...

    def add(self, nodes: Sequence[tuple[Place, bytes]]) -> None:
        """Keep new nodes, all of them or none."""
        ...


class MemoryNodes:
    """Nodes in memory."""

    def __init__(self) -> None:
        self._nodes: dict[Place, bytes] = {}
        self._size = 0

    def size(self) -> int:
        """Return how many leaves there are."""
        return self._size

    def nodes(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """Return the hashes at places."""
        return {place: self._nodes[place] for place in places}

    def add(self, nodes: Sequence[tuple[Place, bytes]]) -> None:
        """Keep new nodes."""
        self._nodes.update(nodes)
        self._size += sum(place.level == 0 for place, _ in nodes)


class LogTree:
    """One tree: appending costs O(log n) reads once and two writes a leaf, a proof O(log n) reads.

    Sizes and indexes are numbers of leaves. A size that the tree has not reached is LOG_PLACE.
    """

    def __init__(self, store: NodeStore) -> None:
        self._store = store
        self._size = store.size()

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append leaf hashes (RFC 9162: SHA-256(0x00 || leaf)), some thousands at a time."""
        source = iter(leaf_hashes)
        while batch := list(islice(source, _BATCH)):
            self._append(batch)

    def _append(self, batch: Sequence[bytes]) -> None:
        # The complete subtrees that make up the tree so far, the largest first: all that a leaf can meet.
        frontier = self._fetch(_covering(0, self._size))
        added: list[tuple[Place, bytes]] = []
        for index, leaf in enumerate(batch, self._size):
            place, value = Place(0, index), leaf
            added.append((place, value))
            while place.number % 2:
                value = node_hash(frontier.pop(), value)
                place = Place(place.level + 1, place.number >> 1)
                added.append((place, value))
            frontier.append(value)
        self._store.add(added)
        self._size += len(batch)

    def root(self, size: int | None = None) -> bytes:
        """Return the tree's hash when it had `size` leaves (now, if None)."""
        reached = self._reached(size)
        return self._hash_ranges([(0, reached)])[0] if reached else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the path of leaf `index` in the tree of `size` leaves (section 2.1.3.1)."""
        end = self._reached(size)
        if not 0 <= index < end:
            raise LogRefused("LOG_PLACE", f"leaf {index} of {end}")
        start, ranges = 0, []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                ranges.append((middle, end))
                end = middle
            else:
                ranges.append((start, middle))
                start = middle
        return tuple(self._hash_ranges(ranges[::-1]))

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Return the path that shows the tree of `first` leaves in that of `second` (section 2.1.4.1).

        It is empty where there is nothing to show: from 0 leaves, and between equal sizes.
        """
        end = self._reached(second)
        if not 0 <= first <= end:
            raise LogRefused("LOG_SIZES", f"from {first} to {end}")
        if first in (0, end):
            return ()
        start, ranges, whole = 0, [], True
        while first != end:
            middle = start + _split(end - start)
            if first <= middle:
                ranges.append((middle, end))
                end = middle
            else:
                ranges.append((start, middle))
                start, whole = middle, False
        if not whole:
            ranges.append((start, end))
        return tuple(self._hash_ranges(ranges[::-1]))

    def _reached(self, size: int | None) -> int:
        if size is None:
            return self._size
        if not 0 <= size <= self._size:
            raise LogRefused("LOG_PLACE", f"a tree of {size} leaves, where there are {self._size}")
        return size

    def _hash_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the tree hash of each range of leaves, with one visit to the store."""
        covered = [_covering(start, end) for start, end in ranges]
        found = self._store.nodes([place for places in covered for place in places])
        return [_fold([found[place] for place in places]) for places in covered]

    def _fetch(self, places: Sequence[Place]) -> list[bytes]:
        found = self._store.nodes(places)
        return [found[place] for place in places]


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _covering(start: int, end: int) -> list[Place]:
    """Return the complete subtrees, largest first, that make up a range as the RFC's splits leave it."""
    places = []
    for level in reversed(range((end - start).bit_length())):
        if (end - start) >> level & 1:
            places.append(Place(level, start >> level))
            start += 1 << level
    return places


def _fold(hashes: Sequence[bytes]) -> bytes:
    value = hashes[-1]
    for left in hashes[-2::-1]:
        value = node_hash(left, value)
    return value
