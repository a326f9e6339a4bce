"""Reconciliation, row by row: whether the platform says what the chain holds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor.acknowledged import Doors
from auditor.ahead import Alone
from auditor.chain_rows import ChainRows
from auditor.discrepancy import ALTERED, DUPLICATED, MISCOUNTED, MISSING, Discrepancy
from auditor.reconcile_ballots import BallotPass, Chunk
from auditor.reconcile_sessions import reconcile_sessions
from auditor.replay.authority import Offices
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.ahead import Helpers
    from auditor.platform_rows import PlatformRows
    from auditor.view import ChainMeeting

PATIENCE: Final = 900
"""Seconds after its acknowledgement in which a ballot may be on its way."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reconciliation goes by, beside the two sides.

    `settled_height` is the channel's height before the snapshot was taken: a ballot in a block below it
    has to be in the snapshot. `settled_sessions` says likewise how many of the meeting's sessions, in
    chain order, were there (None: all). `own_door` is the auditor's own organisation: ballots that came
    through it need no row. `now` is when the snapshot was taken, `patience` how long a ballot may be on
    its way, both in seconds. `doors` are the keys for stored acknowledgements, `helpers` verify these ahead.
    `platform_door` is the only other organisation whose relay may bring ballots.
    """

    settled_height: int
    own_door: str
    now: int
    patience: int = PATIENCE
    settled_sessions: int | None = None
    doors: Doors = field(default_factory=lambda: Doors({}))
    helpers: Helpers = field(default_factory=Alone)
    platform_door: str = Offices().association

    def overdue(self, moment: str) -> bool:
        """Say whether a time is longer ago than the patience; what is no time always is."""
        return not times.is_time(moment) or times.parse(moment) + self.patience < self.now


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome: the findings in a fixed order, how many rows, how many ballots still on their way.

    `unverified` counts stored acknowledgements of doors whose keys the channel does not show yet.
    """

    discrepancies: tuple[Discrepancy, ...]
    rows: int
    pending: int
    unverified: int = 0


def reconcile(meeting: ChainMeeting, rows: PlatformRows, terms: Terms) -> Reconciliation:
    """Compare a replayed meeting with the platform's rows about it.

    Both sides are read in chunks: memory depends on how much is found, not on how much is compared.
    """
    with closing(ChainRows(meeting, terms.settled_sessions)) as chain:
        ballots = BallotPass(meeting, chain, terms)
        ballots.run(_ahead(meeting, rows, terms))
        found = [
            *ballots.found,
            *_meeting(meeting, rows),
            *reconcile_sessions(meeting, chain, rows, terms),
        ]
    return Reconciliation(tuple(sorted(found)), ballots.rows, ballots.pending, ballots.unverified)


def _ahead(meeting: ChainMeeting, rows: PlatformRows, terms: Terms) -> Iterator[Chunk]:
    """Yield the rows, their acknowledgements verified ahead where there are helpers."""
    chunks = (Chunk.of(values, terms.doors, meeting) for values in rows.ballots(meeting.mtg))
    yield from terms.helpers.ahead(chunks, Chunk.asked, terms.doors.facts)


def _meeting(meeting: ChainMeeting, rows: PlatformRows) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    where = f"{meeting.channel}; meetings row {meeting.mtg}"
    copies = list(rows.meetings(meeting.mtg))
    if not copies:
        found.append(Discrepancy(MISSING, "", "meeting", meeting.mh, "", where))
    for row in copies:
        for name in ("record", "mh", "channel"):
            chain, platform = getattr(meeting, name), getattr(row, name)
            if chain != platform:
                found.append(Discrepancy(ALTERED, "", name, chain, platform, where))
    found += [Discrepancy(DUPLICATED, "", "meeting", meeting.mh, row.mh, where) for row in copies[1:]]
    where = f"{meeting.channel}; results row {meeting.mtg}"
    results = list(rows.results(meeting.mtg))
    for result in results:
        if result != meeting.result:
            found.append(Discrepancy(MISCOUNTED, "", "result", meeting.result, result, where))
    found += [Discrepancy(DUPLICATED, "", "result", meeting.result, one, where) for one in results[1:]]
    return found
