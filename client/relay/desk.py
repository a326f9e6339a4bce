"""The acknowledgement desk: where a lender hands in a signed ballot and gets a signed word for it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from client.encodings import certificates, times
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.agency import signer_of
from client.encodings.ballot import check_ballot_against, parse_ballot, votes_json
from client.encodings.batch import encode_entry
from client.encodings.entries import Candidate, amended_entry, compact_entry, raw_entry, read_entry
from client.encodings.errors import Refused
from client.encodings.judge import (
    Accepted,
    Context,
    HeldBallot,
    Pending,
    check_history,
    check_session,
    check_time,
    judge,
)
from client.encodings.leaf import claims_json
from client.platform.models import AckCounter
from client.platform.registers import DatabaseRecords, load_meeting, roll_entries
from client.platform.times import now
from client.relay.backlog import Backlog
from client.relay.enqueue import Queued, enqueue
from client.relay.errors import DeskBusy
from client.relay.lookups import Acknowledged, Found, History, acknowledged_before, proxies_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from sqlalchemy.orm import Session as DatabaseSession

    from client.encodings.ballot import SignedBallot
    from client.encodings.batch import Entry
    from client.encodings.leaf import Leaf
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.records import Session
    from client.platform import Database
    from client.platform.registers import MeetingFile
    from client.platform.times import Clock
    from client.relay.lookups import Mandates, Records, RollAmendments

__all__ = ["SETTLE_SECONDS", "Acknowledged", "AcknowledgementDesk", "Answer", "DoorSigner"]

SETTLE_SECONDS = 24 * 3600
"""How long after closing a door goes on trying to bring an acknowledged ballot to the channel."""

Answer = Acknowledged | Refused | DeskBusy


@dataclass(frozen=True, slots=True)
class DoorSigner:
    """A door's relay identity: its MSP, and the key and certificate (DER) that sign its word."""

    msp: str
    certificate: bytes
    key: EllipticCurvePrivateKey

    @property
    def x5t(self) -> str:
        """The certificate's thumbprint."""
        return certificates.thumbprint(self.certificate)


class AcknowledgementDesk:
    """Takes ballots for one meeting at one door. Thread-safe; several may run on one database.

    A ballot gets every check that the chaincode will make, so that an acknowledged one is refused there
    only if something changed meanwhile. Ballot, number and outbox row are written together, or not at all.
    With a `bound`, a desk whose door has that many ballots outstanding takes no more for the moment.
    """

    def __init__(
        self,
        database: Database,
        mtg: str,
        signer: DoorSigner,
        *,
        records: Records | None = None,
        mandates: Mandates | None = None,
        amendments: RollAmendments | None = None,
        bound: int | None = None,
        clock: Clock = now,
        wall: Callable[[], float] = time.time,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the meeting and its roll; raise UserError where there is none.

        Without `mandates` to look up, a proxy's ballot waits for its mandate; without `amendments` the roll
        is taken as it was frozen. `taken` is called after each acknowledgement (a relay's `wake`).
        """
        self._database = database
        self._file: MeetingFile = load_meeting(database, mtg)
        self._signer = signer
        self._x5t = signer.x5t
        self._records = records or DatabaseRecords(database)
        self._mandates = mandates
        self._amendments = amendments
        self._backlog = Backlog(database, mtg, signer.msp, bound)
        self._clock = clock
        self._wall = wall
        self._taken = taken

    def accept(self, compact: str) -> Acknowledged:
        """Acknowledge a ballot given as compact JWS.

        Raises Refused with the first check's code that fails, DeskBusy when too many are outstanding:
        then nothing was stored. The same ballot (by digest) gets the same acknowledgement again, also
        after closing and when the desk is busy.
        """
        answer = self.accept_many([compact])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def accept_many(self, ballots: Sequence[str]) -> list[Answer]:
        """Acknowledge several ballots in one transaction; each gets its own answer, in order."""
        judged = self._judge(ballots)
        if any(isinstance(one, _Judged) for one in judged):
            answers = self._write(judged)
            self._taken()
            return answers
        return [one for one in judged if not isinstance(one, _Judged)]

    # -- outside the transaction: everything that takes time -------------------------------------------

    def _judge(self, ballots: Sequence[str]) -> list[_Judged | Answer]:
        read = [self._read(compact) for compact in ballots]
        found = self._look_up([one for one in read if not isinstance(one, Refused)])
        self._backlog.refresh()
        busy = self._busy() if self._backlog.room() == 0 else None
        seconds = int(self._clock().timestamp())
        return [one if isinstance(one, Refused) else self._examine(one, found, busy, seconds) for one in read]

    def _read(self, compact: str) -> SignedBallot | Refused:
        try:
            signed = parse_ballot(compact)
            check_ballot_against(signed.ballot, self._file.meeting)
        except Refused as refused:
            return refused.with_traceback(None)
        return signed

    def _look_up(self, ballots: Sequence[SignedBallot]) -> Found:
        mtg, institution = self._file.meeting.mtg, self._file.meeting.institution
        subs = {signed.ballot.sub for signed in ballots}
        proxied = [signed for signed in ballots if signed.ballot.prx is not None]
        mandates = self._look_up_mandates({signed.ballot.sub for signed in proxied})
        with self._database.read() as session:
            known = acknowledged_before(session, mtg, self._signer.msp, (one.digest for one in ballots))
            proxies = proxies_of(session, mtg, (one.digest for one in proxied))
        signers = {
            one.digest: signer_of(one.ballot, mandates.get(one.ballot.sub), proxies.get(one.digest))
            for one in ballots
        }
        return Found(
            known,
            roll_entries(self._database, mtg, subs),
            self._records.enrolments(set(signers.values()), institution),
            self._records.sessions({signed.ballot.ses for signed in ballots}),
            mandates,
            signers,
            {} if self._amendments is None or not ballots else self._amendments.amended(institution, mtg),
        )

    def _look_up_mandates(self, principals: set[str]) -> dict[str, MandateRecord]:
        meeting = self._file.meeting
        if self._mandates is None or not meeting.proxies:
            return {}
        found = {sub: self._mandates.mandate(meeting.institution, meeting.mtg, sub) for sub in principals}
        return {sub: mandate for sub, mandate in found.items() if mandate is not None}

    def _examine(
        self, signed: SignedBallot, found: Found, busy: DeskBusy | None, seconds: int
    ) -> _Judged | Answer:
        known, enrolment = found.known.get(signed.digest), found.enrolments.get(found.signers[signed.digest])
        try:
            if known is not None and enrolment is not None:
                signed.verify(certificates.public_key(enrolment.certificate))
                return known
            return busy or self._check(signed, found, seconds)
        except Refused as refused:
            return refused.with_traceback(None)

    def _check(self, signed: SignedBallot, found: Found, seconds: int) -> _Judged:
        meeting = self._file.meeting
        amended = found.amended.get(signed.ballot.sub)
        if amended is not None:
            entry = self._amended_entry(signed, seconds)
        elif signed.ballot.sub in found.places:
            index, leaf = found.places[signed.ballot.sub]
            entry = self._entry(signed, leaf, index, seconds)
        else:
            raise Refused("ROLL_LEAF_FOREIGN", "this pseudonym is not on the meeting's roll")
        session = found.sessions.get(signed.ballot.ses)
        signer, mandate = found.signers[signed.digest], found.mandates.get(signed.ballot.sub)
        enrolment = found.enrolments.get(signer)
        context = Context(meeting, self._file.cap, enrolment, session, amended=amended, mandate=mandate)
        verdict = judge(Candidate(entry, signed.ballot, signed), context)
        if not isinstance(verdict, Accepted) or session is None:
            raise Refused(verdict.code if isinstance(verdict, Pending) else "SESSION_NOT_FOUND")
        return _Judged(signed, verdict.leaf, entry, session, signer, mandate)

    def _amended_entry(self, signed: SignedBallot, seconds: int) -> Entry:
        """Return the entry of a voter whose leaf an amendment has: as `_entry`, but it proves nothing."""
        meeting = self._file.meeting
        amended = amended_entry(signed, meeting, ack_no=1, ack_time=seconds)
        if read_entry(amended, meeting).ballot == signed.ballot:
            return amended
        return raw_entry(signed.compact, b"", index=0, proof=(), ack_no=1, ack_time=seconds)

    def _entry(self, signed: SignedBallot, leaf: Leaf, index: int, seconds: int) -> Entry:
        """Return the compact entry, or the raw one where the compact doesn't give the ballot back exactly.

        The acknowledgement's number is filled in when there is one.
        """
        meeting = self._file.meeting
        proof = self._file.tree.run_path(index, meeting.roll.cap_height)
        compact = compact_entry(signed, meeting, leaf, index=index, proof=proof, ack_no=1, ack_time=seconds)
        # A payload is a function of its ballot, and the header one of the key.
        if read_entry(compact, meeting).ballot == signed.ballot:
            return compact
        return raw_entry(signed.compact, leaf.encode(), index=index, proof=proof, ack_no=1, ack_time=seconds)

    # -- within the transaction -----------------------------------------------------------------------

    def _write(self, judged: Sequence[_Judged | Answer]) -> list[Answer]:
        try:
            with self._database.write() as session:
                return self._acknowledge(session, judged)
        except IntegrityError:
            # Where writers don't queue, another door took one of these very ballots meanwhile: now it shows.
            with self._database.write() as session:
                return self._acknowledge(session, judged)

    def _acknowledge(self, session: DatabaseSession, judged: Sequence[_Judged | Answer]) -> list[Answer]:
        mtg, door = self._file.meeting.mtg, self._signer.msp
        counter = self._counter(session)
        new = [one.signed for one in judged if isinstance(one, _Judged)]
        known = acknowledged_before(session, mtg, door, (signed.digest for signed in new))
        history = History.of(session, mtg, new)
        # The time is taken under the lock, so that it rises with the numbers; what depends on it is
        # asked again.
        seconds, room = int(self._clock().timestamp()), self._backlog.room()
        answers: list[Answer] = []
        queued: list[Queued] = []
        for one in judged:
            if not isinstance(one, _Judged):
                answers.append(one)
            elif one.signed.digest in known:
                answers.append(known[one.signed.digest])
            elif room is not None and len(queued) >= room:
                answers.append(self._busy())
            else:
                try:
                    self._check_again(one, history, seconds)
                except Refused as refused:
                    answers.append(refused.with_traceback(None))
                    continue
                counter.last += 1
                taken, row = self._sign(one, counter.last, seconds)
                known[taken.digest] = taken
                history.add(row.sub, one.as_held())
                answers.append(taken)
                queued.append(row)
        deadline = self._file.meeting.closes + SETTLE_SECONDS
        enqueue(session, queued, mtg=mtg, door=door, deadline=deadline, wall=self._wall())
        self._backlog.added(len(queued))
        return answers

    def _check_again(self, judged: _Judged, history: History, seconds: int) -> None:
        signed, meeting = judged.signed, self._file.meeting
        if signed.digest in history.refused:  # by another door on this database: each ballot has one row
            raise Refused(history.refused[signed.digest], "the channel refused this very ballot before")
        check_time(seconds, meeting)
        check_session(judged.session, signed, meeting, seconds, signer=judged.signer)
        before = Context(
            meeting,
            self._file.cap,
            enrolment=None,
            session=None,
            held=history.latest.get(signed.ballot.sub),
            session_used=history.users.get(signed.ballot.ses),
            mandate=judged.mandate,
        )
        check_history(signed, before)

    def _sign(self, judged: _Judged, no: int, seconds: int) -> tuple[Acknowledged, Queued]:
        signed, meeting, moment = judged.signed, self._file.meeting, times.form(seconds)
        word = Acknowledgement(meeting.mh, meeting.mtg, signed.digest, self._signer.msp, no, moment)
        ack = sign_acknowledgement(word, self._x5t, self._signer.key).compact
        row: dict[str, Any] = {
            "seq": signed.ballot.seq,
            "digest": signed.digest,
            "jws": signed.compact,
            "choices": _plain(votes_json(signed.ballot.votes)),
            "claims": _plain(claims_json(judged.leaf.claims)),
            "ses": signed.ballot.ses,
            "proxy": judged.proxy,
            "ack_no": no,
            "ack_time": moment,
            "ack_jws": ack,
            "created_at": moment,
        }
        queued = Queued(
            signed.ballot.sub, row, encode_entry(replace(judged.entry, ack_no=no, ack_time=seconds))
        )
        return Acknowledged(signed.digest, no, moment, ack), queued

    def _counter(self, session: DatabaseSession) -> AckCounter:
        """Lock this door's counter, so that numbers are given one by one and history can't change."""
        key = (self._file.meeting.mtg, self._signer.msp)
        first = text(
            "INSERT INTO ack_counters (mtg, door, last) VALUES (:mtg, :door, 0) ON CONFLICT DO NOTHING"
        )
        session.execute(first, {"mtg": key[0], "door": key[1]})
        return session.get_one(AckCounter, key, with_for_update=True)

    def _busy(self) -> DeskBusy:
        return DeskBusy(self._file.meeting.mtg, self._backlog.retry_after(self._wall()))


def _plain(value: Any) -> str:
    """Return the JCS of ids, names and amounts: lower-case ASCII and integers, so nothing needs escaping."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Judged:
    """A ballot that passed every check but those on history."""

    signed: SignedBallot
    leaf: Leaf
    entry: Entry  # with a number and a time that aren't the acknowledgement's yet
    session: Session
    signer: str
    mandate: MandateRecord | None

    @property
    def proxy(self) -> str | None:
        """Return the signer where it is not the voter."""
        return None if self.signed.ballot.prx is None else self.signer

    def as_held(self) -> HeldBallot:
        """Return what the channel will hold of it."""
        content = self.signed.ballot
        return HeldBallot(content.seq, self.signed.digest, content.ses, self.proxy)
