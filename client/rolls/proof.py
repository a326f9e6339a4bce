"""A lender's place on a roll: the leaf, and the path from it to the root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from client.encodings import base64url, jcs, merkle
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_hash
from client.encodings.leaf import Leaf, parse_leaf
from client.rolls.errors import RollError

_MEMBERS = frozenset({"v", "leaf", "index", "size", "root", "path", "run_path"})


@dataclass(frozen=True, slots=True)
class Proof:
    """A lender's leaf with its whole audit path to the root, and the part within its run of the cap."""

    leaf: Leaf
    index: int
    size: int
    root: bytes
    path: tuple[bytes, ...]
    run_path: tuple[bytes, ...]

    def verify(self) -> None:
        """Raise ProofError unless the path leads from the leaf to the root."""
        merkle.verify_path(self.leaf.hash(), index=self.index, size=self.size, path=self.path, root=self.root)

    def as_json(self) -> dict[str, Any]:
        """Return the proof as JSON."""
        return {
            "v": 1,
            "leaf": self.leaf.as_json(),
            "index": self.index,
            "size": self.size,
            "root": base64url.encode(self.root),
            "path": [base64url.encode(node) for node in self.path],
            "run_path": [base64url.encode(node) for node in self.run_path],
        }


def parse_proof(data: bytes, source: str = "the proof") -> Proof:
    """Return the proof of JSON as `as_json` gives it; raise RollError for anything else.

    Nothing is verified yet: `Proof.verify` does, against a root that the reader trusts.
    """
    try:
        value = _members(data)
        return Proof(
            leaf=parse_leaf(jcs.dumps(value["leaf"])),
            index=value["index"],
            size=value["size"],
            root=base64url.decode(value["root"], HASH_BYTES),
            path=tuple(base64url.decode(node, HASH_BYTES) for node in value["path"]),
            run_path=tuple(base64url.decode(node, HASH_BYTES) for node in value["run_path"]),
        )
    except (ValueError, TypeError, Refused) as error:
        raise RollError(
            f"{source} is no proof of a place on a roll ({error}): "
            "take it as `concordat roll prove --json` gives it"
        ) from error


def _members(data: bytes) -> dict[str, Any]:
    value = jcs.loads(data)
    if not isinstance(value, dict) or value.keys() != _MEMBERS or value["v"] != 1:
        raise ValueError("other members than a proof's, or another version")
    numbers, hashes = (value["index"], value["size"]), [value["root"], *value["path"], *value["run_path"]]
    if not all(is_count(number) for number in numbers) or not all(is_hash(item) for item in hashes):
        raise ValueError("a number or a hash is none")
    return value
