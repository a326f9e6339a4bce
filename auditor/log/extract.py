"""Extracts of a log: leaves, each with its path to one head's root, for whoever wants to look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.log import kinds
from auditor.log.errors import LogRefused
from auditor.log.leaf import LogLeaf, parse_leaf
from auditor.log.promise import hash_list
from auditor.log.proofs import verify_inclusion
from client.encodings import base64url, jcs
from client.encodings.ids import is_count

if TYPE_CHECKING:
    from auditor.log.head import VerifiedHead
    from auditor.log.service_db import LogBook

MAX_LEAVES: Final = 20_000


@dataclass(frozen=True, slots=True)
class PlacedLeaf:
    """A leaf, the index that it is said to have, and its path."""

    index: int
    leaf: LogLeaf
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of one leaf of an extract."""
        return {
            "index": self.index,
            "leaf": jcs.loads(self.leaf.encode()),
            "path": [base64url.encode(node) for node in self.path],
        }


@dataclass(frozen=True, slots=True)
class Extract:
    """Some leaves of the log of meeting `mtg` when it had `size` leaves, in ascending order of index."""

    mtg: str
    size: int
    leaves: tuple[PlacedLeaf, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes of its file."""
        leaves = [one.as_json() for one in self.leaves]
        return jcs.dumps({"v": 1, "type": kinds.LEAVES, "mtg": self.mtg, "size": self.size, "leaves": leaves})

    def verify(self, head: VerifiedHead) -> None:
        """Refuse (HEAD_MEETING, LOG_PLACE, LOG_PATH, LOG_ROOT) unless every leaf is in the head's tree."""
        content = head.head
        if (self.mtg, self.size) != (content.mtg, content.size):
            found = f"{self.mtg} {self.size}"
            raise LogRefused("HEAD_MEETING", expected=f"{content.mtg} {content.size}", found=found)
        for one in self.leaves:
            verify_inclusion(
                one.leaf.encode(), index=one.index, size=self.size, path=one.path, root=content.root
            )


def extract(book: LogBook, start: int, stop: int, size: int) -> Extract:
    """Return the leaves `start` to `stop - 1` with their paths in the tree of `size` leaves."""
    tree = book.tree()
    leaves = (
        PlacedLeaf(one.index, one.leaf, tree.inclusion(one.index, size)) for one in book.leaves(start, stop)
    )
    return Extract(book.mtg, size, tuple(leaves))


def extract_block(book: LogBook, block: int, size: int) -> Extract:
    """Return all leaves of a block, with the one before them and the one after them where there are such."""
    start, stop = book.block_range(block, size)
    return extract(book, max(start - 1, 0), min(stop + 1, size), size)


def parse_extract(data: bytes) -> Extract:
    """Return the extract of a file's bytes (any JSON form), nothing verified yet; refuse with LOG_LEAF."""
    try:
        value = kinds.members(data, kinds.LEAVES, "mtg", "size", "leaves")
        if not isinstance(value["leaves"], list) or len(value["leaves"]) > MAX_LEAVES:
            raise LogRefused("LOG_LEAF", f"leaves is no list of at most {MAX_LEAVES}")
        leaves = tuple(_placed(one) for one in value["leaves"])
    except ValueError as error:
        raise LogRefused("LOG_LEAF", str(error)) from error
    indexes = [one.index for one in leaves]
    if not isinstance(value["mtg"], str) or not is_count(value["size"]) or indexes != sorted(set(indexes)):
        raise LogRefused("LOG_LEAF", "mtg, size or the order of the leaves")
    return Extract(value["mtg"], value["size"], leaves)


def _placed(value: Any) -> PlacedLeaf:
    if (
        not isinstance(value, dict)
        or value.keys() != {"index", "leaf", "path"}
        or not is_count(value["index"])
    ):
        raise LogRefused("LOG_LEAF", "a leaf has index, leaf and path")
    return PlacedLeaf(value["index"], parse_leaf(jcs.dumps(value["leaf"])), hash_list(value["path"]))
