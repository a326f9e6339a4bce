"""The roll of one meeting: every lender's leaf under a random pseudonym, in the order of the tree."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from client.encodings import base64url, merkle, times
from client.encodings.ids import ID_BYTES, is_meeting_id
from client.encodings.leaf import SALT_BYTES, Leaf
from client.encodings.roll_summary import RollSummary, summarize
from client.errors import UserError
from client.rolls.bulk import collector_paused
from client.rolls.errors import RollError
from client.rolls.proof import Proof
from client.rolls.provenance import UNKNOWN, Provenance, Source

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


@dataclass(frozen=True)
class Roll:
    """All entries in the order of pseudonyms (ASCII), with the time at which claims were taken."""

    mtg: str
    snapshot: str
    entries: tuple[Entry, ...]
    provenance: Provenance = UNKNOWN

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

    def place(self, sub: str) -> int | None:
        """Return a pseudonym's index on the roll, None for nobody's."""
        return self._places.get(sub)

    def prove(self, sub: str) -> Proof:
        """Return the proof of a pseudonym's leaf; raise UserError for nobody's."""
        index = self.place(sub)
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
        return the_one([entry for entry in self.entries if entry.person.id_no == wanted], self.mtg)


def the_one(found: Sequence[Entry], mtg: str) -> Entry:
    """Return the one lender found by a document number; raise UserError for none, or for several."""
    if not found:
        raise UserError(f"no lender with this document number is on the roll of {mtg!r}")
    if len(found) > 1:
        raise UserError(f"{len(found)} lenders of {mtg!r} have documents of this number: name one by --sub")
    return found[0]


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
    source_sha256: str | None = None,
) -> Roll:
    """Return the roll of a meeting: a pseudonym and a salt for every holder.

    `pseudonyms` gives each person, in order, the one that they have with the institution;
    without it each gets a new one. `source_sha256` is the register's file hash in hex. Raises RollError.
    """
    people = [holder.person for holder in holders]
    subs = random_pseudonyms(people, random) if pseudonyms is None else pseudonyms(people)
    with collector_paused():
        entries = [
            Entry(holder.person, Leaf(mtg, sub, holder.claims, random(SALT_BYTES), holder.excluded))
            for holder, sub in zip(holders, subs, strict=True)
        ]
    entries.sort(key=lambda entry: entry.leaf.sub)
    rows = sum(len(holder.claims) for holder in holders)
    provenance = Provenance(Source(source_sha256, rows) if source_sha256 else None)
    return Roll(mtg, snapshot, tuple(entries), provenance)
