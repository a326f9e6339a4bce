"""The acknowledgement desk: where a lender hands in a signed ballot and gets a signed word for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select, text

from client.encodings import certificates, jcs, times
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.ballot import check_ballot_against, parse_ballot, votes_json
from client.encodings.batch import encode_entry
from client.encodings.entries import Candidate, compact_entry, raw_entry, read_entry
from client.encodings.errors import Refused
from client.encodings.judge import (
    Context,
    HeldBallot,
    Pending,
    check_history,
    check_session,
    check_time,
    judge,
)
from client.encodings.leaf import claims_json
from client.platform.models import AckCounter, Ballot
from client.platform.registers import DatabaseRecords, load_meeting, roll_entry
from client.platform.times import now, to_text
from client.relay.outbox import enqueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from sqlalchemy.orm import Session as DatabaseSession

    from client.encodings.ballot import SignedBallot
    from client.encodings.leaf import Leaf
    from client.encodings.records import Enrolment, Session
    from client.platform import Database
    from client.platform.registers import MeetingFile
    from client.platform.times import Clock

SETTLE_SECONDS = 24 * 3600
"""How long after closing a door goes on trying to bring an acknowledged ballot to the channel."""


class Records(Protocol):
    """Where a desk looks up voters and their identity checks: its own database, or the channel."""

    def enrolment(self, sub: str, institution: str) -> Enrolment | None:
        """Return a pseudonym's enrolment, None where there is none."""

    def session(self, ses: str) -> Session | None:
        """Return an identity check, None where there is none."""


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


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A ballot that the door took: its digest, number and time, and the signed acknowledgement (JWS)."""

    digest: str
    no: int
    time: str
    ack: str


class AcknowledgementDesk:
    """Takes ballots for one meeting at one door. Thread-safe; several may run on one database.

    A ballot gets every check that the chaincode will make, so that an acknowledged one is refused there
    only if something changed meanwhile. Ballot, number and outbox row are written together, or not at all.
    """

    def __init__(
        self,
        database: Database,
        mtg: str,
        signer: DoorSigner,
        *,
        records: Records | None = None,
        clock: Clock = now,
        wall: Callable[[], float] = time.time,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the meeting and its roll; raise UserError where there is none.

        `taken` is called after each acknowledgement (a relay's `wake`).
        """
        self._database = database
        self._file: MeetingFile = load_meeting(database, mtg)
        self._signer = signer
        self._records = records or DatabaseRecords(database)
        self._clock = clock
        self._wall = wall
        self._taken = taken

    def accept(self, compact: str) -> Acknowledged:
        """Acknowledge a ballot given as compact JWS; raise Refused with the first check's code that fails.

        The same ballot (by digest) gets the same acknowledgement again, also after closing.
        """
        answer = self.accept_many([compact])[0]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def accept_many(self, ballots: Sequence[str]) -> list[Acknowledged | Refused]:
        """Acknowledge several ballots in one transaction; each gets its own answer, in order."""
        judged = [self._judge(compact) for compact in ballots]
        if all(isinstance(answer, Refused | Acknowledged) for answer in judged):
            return [answer for answer in judged if not isinstance(answer, _Judged)]
        answers: list[Acknowledged | Refused] = []
        with self._database.write() as session:
            counter = self._counter(session)
            for answer in judged:
                if isinstance(answer, _Judged):
                    answers.append(self._acknowledge(session, counter, answer))
                else:
                    answers.append(answer)
        self._taken()
        return answers

    # -- outside the transaction: everything that takes time -------------------------------------------

    def _judge(self, compact: str) -> _Judged | Acknowledged | Refused:
        try:
            signed = parse_ballot(compact)
            check_ballot_against(signed.ballot, self._file.meeting)
            enrolment = self._records.enrolment(signed.ballot.sub, self._file.meeting.institution)
            with self._database.read() as session:
                known = self._known(session, signed.digest)
            if known is not None and enrolment is not None:
                signed.verify(certificates.public_key(enrolment.certificate))
                return known
            return self._check(signed, enrolment)
        except Refused as refused:
            return refused.with_traceback(None)

    def _check(self, signed: SignedBallot, enrolment: Enrolment | None) -> _Judged:
        meeting = self._file.meeting
        found = roll_entry(self._database, meeting.mtg, signed.ballot.sub)
        if found is None:
            raise Refused("ROLL_LEAF_FOREIGN", "this pseudonym is not on the meeting's roll")
        index, leaf = found
        proof = self._file.tree.run_path(index, meeting.roll.cap_height)
        seconds = int(self._clock().timestamp())
        entry = raw_entry(signed.compact, leaf.encode(), index=index, proof=proof, ack_no=1, ack_time=seconds)
        session = self._records.session(signed.ballot.ses)
        context = Context(meeting, self._file.cap, enrolment, session)
        verdict = judge(Candidate(entry, signed.ballot, signed), context)
        if isinstance(verdict, Pending) or session is None:
            raise Refused(verdict.code if isinstance(verdict, Pending) else "SESSION_NOT_FOUND")
        return _Judged(signed, leaf, index, proof, session)

    # -- within the transaction -----------------------------------------------------------------------

    def _acknowledge(
        self, session: DatabaseSession, counter: AckCounter, judged: _Judged
    ) -> Acknowledged | Refused:
        signed, meeting = judged.signed, self._file.meeting
        known = self._known(session, signed.digest)
        if known is not None:
            return known
        # The time is taken under the lock, so that it rises with the numbers; what depends on it is
        # asked again.
        seconds = int(self._clock().timestamp())
        try:
            check_time(seconds, meeting)
            check_session(judged.session, signed, meeting, seconds)
            check_history(signed, self._history(session, signed))
        except Refused as refused:
            return refused.with_traceback(None)
        counter.last += 1
        moment = times.form(seconds)
        ack = sign_acknowledgement(
            Acknowledgement(meeting.mh, meeting.mtg, signed.digest, self._signer.msp, counter.last, moment),
            self._signer.x5t,
            self._signer.key,
        )
        ballot = Ballot(
            mtg=meeting.mtg,
            sub=signed.ballot.sub,
            seq=signed.ballot.seq,
            digest=signed.digest,
            jws=signed.compact,
            choices=jcs.dumps(votes_json(signed.ballot.votes)).decode(),
            claims=jcs.dumps(claims_json(judged.leaf.claims)).decode(),
            ses=signed.ballot.ses,
            door=self._signer.msp,
            ack_no=counter.last,
            ack_time=moment,
            ack_jws=ack.compact,
            status="queued",
            created_at=to_text(self._clock()),
        )
        session.add(ballot)
        session.flush()
        entry = self._entry(judged, counter.last, seconds)
        enqueue(session, ballot, entry, deadline=meeting.closes + SETTLE_SECONDS, wall=self._wall())
        return Acknowledged(signed.digest, counter.last, moment, ack.compact)

    def _entry(self, judged: _Judged, ack_no: int, ack_time: int) -> bytes:
        """Return the compact entry, or the raw one where the compact doesn't give the ballot back exactly."""
        signed, meeting = judged.signed, self._file.meeting
        compact = compact_entry(
            signed,
            meeting,
            judged.leaf,
            index=judged.index,
            proof=judged.proof,
            ack_no=ack_no,
            ack_time=ack_time,
        )
        rebuilt = read_entry(compact, meeting).complete(signed.jws.x5t)
        if rebuilt.jws.signing_input == signed.jws.signing_input:
            return encode_entry(compact)
        leaf = judged.leaf.encode()
        return encode_entry(
            raw_entry(
                signed.compact,
                leaf,
                index=judged.index,
                proof=judged.proof,
                ack_no=ack_no,
                ack_time=ack_time,
            )
        )

    def _counter(self, session: DatabaseSession) -> AckCounter:
        """Lock this door's counter, so that numbers are given one by one and history can't change."""
        key = (self._file.meeting.mtg, self._signer.msp)
        first = text(
            "INSERT INTO ack_counters (mtg, door, last) VALUES (:mtg, :door, 0) ON CONFLICT DO NOTHING"
        )
        session.execute(first, {"mtg": key[0], "door": key[1]})
        return session.get_one(AckCounter, key, with_for_update=True)

    def _known(self, session: DatabaseSession, digest: str) -> Acknowledged | None:
        mine = select(Ballot).where(Ballot.mtg == self._file.meeting.mtg, Ballot.digest == digest)
        row = session.scalars(mine.where(Ballot.door == self._signer.msp)).one_or_none()
        return None if row is None else Acknowledged(row.digest, row.ack_no, row.ack_time, row.ack_jws)

    def _history(self, session: DatabaseSession, signed: SignedBallot) -> Context:
        """Return what this voter's ballots will be on the channel when those before have arrived."""
        counting = select(Ballot).where(Ballot.mtg == self._file.meeting.mtg, Ballot.status != "refused")
        latest = counting.where(Ballot.sub == signed.ballot.sub).order_by(Ballot.seq.desc()).limit(1)
        row = session.scalars(latest).one_or_none()
        user = session.scalars(counting.where(Ballot.ses == signed.ballot.ses).limit(1)).one_or_none()
        return Context(
            self._file.meeting,
            self._file.cap,
            enrolment=None,
            session=None,
            held=None if row is None else HeldBallot(row.seq, row.digest, row.ses),
            session_used=None if user is None else user.digest,
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A ballot that passed every check but those on history."""

    signed: SignedBallot
    leaf: Leaf
    index: int
    proof: tuple[bytes, ...]
    session: Session
