"""What the doors brought to a meeting, found by number and digest in few rows, however much it is."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.portal.rising import ROW, Rising
from auditor.view import numbered_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.portal.state import State
    from auditor.store import Store
    from auditor.view import ChainBallot


@dataclass(frozen=True, slots=True)
class Brought:
    """A meeting's ballots, accepted and refused by digest, with what finds them by a door's numbers.

    `numbers` has, by "door number", the first two ballots brought under it, `numbered` the first accepted
    under it; `rising` the times of the latter. A door that gave one number to two accepted ballots is a
    finding of the replay.
    """

    accepted: Mapping[str, ChainBallot]
    refused: Mapping[str, ChainBallot]
    numbers: Mapping[str, str]
    numbered: Mapping[str, str]
    rising: Rising

    def of(self, digest: str) -> ChainBallot | None:
        """Return a ballot by its digest, None where it wasn't brought."""
        return self.accepted.get(digest) or self.refused.get(digest)

    def under(self, door: str, number: int) -> list[ChainBallot]:
        """Return two different ballots at most that a door brought under a number, accepted or refused.

        Each is as it was brought last, which may have been under another number.
        """
        digests = self.numbers.get(numbered_as(door, number), "").split()
        return [one for one in map(self.of, digests) if one is not None]

    def out_of_order(self, door: str, number: int, *, low: int, high: int) -> ChainBallot | None:
        """Return an accepted ballot with a lower number and a time after `high` (seconds), or the reverse."""
        other = self.rising.against(door, number, low=low, high=high)
        return None if other is None else self.accepted[self.numbered[numbered_as(door, other)]]


def rising(store: Store, channel: str, mtg: str) -> Rising:
    """Return a store's times by number of one meeting's accepted ballots."""
    return Rising(store.table(f"{channel}/{mtg}/rising", ROW))


@contextmanager
def brought(state: State, channel: str, mtg: str) -> Iterator[Brought]:
    """Have what was brought to a meeting to oneself for a moment, as of the last checkpoint."""
    with state.reading() as seen:
        meeting = seen.verifier.states(channel)[mtg]
        yield Brought(
            meeting.accepted,
            meeting.refused,
            meeting.numbers,
            meeting.numbered,
            rising(seen.store, channel, mtg),
        )
