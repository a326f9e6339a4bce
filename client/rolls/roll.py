"""The roll of one meeting: every lender's leaf under a random pseudonym, in the order of the tree."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, merkle, times
from client.encodings.ids import ID_BYTES, is_meeting_id
from client.encodings.leaf import SALT_BYTES, Leaf
from client.encodings.roll_summary import RollSummary, summarize
from client.errors import UserError
from client.rolls.bulk import collector_paused
from client.rolls.errors import RollError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.rolls.claims import Holder
    from client.rolls.person import Person

Random = Callable[[int], bytes]
"""Returns so many random bytes, as `os.urandom` does."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A lender on the roll: who they are (never on a channel), and their leaf."""

    person: Person
    leaf: Leaf


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


@dataclass(frozen=True)
class Roll:
    """All entries in the order of pseudonyms (ASCII), with the time at which claims were taken."""

    mtg: str
    snapshot: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        """Raise RollError for a roll without entries, out of order, or of several meetings."""
        if not is_meeting_id(self.mtg):
            raise RollError(f"{self.mtg!r} is no meeting id: 1 to 40 of a-z, 0-9 and -")
        if not times.is_time(self.snapshot):
            raise RollError(f"{self.snapshot!r} is no time of the form 2026-01-31T08:00:00Z")
        if not self.entries:
            raise RollError("a roll needs at least one lender")
        for before, after in pairwise(self.entries):
            if before.leaf.sub >= after.leaf.sub:
                raise RollError(f"the pseudonym {after.leaf.sub} is twice on the roll or out of order")
        if any(entry.leaf.mtg != self.mtg for entry in self.entries):
            raise RollError(f"a leaf is not of the meeting {self.mtg!r}")

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves in order."""
        return tuple(entry.leaf for entry in self.entries)

    @cached_property
    def tree(self) -> merkle.Tree:
        """The Merkle tree of the leaves."""
        return merkle.Tree(entry.leaf.hash() for entry in self.entries)

    @cached_property
    def cap(self) -> tuple[bytes, ...]:
        """The cap's nodes at the roll's cap height."""
        return self.tree.cap(self.summary.cap_height)

    @cached_property
    def summary(self) -> RollSummary:
        """What goes on the channel: root, sizes, totals."""
        return summarize([entry.leaf for entry in self.entries], self.tree, self.snapshot)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {entry.leaf.sub: index for index, entry in enumerate(self.entries)}

    def prove(self, sub: str) -> Proof:
        """Return the proof of a pseudonym's leaf; raise UserError for nobody's."""
        index = self._places.get(sub)
        if index is None:
            raise UserError(f"the pseudonym {sub[:40]!r} is not on the roll of {self.mtg!r}")
        return Proof(
            leaf=self.entries[index].leaf,
            index=index,
            size=len(self.entries),
            root=self.tree.root,
            path=self.tree.path(index),
            run_path=self.tree.run_path(index, self.summary.cap_height),
        )

    def find(self, id_no: str) -> Entry:
        """Return the entry of an identity document's number; raise UserError for nobody's."""
        wanted = id_no.strip().upper()
        for entry in self.entries:
            if entry.person.id_no == wanted:
                return entry
        raise UserError(f"no lender with this document number is on the roll of {self.mtg!r}")


def random_pseudonyms(people: Sequence[Person], random: Random = os.urandom) -> list[str]:
    """Return a fresh random pseudonym for each person."""
    return [base64url.encode(random(ID_BYTES)) for _ in people]


def make_roll(
    holders: Sequence[Holder],
    *,
    mtg: str,
    snapshot: str,
    pseudonyms: Callable[[Sequence[Person]], Sequence[str]] | None = None,
    random: Random = os.urandom,
) -> Roll:
    """Return the roll of a meeting: a pseudonym and a salt for every holder.

    `pseudonyms` gives each person, in order, the one that they have with the institution;
    without it each gets a new one. Raises RollError.
    """
    people = [holder.person for holder in holders]
    subs = random_pseudonyms(people, random) if pseudonyms is None else pseudonyms(people)
    with collector_paused():
        entries = [
            Entry(holder.person, Leaf(mtg, sub, holder.claims, random(SALT_BYTES)))
            for holder, sub in zip(holders, subs, strict=True)
        ]
    entries.sort(key=lambda entry: entry.leaf.sub)
    return Roll(mtg, snapshot, tuple(entries))
