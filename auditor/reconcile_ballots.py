"""Reconciliation of ballots: one pass by digest, then a second look at what found no partner."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Self

from auditor.acknowledged import STORED
from auditor.discrepancy import (
    ALTERED,
    DUPLICATED,
    EXTRA,
    LATE,
    MISSING,
    PENDING,
    RECEIPT_WITHOUT_BALLOT,
    WITHOUT_SESSION,
    Discrepancy,
)
from auditor.platform_rows import BallotRow, as_text, ballot_values
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.acknowledged import Acknowledged, Doors
    from auditor.chain_rows import ChainRows
    from auditor.platform_rows import Values
    from auditor.reconcile import Terms
    from auditor.view import ChainBallot, ChainMeeting
    from client.encodings.acknowledgement import Acknowledgement

_COMPARED = ("sub", "seq", "jws", "choices", "claims", "ses", "door", "ack_no", "ack_time")
_SETTLED = ("tx", "block")
_ALL = ("digest", *_COMPARED, *_SETTLED)
_WORD = ("door", "ack_no", "ack_time")
# Of a refused ballot the digest covers these; the rest is what its last bringer claimed.
_SIGNED = ("sub", "seq", "choices", "ses")
_Values = tuple[str, str]  # the chain's and the platform's
_NEXT = 2  # the distance of two numbers with exactly one between
_IN_FLIGHT = ("queued", "submitted")
_stored = ballot_values(*STORED)
_said = ballot_values(*_ALL)
_status = ballot_values("status")
_held = attrgetter(*_ALL)
_digest = ballot_values("digest")
_numbers = ballot_values("seq", "ack_no", "block")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as the database gave them, each with the fact that its acknowledgement says what it says."""

    rows: Sequence[Values]
    facts: Sequence[Acknowledged | None]

    @classmethod
    def of(cls, rows: Sequence[Values], doors: Doors, meeting: ChainMeeting) -> Self:
        """Return the chunk of rows."""
        return cls(rows, [doors.fact(meeting, _stored(row)) for row in rows])

    def asked(self) -> list[Acknowledged]:
        """Return what helpers may verify ahead."""
        return [fact for fact in self.facts if fact is not None]


class BallotPass:
    """Compares a meeting's ballots with the platform's rows; `run` once, then read what it found.

    `rows` counts rows, `pending` ballots that are on their way, `unverified` stored acknowledgements
    whose signature could not be checked yet.
    """

    def __init__(self, meeting: ChainMeeting, rows: ChainRows, terms: Terms) -> None:
        self.found: list[Discrepancy] = []
        self.rows = 0
        self.pending = 0
        self.unverified = 0
        self._meeting = meeting
        self._chain = rows
        self._terms = terms

    def run(self, chunks: Iterable[Chunk]) -> None:
        """Compare every row, in the order of their ids, with every accepted ballot."""
        for chunk in chunks:
            self._chunk(chunk)
        self._given_twice(by_digest=True)
        for row in self._chain.leftovers():
            self._leftover(row)
        self._given_twice(by_digest=False)
        for held in self._chain.open_ballots():
            self._without_row(held)
        if self._meeting.closed:
            self._gaps()

    # -- first pass -----------------------------------------------------------------------------------

    def _chunk(self, chunk: Chunk) -> None:
        """A digest alone makes no row a ballot's: a digest copied or swapped is no excuse for another."""
        self.rows += len(chunk.rows)
        digests = [as_text(_digest(values)) for values in chunk.rows]
        accepted = self._chain.accepted(digests)
        matched = self._chain.matched(list(accepted))
        partners = []
        for digest, values, fact in zip(digests, chunk.rows, chunk.facts, strict=True):
            held = accepted.get(digest)
            if held is None or digest in matched or not self._is_row_of(held, values, fact):
                self._chain.leave_row(BallotRow.of(values))
            else:
                matched.add(digest)
                partners.append(held)
        self._chain.match(partners)

    def _is_row_of(self, held: ChainBallot, values: Values, fact: Acknowledged | None) -> bool:
        """Say whether a row with a ballot's digest is that ballot's; if so, compare the two."""
        agreed = _agree(values, held)
        if agreed and self._terms.doors.knows(fact):
            return True
        row = BallotRow.of(values)
        if agreed:
            self._acknowledged(row, held, fact)
            return True
        if _same_ballot(held, row):
            self._compare(row, held, fact)
            return True
        return False

    def _compare(self, row: BallotRow, held: ChainBallot, fact: Acknowledged | None = None) -> None:
        """Compare a row with its ballot; the claims before an amendment that overtook it will do, too.

        Where the own door brought the ballot, the platform's word for it is another one: its number and time
        are held against what its door signed, not against the chain, and its number is accounted for.
        """
        settled = row.status not in _IN_FLIGHT
        second = held.door == self._terms.own_door != row.door
        if second:
            self._second_word(row, held, fact)
        for name in (*_COMPARED, *(_SETTLED if settled else ())):
            if second and name in _WORD:
                continue
            if name != "claims" or row.claims not in self._meeting.entitled.get(held.sub, ()):
                self._same(row, held, name, str(getattr(held, name)))
        if settled and row.status != "committed":
            self._add(ALTERED, row, held, "status", ("committed", row.status))
        elif not settled:
            self._on_its_way(row, held, "committed")
        self._acknowledged(row, None if second else held, fact)

    def _second_word(self, row: BallotRow, held: ChainBallot, fact: Acknowledged | None) -> None:
        """Take the platform's own number of a ballot for accounted for, if its door signed that.

        What is wrong with the signature or differs from the row, `_acknowledged` says.
        """
        door = self._terms.platform_door
        if row.door != door:
            self._add(ALTERED, row, held, "door", (door, row.door), detail="there is no such door")
            return
        try:
            word, verified = self._terms.doors.verified(row, fact)
        except Refused:
            return
        if verified and self._here(word) and word.digest == held.digest:
            self._chain.give(held.digest, word.door, word.no, f"{self._place(held)}; ballots row {row.row}")

    def _given_twice(self, *, by_digest: bool) -> None:
        for digest, number, where in self._chain.given_twice(by_digest=by_digest):
            detail = "the door gave its acknowledgement number to two ballots"
            self.found.append(Discrepancy(DUPLICATED, digest, "ack_no", "", str(number), where, detail))

    # -- second pass ----------------------------------------------------------------------------------

    def _leftover(self, row: BallotRow) -> None:
        """A row without a partner: altered, a copy, in flight, refused or made up."""
        first: ChainBallot | None = None
        for held in self._chain.candidates(row):
            first = first or held
            if row.status != "refused" and self._chain.claim(held):
                self._same(row, held, "digest", held.digest)
                self._compare(row, held)
                return
        if first is not None and row.digest == first.digest:
            self._add(DUPLICATED, row, first, "digest", (first.digest, row.digest))
        elif row.status != "committed":
            self._unaccepted(row, self._chain.refused(row.digest))
        elif first is not None and row.jws == first.jws:
            self._add(DUPLICATED, row, first, "row", ("", row.jws))
        else:
            self._made_up(row)

    def _made_up(self, row: BallotRow) -> None:
        """The platform says committed. Whether a door promised it makes the difference for its lender."""
        try:
            word, verified = self._terms.doors.verified(row)
        except Refused:
            word, verified = None, False
        if verified and word is not None and word.digest == row.digest and self._here(word):
            self._receipt(row, word)
        else:
            self._add(EXTRA, row, None, "row", ("", row.jws))

    def _unaccepted(self, row: BallotRow, refused: ChainBallot | None) -> None:
        """A row in flight, or refused: the chain must have said so by the time the meeting is closed."""
        if refused is not None and row.status == "refused":
            for name in _SIGNED:
                self._same(row, refused, name, str(getattr(refused, name)))
            self._same(row, refused, "code", refused.code)
        elif self._meeting.closed:
            self._add(LATE, row, refused, "status", (refused.code if refused else "", row.status))
        else:
            owed = "" if self._meeting.state == "void" else "a verdict"
            self._on_its_way(row, refused, refused.code if refused else "", owed=owed)
            if owed and refused is None and not self._chain.has_session(row.ses):
                self._add(WITHOUT_SESSION, row, None, "session", ("", row.ses))
        self._acknowledged(row, None)

    def _on_its_way(
        self, row: BallotRow, held: ChainBallot | None, said: str, *, owed: str = "the row's update"
    ) -> None:
        noted = held is None or held.block < self._terms.settled_height
        if owed and noted and self._terms.overdue(row.ack_time):
            detail = f"{owed} is due {self._terms.patience} s after the acknowledgement of {row.ack_time}"
            self._add(PENDING, row, held, "status", (said, row.status), detail=detail)
        else:
            self.pending += 1

    # -- ballots without a row ------------------------------------------------------------------------

    def _without_row(self, held: ChainBallot) -> None:
        if held.door == self._terms.own_door:
            return
        if held.block >= self._terms.settled_height and not self._terms.overdue(held.ack_time):
            self.pending += 1
        else:
            where = f"{self._place(held)}; no row"
            self.found.append(Discrepancy(MISSING, held.digest, "row", held.jws, "", where))

    def _gaps(self) -> None:
        """A number that a door gave out and nobody can account for is a ballot that vanished.

        Up to the last number of an accepted ballot, accounted for are those on the chain and those
        of rows that never got there. What is only claimed in a refused entry proves no later number.
        """
        for door in self._chain.doors():
            if door == self._terms.own_door:
                continue
            known = (number for number in self._chain.numbers(door) if number > 0)
            for first, after in pairwise(chain((0,), known)):
                if after - first > 1:
                    gap = str(first + 1) if after - first == _NEXT else f"{first + 1}-{after - 1}"
                    where = f"door {door}, acknowledgement {gap}"
                    self.found.append(Discrepancy(MISSING, "", "ack_no", "", gap, where))

    # -- acknowledgements -----------------------------------------------------------------------------

    def _acknowledged(
        self, row: BallotRow, held: ChainBallot | None, fact: Acknowledged | None = None
    ) -> None:
        """Compare what a door signed with the ballot on the chain, or where there is none with the row."""
        try:
            word, verified = self._terms.doors.verified(row, fact)
        except Refused as refused:
            self._add(ALTERED, row, held, "ack_jws", ("", row.ack_jws), detail=str(refused))
            return
        self.unverified += not verified
        subject = held or row
        if word.digest != subject.digest or not self._here(word):
            if verified and self._here(word) and not self._chain.holds(word.digest):
                self._receipt(row, word)
            else:
                detail = "it acknowledges another ballot"
                self._add(ALTERED, row, held, "ack_jws", (subject.digest, word.digest), detail=detail)
            return
        for name, said in (("door", word.door), ("ack_no", str(word.no)), ("ack_time", word.time)):
            expected = str(getattr(subject, name))
            if held is None and said != expected:
                self._add(ALTERED, row, None, name, (said, expected), detail=f"signed: {name}")
            elif said != expected:
                self._add(ALTERED, row, held, "ack_jws", (expected, said), detail=f"its {name}")

    def _here(self, word: Acknowledgement) -> bool:
        return (word.mtg, word.mh) == (self._meeting.mtg, self._meeting.mh)

    def _receipt(self, row: BallotRow, word: Acknowledgement) -> None:
        where = f"{self._meeting.channel}; ballots row {row.row}, acknowledgement {word.no} of {word.door}"
        detail = f"signed for {word.time}"
        self.found.append(
            Discrepancy(RECEIPT_WITHOUT_BALLOT, word.digest, "ack_no", "", str(word.no), where, detail)
        )

    # -- findings -------------------------------------------------------------------------------------

    def _same(self, row: BallotRow, held: ChainBallot, name: str, chain: str) -> None:
        platform = getattr(row, name)
        if chain != platform:
            self._add(ALTERED, row, held, name, (chain, platform))

    def _add(
        self,
        kind: str,
        row: BallotRow,
        held: ChainBallot | None,
        name: str,
        values: _Values,
        *,
        detail: str = "",
    ) -> None:
        place = self._place(held) if held else self._meeting.channel
        digest = held.digest if held else row.digest
        where = f"{place}; ballots row {row.row}"
        self.found.append(Discrepancy(kind, digest, name, *values, where, detail))

    def _place(self, held: ChainBallot) -> str:
        return f"{self._meeting.channel} block {held.block} transaction {held.tx}"


def _agree(values: Values, held: ChainBallot) -> bool:
    """Say whether a row says of a settled ballot what the chain does; if so, no text of it differs."""
    said = _said(values) == _held(held) and _status(values) == "committed"
    return said and set(map(type, _numbers(values))) == {int}


def _same_ballot(held: ChainBallot, row: BallotRow) -> bool:
    return (
        held.jws == row.jws
        or (held.sub, str(held.seq)) == (row.sub, row.seq)
        or (held.door, str(held.ack_no)) == (row.door, row.ack_no)
    )
