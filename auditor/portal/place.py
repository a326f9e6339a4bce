"""A lender's place on the frozen roll, as `concordat roll prove --json` and the invitation carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.log.promise import hash_list
from client.encodings import jcs, merkle
from client.encodings.errors import Refused
from client.encodings.ids import is_count
from client.encodings.leaf import Leaf, parse_leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.meeting import Meeting


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf, its index on the roll and its whole path to the root."""

    leaf: Leaf
    index: int
    path: tuple[bytes, ...]

    def verify(self, meeting: Meeting) -> None:
        """Refuse (ROLL_LEAF_FOREIGN, ROLL_PROOF) a leaf that is not on the meeting's frozen roll."""
        if self.leaf.mtg != meeting.mtg:
            raise Refused("ROLL_LEAF_FOREIGN")
        roll = meeting.roll
        try:
            merkle.verify_path(
                self.leaf.hash(), index=self.index, size=roll.size, path=self.path, root=roll.root
            )
        except merkle.ProofError as error:
            raise Refused("ROLL_PROOF") from error

    def run_path(self, meeting: Meeting, cap: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the part of the path up to the node of the cap; refuse (ROLL_PROOF) where there is none."""
        height, size = meeting.roll.cap_height, meeting.roll.size
        for length in range(min(height, len(self.path)) + 1):
            part = self.path[:length]
            try:
                merkle.verify_run_path(
                    self.leaf.hash(), index=self.index, size=size, height=height, path=part, cap=cap
                )
            except merkle.ProofError:
                continue
            return part
        raise Refused("ROLL_PROOF")


def parse_place(data: bytes) -> Place:
    """Return the place of a JSON object with `leaf`, `index`, `path`; whatever else is in it doesn't matter.

    Nothing is verified yet. Refuse with ROLL_LEAF or ROLL_PROOF.
    """
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("ROLL_LEAF", "no JSON") from error
    return place_from_json(value)


def place_from_json(value: Any) -> Place:
    """Return the place of a parsed JSON object; refuse with ROLL_LEAF or ROLL_PROOF."""
    if not isinstance(value, dict) or not {"leaf", "index", "path"} <= value.keys():
        raise Refused("ROLL_LEAF", "leaf, index and path are needed")
    try:
        leaf, path = parse_leaf(jcs.dumps(value["leaf"])), hash_list(value["path"])
    except (jcs.JsonError, ValueError) as error:
        raise Refused("ROLL_PROOF", "leaf or path") from error
    if not is_count(value["index"]):
        raise Refused("ROLL_PROOF", "index")
    return Place(leaf, value["index"], path)
