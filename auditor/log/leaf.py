"""Leaves of the log: one a ballot that the verifier accepted, in the order of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.log.errors import LogRefused
from client.encodings import jcs, merkle
from client.encodings.ids import is_count, is_hash, is_hex_hash, is_meeting_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.view import ChainBallot

_NAMES = ("mtg", "digest", "tx", "block", "pos")


@dataclass(frozen=True, slots=True)
class LogLeaf:
    """An accepted ballot's place on the chain.

    `block` is the number of the block with transaction `tx`; `pos` the ballot's number, from 0,
    among those that the transaction had accepted. A ballot that is replaced later stays in the log.
    """

    mtg: str
    digest: str
    tx: str
    block: int
    pos: int

    def __post_init__(self) -> None:
        """Refuse (LOG_LEAF) what no leaf may hold."""
        numbers = is_count(self.block) and is_count(self.pos)
        if not (numbers and is_meeting_id(self.mtg) and is_hash(self.digest) and is_hex_hash(self.tx)):
            raise LogRefused("LOG_LEAF", "mtg, digest, tx, block or pos")

    def encode(self) -> bytes:
        """Return the canonical bytes that the tree is over.

        Written from the pattern, since no value of these forms needs escaping; a test holds it to JCS.
        """
        return (
            f'{{"block":{self.block},"digest":"{self.digest}","mtg":"{self.mtg}","pos":{self.pos},'
            f'"tx":"{self.tx}","v":1}}'
        ).encode("ascii")

    def hash(self) -> bytes:
        """Return SHA-256(0x00 || leaf)."""
        return merkle.leaf_hash(self.encode())


def parse_leaf(data: bytes) -> LogLeaf:
    """Return the leaf of its canonical bytes; refuse with LOG_LEAF."""
    try:
        value = jcs.loads_canonical(data)
    except jcs.JsonError as error:
        raise LogRefused("LOG_LEAF", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise LogRefused("LOG_LEAF", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != 1:
        raise LogRefused("LOG_LEAF", "another version")
    return LogLeaf(*(value[name] for name in _NAMES))


def leaves_of(mtg: str, ballots: Iterable[ChainBallot]) -> Iterator[LogLeaf]:
    """Yield the leaf of each accepted ballot, which come in the chain's order; LOG_ORDER if they don't.

    The ballots have to begin with a transaction's first one.
    """
    tx, block, pos = "", -1, 0
    for ballot in ballots:
        if ballot.block < block:
            raise LogRefused("LOG_ORDER", ballot.digest, expected=f"block {block}", found=ballot.block)
        pos = pos + 1 if ballot.tx == tx else 0
        tx, block = ballot.tx, ballot.block
        yield LogLeaf(mtg, ballot.digest, tx, block, pos)
