"""Reconciliation, row by row: whether the platform says what the chain holds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

from auditor.discrepancy import ALTERED, DUPLICATED, EXTRA, LATE, MISCOUNTED, MISSING, Discrepancy
from auditor.view import ChainSession

if TYPE_CHECKING:
    from auditor.platform_rows import BallotRow, PlatformRows
    from auditor.view import ChainBallot, ChainMeeting

_COMPARED = ("sub", "seq", "jws", "choices", "claims", "ses", "door", "ack_no", "ack_time")
_SETTLED = ("tx", "block")
_Values = tuple[str, str]  # the chain's and the platform's
_NEXT = 2  # the distance of two numbers with exactly one between
_IN_FLIGHT = ("queued", "submitted")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome: the findings in a fixed order, and how many ballots are still on their way."""

    discrepancies: tuple[Discrepancy, ...]
    rows: int
    pending: int


def reconcile(
    meeting: ChainMeeting, rows: PlatformRows, *, settled_height: int, own_door: str
) -> Reconciliation:
    """Compare a replayed meeting with the platform's rows about it.

    `settled_height` is the channel's height before the snapshot was taken: a ballot in a block
    below it has to be in the snapshot; one above it may have come afterwards and is pending.
    `own_door` is the auditor's own organisation: ballots that came through it need no row.
    """
    ballots = _Ballots(meeting, settled_height, own_door)
    for row in rows.ballots(meeting.mtg):
        ballots.take(row)
    ballots.finish()
    found = [*ballots.found, *_meeting(meeting, rows), *_sessions(meeting, rows)]
    return Reconciliation(tuple(sorted(found)), ballots.rows, ballots.pending)


class _Ballots:
    """One pass over the platform's ballots, then over what the chain holds and it did not name."""

    def __init__(self, meeting: ChainMeeting, settled_height: int, own_door: str) -> None:
        self.meeting = meeting
        self.settled_height = settled_height
        self.own_door = own_door
        self.found: list[Discrepancy] = []
        self.rows = 0
        self.pending = 0
        self.numbers: dict[str, set[int]] = {}
        self._matched: dict[str, BallotRow] = {}
        self._unmatched: list[BallotRow] = []
        self._by_turn = {(one.sub, str(one.seq)): one for one in meeting.accepted.values()}
        self._by_number = {(one.door, str(one.ack_no)): one for one in meeting.accepted.values()}

    def take(self, row: BallotRow) -> None:
        self.rows += 1
        held = self.meeting.accepted.get(row.digest)
        if held is None:
            self._unmatched.append(row)
        elif row.digest in self._matched:
            self._add(DUPLICATED, row, held, "digest", (held.digest, row.digest))
        else:
            self._matched[row.digest] = row
            self._compare(row, held)

    def finish(self) -> None:
        for row in self._unmatched:
            self._without_ballot(row)
            if row.ack_no.isdecimal():
                self.numbers.setdefault(row.door, set()).add(int(row.ack_no))
        for digest, held in self.meeting.accepted.items():
            if digest in self._matched or held.door == self.own_door:
                continue
            if held.block >= self.settled_height:
                self.pending += 1
            else:
                where = f"{_place(self.meeting, held)}; no row"
                self.found.append(Discrepancy(MISSING, digest, "row", held.jws, "", where))
        if self.meeting.closed:
            self._gaps()

    def _without_ballot(self, row: BallotRow) -> None:
        """A row whose digest the chain never accepted: altered, a copy, in flight, refused or extra."""
        twin = self._by_turn.get((row.sub, row.seq)) or self._by_number.get((row.door, row.ack_no))
        if twin is not None and twin.digest not in self._matched and row.status != "refused":
            self._matched[twin.digest] = row
            self._add(ALTERED, row, twin, "digest", (twin.digest, row.digest))
            self._compare(row, twin)
        elif row.status == "committed":
            copied = twin is not None and row.jws == twin.jws
            self._add(DUPLICATED if copied else EXTRA, row, twin if copied else None, "row", ("", row.jws))
        else:
            self._unaccepted(row, self.meeting.refused.get(row.digest))

    def _unaccepted(self, row: BallotRow, refused: ChainBallot | None) -> None:
        """A row in flight, or refused: the chain must have said so by the time the meeting is closed."""
        if refused is not None and row.status == "refused":
            if row.code != refused.code:
                self._add(ALTERED, row, refused, "code", (refused.code, row.code))
        elif self.meeting.closed:
            self._add(LATE, row, refused, "status", (refused.code if refused else "", row.status))
        else:
            self.pending += 1

    def _compare(self, row: BallotRow, held: ChainBallot) -> None:
        settled = row.status not in _IN_FLIGHT
        for name in (*_COMPARED, *(_SETTLED if settled else ())):
            chain, platform = str(getattr(held, name)), getattr(row, name)
            if chain != platform:
                self._add(ALTERED, row, held, name, (chain, platform))
        if not settled:
            self.pending += 1
        elif row.status != "committed":
            self._add(ALTERED, row, held, "status", ("committed", row.status))

    def _gaps(self) -> None:
        """A number that a door gave out and nobody can account for is a ballot that vanished.

        Up to the last number of an accepted ballot, accounted for are those on the chain and those
        of rows that never got there. What is only claimed in a refused entry proves no later number.
        """
        given: dict[str, set[int]] = {}
        for held in self.meeting.accepted.values():
            given.setdefault(held.door, {0}).add(held.ack_no)
        given.pop(self.own_door, None)
        for door, accepted in sorted(given.items()):
            claimed = self.meeting.numbers.get(door, set()) | self.numbers.get(door, set())
            known = accepted | {number for number in claimed if number <= max(accepted)}
            for first, after in pairwise(sorted(known)):
                if after - first > 1:
                    gap = str(first + 1) if after - first == _NEXT else f"{first + 1}-{after - 1}"
                    where = f"door {door}, acknowledgement {gap}"
                    self.found.append(Discrepancy(MISSING, "", "ack_no", "", gap, where))

    def _add(self, kind: str, row: BallotRow, held: ChainBallot | None, name: str, values: _Values) -> None:
        place = _place(self.meeting, held) if held else self.meeting.channel
        digest = held.digest if held else row.digest
        where = f"{place}; ballots row {row.row}"
        self.found.append(Discrepancy(kind, digest, name, *values, where))


def _place(meeting: ChainMeeting, held: ChainBallot) -> str:
    return f"{meeting.channel} block {held.block} transaction {held.tx}"


def _meeting(meeting: ChainMeeting, rows: PlatformRows) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    row = rows.meeting(meeting.mtg)
    where = f"{meeting.channel}; meetings row {meeting.mtg}"
    if row is None:
        found.append(Discrepancy(MISSING, "", "meeting", meeting.mh, "", where))
    else:
        for name in ("record", "mh", "channel"):
            chain, platform = getattr(meeting, name), getattr(row, name)
            if chain != platform:
                found.append(Discrepancy(ALTERED, "", name, chain, platform, where))
    result = rows.result(meeting.mtg)
    if result is not None and result != meeting.result:
        where = f"{meeting.channel}; results row {meeting.mtg}"
        found.append(Discrepancy(MISCOUNTED, "", "result", meeting.result, result, where))
    return found


def _sessions(meeting: ChainMeeting, rows: PlatformRows) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    seen: set[str] = set()
    for row in rows.sessions(meeting.mtg):
        seen.add(row.ses)
        held = meeting.sessions.get(row.ses)
        where = f"identity; sessions row {row.ses}"
        if held is None:
            if row.status == "recorded":
                found.append(Discrepancy(EXTRA, "", "session", "", row.ses, where))
            continue
        for one in fields(ChainSession):
            chain, platform = getattr(held, one.name), getattr(row, one.name)
            if chain != platform:
                found.append(Discrepancy(ALTERED, "", f"session {one.name}", chain, platform, where))
    used = {one.ses for one in meeting.accepted.values()}
    found.extend(
        Discrepancy(MISSING, "", "session", ses, "", "identity; no sessions row")
        for ses in sorted(used - seen)
    )
    return found
