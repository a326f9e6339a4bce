"""RFC 9162 Merkle trees (section 2.1), and the cap: the layer of the tree that a channel stores.

With cap height h the cap holds the tree hash of each aligned run of 2^h leaves, in order,
the last run perhaps partial. Because a run's length is a power of two, RFC 9162's split
rule applied to the cap's nodes gives the root, and a proof inside one run is the RFC's
audit path for that run alone: at most h hashes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from client.encodings.ids import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_CAP: Final = 32_768


class ProofError(ValueError):
    """A proof doesn't show what it should; carries the root computed and the one expected."""

    def __init__(self, message: str, *, computed: bytes = b"", expected: bytes = b"") -> None:
        super().__init__(message)
        self.computed = computed
        self.expected = expected


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree over leaf hashes with every layer kept: root, cap and paths without hashing again."""

    __slots__ = ("_layers",)

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        """Build the tree (about 2n hashes of 32 bytes for n leaves); raise ValueError for none."""
        layer = list(leaf_hashes)
        if not layer:
            raise ValueError("a tree needs at least one leaf")
        self._layers = [layer]
        while len(layer) > 1:
            layer = _next_layer(layer)
            self._layers.append(layer)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._layers[0])

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        return self._layers[-1][0]

    def cap(self, height: int) -> tuple[bytes, ...]:
        """Return the hashes of the aligned runs of 2^height leaves, in order."""
        return tuple(self._layers[min(height, len(self._layers) - 1)])

    def path(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of leaf `index` to the root (RFC 9162 section 2.1.3.1)."""
        return self.run_path(index, len(self._layers) - 1)

    def run_path(self, index: int, height: int) -> tuple[bytes, ...]:
        """Return the audit path of leaf `index` to its node of the cap of `height`."""
        if not 0 <= index < self.size:
            raise ValueError(f"there is no leaf {index} in a tree of {self.size}")
        path = []
        for layer in self._layers[: min(height, len(self._layers) - 1)]:
            sibling = index ^ 1
            if sibling < len(layer):  # a node without a sibling moves up as it is
                path.append(layer[sibling])
            index >>= 1
        return tuple(path)


def _next_layer(layer: Sequence[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256  # looked up once: this loop is the cost of a large roll
    above = [
        sha256(b"\x01" + left + right).digest() for left, right in zip(layer[::2], layer[1::2], strict=False)
    ]
    if len(layer) % 2:
        above.append(layer[-1])
    return above


def cap_height(size: int) -> int:
    """Return the smallest height at which a tree of `size` leaves has at most 32,768 cap nodes."""
    height = 0
    while cap_size(size, height) > MAX_CAP:
        height += 1
    return height


def is_cap_height(size: int, height: int) -> bool:
    """Say whether a tree of `size` leaves may have a cap of `height`: not too wide, nor above the root."""
    return cap_height(size) <= height <= (size - 1).bit_length()


def cap_size(size: int, height: int) -> int:
    """Return the number of cap nodes of a tree of `size` leaves at `height`."""
    return -(-size >> height) if height >= 0 else 0


def cap_root(cap: Sequence[bytes]) -> bytes:
    """Return the root that a cap's nodes combine to; raise ValueError for an empty cap."""
    return Tree(cap).root


def verify_cap(cap: Sequence[bytes], *, size: int, height: int, root: bytes) -> None:
    """Raise ProofError unless `cap` is the cap at `height` of a tree with `size` leaves and `root`."""
    if len(cap) != cap_size(size, height) or any(len(node) != HASH_BYTES for node in cap):
        raise ProofError(f"the cap has {len(cap)} nodes, not {cap_size(size, height)} of 32 bytes")
    computed = cap_root(cap)
    if computed != root:
        raise ProofError("the cap doesn't combine to the root", computed=computed, expected=root)


def verify_path(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless `path` proves the leaf hash as number `index` of `size` under `root`.

    The steps are RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:  # step 1
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    first, last, computed = index, size - 1, leaf  # steps 2 and 3
    for node in path:  # step 4
        if last == 0 or len(node) != HASH_BYTES:
            raise ProofError("the path is too long, or one of its hashes is not 32 bytes")
        if first % 2 or first == last:
            computed = node_hash(node, computed)
            while first % 2 == 0 and first:
                first >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, node)
        first >>= 1
        last >>= 1
    if last:  # step 5
        raise ProofError("the path is too short")
    if computed != root:
        raise ProofError("the path leads to another root", computed=computed, expected=root)


def verify_run_path(  # the cap's counterpart of verify_path
    leaf: bytes, *, index: int, size: int, height: int, path: Sequence[bytes], cap: Sequence[bytes]
) -> None:
    """Raise ProofError unless `path` proves the leaf hash within its run of the cap."""
    if not 0 <= index < size or index >> height >= len(cap):
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    run = index >> height
    start = run << height
    run_size = min(1 << height, size - start)
    verify_path(leaf, index=index - start, size=run_size, path=path, root=cap[run])
