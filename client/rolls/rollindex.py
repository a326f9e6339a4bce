"""The index beside a roll file: where each line begins, and the hashes of the whole tree.

With it a proof from a file reads some twenty short pieces instead of 390,000 lines. Nothing in it is
believed: the leaf comes from the roll file, and the path has to lead to the root that the roll file says.
It holds hashes and places only, nothing personal.

Little-endian: magic, number of leaves, size of the roll file, root (32 bytes), then the places (8 bytes a
line of the roll file, its first included), then the tree's layers from the leaves up (32 bytes a node).
"""

from __future__ import annotations

import struct
from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from client.encodings.ids import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from client.rolls.roll import Roll

_HEAD: Final = struct.Struct("<16sQQ32s")
_MAGIC: Final = b"concordat-index1"
_PLACE: Final = struct.Struct("<Q")


def index_path(roll_file: Path) -> Path:
    """Return where the index of a roll file stands."""
    return roll_file.with_name(f"{roll_file.name}.index")


def encode_index(roll: Roll, lengths: Sequence[int]) -> Iterator[bytes]:
    """Yield the index of a roll file whose lines, line feeds included, have these lengths in bytes."""
    places = [0, *accumulate(lengths)]
    yield _HEAD.pack(_MAGIC, len(roll.entries), places.pop(), roll.summary.root)
    packed = array("Q", places)
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        packed.byteswap()
    yield packed.tobytes()
    for height, _ in enumerate(layer_sizes(len(roll.entries))):
        yield b"".join(roll.tree.cap(height))


def layer_sizes(size: int) -> list[int]:
    """Return how many nodes each layer of a tree of `size` leaves has, from the leaves up."""
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


class RollIndex:
    """An open index that fits its roll file by size and root."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file

    @classmethod
    def fitting(cls, file: BinaryIO, *, roll_size: int, root: bytes) -> RollIndex | None:
        """Return the index in an open file, or None where it isn't this roll file's, or is cut off."""
        head = file.read(_HEAD.size)
        if len(head) != _HEAD.size:
            return None
        magic, size, indexed, indexed_root = _HEAD.unpack(head)
        if (magic, indexed, indexed_root) != (_MAGIC, roll_size, root) or not 0 < size < roll_size:
            return None
        expected = _HEAD.size + (size + 1) * _PLACE.size + sum(layer_sizes(size)) * HASH_BYTES
        return cls(file, size) if file.seek(0, 2) == expected else None

    def place(self, index: int) -> int:
        """Return at which byte of the roll file the line of leaf `index` begins."""
        (place,) = _PLACE.unpack(self._read(_HEAD.size + (index + 1) * _PLACE.size, _PLACE.size))
        return int(place)

    def path(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of leaf `index` to the root (RFC 9162 section 2.1.3.1)."""
        nodes = []
        start = _HEAD.size + (self.size + 1) * _PLACE.size
        for size in layer_sizes(self.size):
            sibling = index ^ 1
            if sibling < size:  # a node without a sibling moves up as it is
                nodes.append(self._read(start + sibling * HASH_BYTES, HASH_BYTES))
            start += size * HASH_BYTES
            index >>= 1
        return tuple(nodes)

    def run_path(self, index: int, height: int) -> tuple[bytes, ...]:
        """Return the part of the path within the leaf's run of the cap of `height`."""
        # Layers below the cap in which the node has a sibling.
        steps = sum((index >> level) ^ 1 < size for level, size in enumerate(layer_sizes(self.size)[:height]))
        return self.path(index)[:steps]

    def _read(self, place: int, length: int) -> bytes:
        self._file.seek(place)
        return self._file.read(length)
