"""Anchored roots while following (step 21): each held against the tree of the ballots, which only grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from auditor.anchors import wrong_anchor
from auditor.following.announcement import of_finding
from auditor.log.leaf import leaves_of
from auditor.log.tree import LogTree, MemoryNodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.following.announcement import Announcement
    from auditor.store import Table
    from auditor.verifier import Verifier
    from auditor.view import ChainBallot, ChainMeeting

_CHUNK: Final = 1000


@dataclass(slots=True)
class _Grown:
    """A meeting's tree, the last row of accepted ballots in it, and the anchors that were looked at."""

    tree: LogTree = field(default_factory=lambda: LogTree(MemoryNodes()))
    row: int = 0
    anchors: int = 0

    def grow(self, meeting: ChainMeeting) -> None:
        """Take in the ballots that were accepted since; the last row was a block's and so a transaction's."""
        table = cast("Table[ChainBallot]", meeting.accepted)
        self.tree.extend(leaf.hash() for leaf in leaves_of(meeting.mtg, self._ballots(table)))

    def _ballots(self, table: Table[ChainBallot]) -> Iterator[ChainBallot]:
        while chunk := table.after(self.row, _CHUNK):
            yield from (ballot for _, _, ballot in chunk)
            self.row = chunk[-1][0]


@dataclass(slots=True)
class Anchored:
    """Looks at each anchor once, when it comes; a meeting without any costs nothing."""

    _meetings: dict[tuple[str, str], _Grown] = field(default_factory=dict)

    def look(self, verifier: Verifier) -> Iterator[Announcement]:
        """Yield what is wrong with the anchors that are new."""
        for channel in verifier.channels()[1:]:
            for mtg in verifier.meetings(channel):
                meeting = verifier.meeting(channel, mtg)
                if meeting is None or not meeting.anchors:
                    continue
                grown = self._meetings.setdefault((channel, mtg), _Grown())
                if len(meeting.anchors) == grown.anchors:
                    continue
                grown.grow(meeting)
                for anchor in meeting.anchors[grown.anchors :]:
                    if (wrong := wrong_anchor(anchor, grown.tree)) is not None:
                        yield of_finding(channel, wrong, closed=bool(meeting.result))
                grown.anchors = len(meeting.anchors)
