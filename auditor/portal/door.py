"""The second door: takes a signed ballot that the platform didn't, and gives the Regulator's word for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from auditor.log.service_db import DoorBook, TakenBallot
from auditor.log.service_db.taken import outstanding
from auditor.members import NotAMember
from auditor.portal.errors import PortalRefused
from auditor.portal.keys import lender_key
from auditor.portal.officers import member_of
from auditor.portal.words import Words
from auditor.replay.judgement import judge
from client.encodings import certificates, times
from client.encodings.acknowledgement import Acknowledgement, parse_acknowledgement, sign_acknowledgement
from client.encodings.ballot import check_ballot_against, parse_ballot
from client.encodings.ballot_record import BallotRecord
from client.encodings.batch import encode_entry
from client.encodings.entries import Candidate, amended_entry, raw_entry
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from auditor.log.service_db import ServiceDatabase
    from auditor.members import Membership
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.place import Place
    from auditor.portal.watch import Watcher
    from auditor.replay.judgement import Bench, Judgement
    from client.encodings.acknowledgement import SignedAcknowledgement
    from client.encodings.ballot import SignedBallot
    from client.encodings.batch import Entry

_LOG = logging.getLogger(__name__)
BOUND: Final = 5000
"""Ballots that may be on their way before the door asks to come back later."""
_RETRY_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class DoorKey:
    """The Regulator's relay: MSP, certificate (DER) and key; it brings batches and signs acknowledgements."""

    msp: str
    certificate: bytes
    key: EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Handed:
    """What somebody hands in: the ballot's JWS, the voter's place on the roll (None for a lender whom an
    amendment added), and the platform's acknowledgement where there is one in hand, with the certificate
    (DER) of the relay that signed it where the channel doesn't show its key yet.
    """  # noqa: D205  one sentence

    ballot: str
    place: Place | None
    platform_ack: str = ""
    platform_certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Word:
    """The door's answer: its acknowledgement, and what became of the ballot so far.

    `status` is queued, accepted or refused, as the service's own replay has it where it got that far.
    """

    digest: str
    number: int
    time: str
    acknowledgement: str
    status: str
    code: str = ""
    tx: str = ""
    block: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"v": 1} | {name: getattr(self, name) for name in self.__slots__}


class SecondDoor:
    """Takes ballots for every meeting of the verified channels. Thread-safe.

    A ballot gets every check that the chain will make, by the auditor's own judgement and from its own
    replay. Number, acknowledgement and ballot are durable together before anybody is answered.
    """

    def __init__(
        self,
        watcher: Watcher,
        database: ServiceDatabase,
        key: DoorKey,
        *,
        clock: Callable[[], datetime],
        bound: int = BOUND,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`taken` is called after each acknowledgement, to wake whoever carries."""
        self.key = key
        self.words = Words(database)
        self._watcher = watcher
        self._database = database
        self._clock = clock
        self._bound = bound
        self._taken = taken
        self._x5t = certificates.thumbprint(key.certificate)

    def accept(self, facts: MeetingFacts, handed: Handed) -> Word:
        """Acknowledge a ballot; the same one (by digest) gets the same word again, also after the close.

        Refused with the first check's code that fails; PortalRefused with DOOR_BUSY or DOOR_CLOSED where
        nothing can be taken for the moment. Then nothing was stored.
        """
        signed = parse_ballot(handed.ballot)
        check_ballot_against(signed.ballot, facts.meeting)
        known = self.find(facts, signed.digest)
        if known is not None:
            enrolment = self._watcher.bench(facts.channel, _candidate(signed, handed, facts)).enrolment
            if enrolment is None:
                raise Refused("ENROLMENT_NOT_FOUND")
            signed.verify(lender_key(enrolment))
            return known
        # A finding closes nothing: who can bring one about would shut out whom the other door turned away.
        if self._watcher.behind or self._watcher.broken(facts.channel):
            raise PortalRefused("DOOR_CLOSED", retry_after=_RETRY_SECONDS)
        if self._waiting() >= self._bound:
            raise PortalRefused("DOOR_BUSY", retry_after=_RETRY_SECONDS)
        word = self._take(facts, handed, signed)
        self._taken()
        return word

    def find(self, facts: MeetingFacts, digest: str) -> Word | None:
        """Return the word given for a ballot, None where none was."""
        with self._database.read() as connection:
            row = DoorBook(connection, facts.channel, facts.mtg).find(digest)
        return None if row is None else _word(row, facts)

    def counts(self, facts: MeetingFacts) -> dict[str, int]:
        """Return how many ballots the door took, and what became of them."""
        with self._database.read() as connection:
            return DoorBook(connection, facts.channel, facts.mtg).counts()

    def _waiting(self) -> int:
        with self._database.read() as connection:
            return sum(count for *_, count in outstanding(connection))

    def _take(self, facts: MeetingFacts, handed: Handed, signed: SignedBallot) -> Word:
        in_hand = self._in_hand(facts, handed, signed)
        candidate = _candidate(signed, handed, facts)
        bench = self._watcher.bench(facts.channel, candidate)
        with self._database.write() as connection:
            book = DoorBook(connection, facts.channel, facts.mtg)
            book.lock()
            again = book.find(signed.digest)
            if again is not None:
                return _word(again, facts)
            ack = self._acknowledge(facts, book, signed.digest, in_hand)
            _verify_open(facts, ack.ack.seconds)
            entry = _entry(signed, handed, facts, bench, ack.ack)
            judged = _judged(Candidate(entry, signed.ballot, signed), bench, book.of_voter(signed.ballot.sub))
            other = in_hand is not None and in_hand.ack.door != self.key.msp
            row = TakenBallot(
                channel=facts.channel,
                mtg=facts.mtg,
                number=ack.ack.no,
                digest=signed.digest,
                sub=signed.ballot.sub,
                jws=signed.compact,
                proxy=judged.proxy,
                entry=encode_entry(entry),
                ack_time=ack.ack.time,
                ack=ack.compact,
                platform_ack=handed.platform_ack if other else "",
            )
            book.add(row)
        return _word(row, facts)

    def _acknowledge(
        self, facts: MeetingFacts, book: DoorBook, digest: str, in_hand: SignedAcknowledgement | None
    ) -> SignedAcknowledgement:
        """Return the word for a ballot; asked for under the book's lock, so that times rise with the numbers.

        A word in hand from before now makes it that early. A number that the chain has is never given again.
        A word of this door's own that its book doesn't know, as after a loss of the database, stands again.
        """
        seconds = int(self._clock().timestamp())
        if in_hand is not None and in_hand.ack.door == self.key.msp:
            if not book.has_number(in_hand.ack.no) and not _has_number(facts, in_hand.ack):
                return in_hand
            _LOG.warning("%s: %s: number %d was given twice", facts.channel, facts.mtg, in_hand.ack.no)
        if in_hand is not None:
            seconds = min(seconds, in_hand.ack.seconds)
        number = max(book.last_number(), facts.last_number) + 1
        word = Acknowledgement(facts.meeting.mh, facts.mtg, digest, self.key.msp, number, times.form(seconds))
        return sign_acknowledgement(word, self._x5t, self.key.key)

    def _in_hand(
        self, facts: MeetingFacts, handed: Handed, signed: SignedBallot
    ) -> SignedAcknowledgement | None:
        """Return a door's signed word that it took this ballot, None where there is no word in hand.

        Refuse with the code of what is wrong with it: ACK_FORMAT and the JWS codes, ACK_MISMATCH,
        KEY_FOREIGN where no relay that brought ballots to the channel signed it, SIGNATURE_INVALID,
        ACK_CONTRADICTED where that door said otherwise before.
        """
        if not handed.platform_ack:
            return None
        other = parse_acknowledgement(handed.platform_ack)
        other.verify_for(signed)
        if other.ack.door == self.key.msp and other.jws.x5t == self._x5t:
            other.verify(certificates.public_key(self.key.certificate))
            return other
        key = self._watcher.door_key(facts.channel, other.ack.door, other.jws.x5t)
        if key is None:
            membership = self._watcher.membership(facts.channel)
            key = _relay_key(membership, other.ack.door, other.jws.x5t, handed.platform_certificate)
        other.verify(key)
        if other.ack.door != self.key.msp:  # of its own numbers, times don't rise: it took over earlier ones
            self.words.take(facts, other)
        return other


def _has_number(facts: MeetingFacts, word: Acknowledgement) -> bool:
    """Say whether the word's door brought another ballot under its number."""
    with facts.brought() as brought:
        return any(one.digest != word.digest for one in brought.under(word.door, word.no))


def _relay_key(membership: Membership, door: str, x5t: str, certificate: bytes) -> EllipticCurvePublicKey:
    """Return the key of a door's relay that has brought nothing yet; refuse (KEY_FOREIGN) anybody else's."""
    if not certificate or certificates.thumbprint(certificate) != x5t:
        raise Refused("KEY_FOREIGN", "no relay of that door is known on the channel")
    try:
        member = member_of(membership, door, certificate)
    except NotAMember as error:
        raise Refused("KEY_FOREIGN", "it is no member's certificate") from error
    if member.attributes.get("role") != "relay":
        raise Refused("KEY_FOREIGN", "it is no relay's certificate")
    return member.key


def _verify_open(facts: MeetingFacts, seconds: int) -> None:
    """Refuse a meeting that takes nothing; while closing it takes what was acknowledged in time."""
    if facts.state == "open" or (facts.state == "closing" and seconds <= facts.meeting.closes):
        return
    late = facts.state == "closing"
    raise Refused("BALLOT_LATE" if late else "MEETING_NOT_OPEN", facts.state)


def _candidate(signed: SignedBallot, handed: Handed, facts: MeetingFacts) -> Candidate:
    """Return the ballot as a candidate whose place, number and time are not settled yet."""
    leaf = handed.place.leaf.encode() if handed.place else b""
    entry = raw_entry(signed.compact, leaf, index=0, proof=(), ack_no=1, ack_time=facts.meeting.opens)
    return Candidate(entry, signed.ballot, signed)


def _entry(
    signed: SignedBallot, handed: Handed, facts: MeetingFacts, bench: Bench, ack: Acknowledgement
) -> Entry:
    if bench.amended is not None:
        return amended_entry(signed, facts.meeting, ack_no=ack.no, ack_time=ack.seconds)
    if handed.place is None:
        raise Refused("ROLL_PROOF", "the voter's place on the roll is needed")
    place = handed.place
    if (place.leaf.mtg, place.leaf.sub) != (signed.ballot.mtg, signed.ballot.sub):
        raise Refused("ROLL_LEAF_FOREIGN")
    proof = place.run_path(facts.meeting, bench.cap)
    leaf = place.leaf.encode()
    return raw_entry(
        signed.compact, leaf, index=place.index, proof=proof, ack_no=ack.no, ack_time=ack.seconds
    )


def _judged(candidate: Candidate, bench: Bench, before: list[TakenBallot]) -> Judgement:
    """Judge against the chain and the voter's ballots on their way there; refuse unless it counts."""
    judged = judge(candidate, bench)
    for row in before:
        other = parse_ballot(row.jws).ballot
        held = BallotRecord(
            door=1,
            ack_no=row.number,
            ack_time=times.parse(row.ack_time),
            claims=judged.claims,
            digest=row.digest,
            rev=judged.revision,
            seq=other.seq,
            ses=other.ses,
            votes=other.votes,
            proxy=row.proxy or None,
        )
        if judged.kind == "accepted" and (bench.held is None or bench.held.seq <= other.seq):
            judged = judge(candidate, replace(bench, held=held))
        if other.ses == candidate.ballot.ses and row.digest != (judged.signed and judged.signed.digest):
            raise Refused("SESSION_USED")
    if judged.kind == "held":
        return judged
    if judged.kind != "accepted":
        raise Refused(judged.code)
    return judged


def _word(row: TakenBallot, facts: MeetingFacts) -> Word:
    """Return the word for a row; what the replay has of it prevails over what was noted."""
    status, code, tx, block = row.status, row.code, row.tx, None
    on_chain = facts.accepted.get(row.digest) or facts.refused.get(row.digest)
    if on_chain is not None:
        status = "refused" if on_chain.code else "accepted"
        code, tx, block = on_chain.code, on_chain.tx, on_chain.block
    return Word(row.digest, row.number, row.ack_time, row.ack, status, code, tx, block)
