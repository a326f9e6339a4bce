"""A meeting's ballots for the pages, read from the state on disk as they are asked for, never all at once."""

from __future__ import annotations

from collections.abc import Mapping, ValuesView
from typing import TYPE_CHECKING, Final, cast

from auditor.view import ChainBallot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.portal.state import Seen, State
    from auditor.replay.meetings import MeetingState
    from auditor.store import Table

_CHUNK: Final = 500
"""Rows that one turn reads: some milliseconds in which other readers wait."""


class Ballots(Mapping[str, ChainBallot]):
    """A meeting's accepted ballots, or its refused ones, by digest in the chain's order.

    Going through them gives what was there at the facts that they belong to; asking for one, whatever the
    state has by now.
    """

    def __init__(self, state: State, channel: str, mtg: str, part: str, last: int | None = None) -> None:
        """Name the table's `part` of the meeting's state, and its last row of these facts, if that counts."""
        self._state, self._channel, self._mtg, self._part = state, channel, mtg, part
        self._last = last

    def __getitem__(self, digest: str) -> ChainBallot:
        """Return a ballot; KeyError for none."""
        with self._state.reading() as seen:
            return self._table(seen)[digest]

    def __iter__(self) -> Iterator[str]:
        """Yield the digests."""
        return (digest for digest, _ in self.pairs())

    def __len__(self) -> int:
        """Count them; rows of accepted ballots are never removed, so that the last one's number says it."""
        return sum(1 for _ in self.pairs()) if self._last is None else self._last

    def values(self) -> ValuesView[ChainBallot]:
        """Return the ballots, read a chunk at a time."""
        return _Values(self)

    def pairs(self) -> Iterator[tuple[str, ChainBallot]]:
        """Yield digests and ballots, read a chunk at a time."""
        row = 0
        while True:
            with self._state.reading() as seen:
                chunk = self._table(seen).after(row, _CHUNK)
            for row, digest, ballot in chunk:
                if self._last is not None and row > self._last:
                    return
                yield digest, ballot
            if len(chunk) < _CHUNK:
                return

    def of(self, sub: str) -> list[ChainBallot]:
        """Return every ballot accepted in a lender's name, in the chain's order."""
        with self._state.reading() as seen:
            digests = seen.voters(self._channel, self._mtg).get(sub, "").split()
            table = self._table(seen)
            return [table[digest] for digest in digests]

    def _table(self, seen: Seen) -> Table[ChainBallot]:
        return cast("Table[ChainBallot]", getattr(_meeting(seen, self._channel, self._mtg), self._part))


class _Values(ValuesView[ChainBallot]):
    _mapping: Ballots

    def __iter__(self) -> Iterator[ChainBallot]:
        return (ballot for _, ballot in self._mapping.pairs())


class Standing(Mapping[str, str]):
    """The digest of the ballot that stands, by voter."""

    def __init__(self, state: State, channel: str, mtg: str) -> None:
        self._state, self._channel, self._mtg = state, channel, mtg

    def __getitem__(self, sub: str) -> str:
        """Return a voter's; KeyError for none."""
        with self._state.reading() as seen:
            return _meeting(seen, self._channel, self._mtg).held[sub].digest

    def __iter__(self) -> Iterator[str]:
        """Yield the voters."""
        with self._state.reading() as seen:
            return iter(list(_meeting(seen, self._channel, self._mtg).held))

    def __len__(self) -> int:
        """Count them."""
        with self._state.reading() as seen:
            return len(_meeting(seen, self._channel, self._mtg).held)


def _meeting(seen: Seen, channel: str, mtg: str) -> MeetingState:
    return seen.verifier.states(channel)[mtg]
