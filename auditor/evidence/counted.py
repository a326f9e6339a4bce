"""The ballot in its transaction: judged again by the package's records, compared with what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evidence.errors import EvidenceRefused
from auditor.replay.claimed import ACCEPTED, ResponseMalformedError, parse_claimed
from auditor.replay.effect import composite
from auditor.replay.judgement import Bench, judge
from auditor.replay.people import verify_lender
from client.encodings import merkle
from client.encodings.ballot_record import parse_ballot_record
from client.encodings.batch import RawEntry, RebuiltEntry, decode_batch
from client.encodings.entries import read_entry
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from auditor.evidence.chain import Written
    from auditor.evidence.records import Held
    from auditor.replay.people import Enrolment
    from client.encodings.ballot import SignedBallot
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.batch import Entry
    from client.encodings.entries import Candidate
    from client.encodings.leaf import Leaf

_SUBMIT = "SubmitBallots"


@dataclass(frozen=True, slots=True)
class Counted:
    """The ballot as the channel counted it: where, its record, and the enrolment relied on."""

    block: int
    tx: str
    record: BallotRecord
    enrolment: Enrolment
    entry: Entry

    @property
    def door(self) -> int:
        """Which door acknowledged it: 0 the platform's, 1 the Regulator's."""
        return self.record.door


def verify_counted(ballot: SignedBallot, held: Held, mtg: str) -> Counted:
    """Return where the channel counted the ballot, all of whose conditions hold.

    Refuse with EVIDENCE_BALLOT, EVIDENCE_CERTIFICATE, EVIDENCE_SESSION or EVIDENCE_LEAF.
    """
    written, record = _writing(ballot, held, mtg)
    enrolment = next((one for one in held.enrolments if one.rev == record.rev), None)
    if enrolment is None:
        raise EvidenceRefused("EVIDENCE_CERTIFICATE", f"there is no revision {record.rev} of the enrolment")
    try:
        verify_lender(enrolment, held.issuer)
        ballot.verify(enrolment.key())
    except Refused as error:
        code = "EVIDENCE_BALLOT" if error.code.startswith("SIGNATURE") else "EVIDENCE_CERTIFICATE"
        raise EvidenceRefused(code, error.message) from error
    candidate = _entry(written, ballot, enrolment, held)
    bench = Bench(
        meeting=held.meeting,
        cap=held.cap,
        enrolment=enrolment,
        session=held.session,
        held=None,
        session_used=False,
    )
    judged = judge(candidate, bench)
    if judged.kind != ACCEPTED:
        raise EvidenceRefused(_code_of(judged.code), judged.code)
    if record.claims != judged.claims or dict(record.votes) != dict(ballot.ballot.votes):
        raise EvidenceRefused("EVIDENCE_BALLOT", "the channel counted other votes or claims")
    if (record.seq, record.ses) != (ballot.ballot.seq, ballot.ballot.ses):
        raise EvidenceRefused("EVIDENCE_BALLOT", "the channel counted another seq or identity check")
    transaction = written.transaction
    return Counted(transaction.block, transaction.tx_id, record, enrolment, candidate.entry)


def _writing(ballot: SignedBallot, held: Held, mtg: str) -> tuple[Written, BallotRecord]:
    for one in held.channel.of(composite("ballot", mtg, ballot.ballot.sub)):
        if one.transaction.function != _SUBMIT:
            continue
        try:
            record = parse_ballot_record(one.value or b"", held.meeting)
        except ValueError as error:
            raise EvidenceRefused("EVIDENCE_RECORD", f"the ballot on the channel: {error}") from error
        if record.digest == ballot.digest:
            return one, record
    raise EvidenceRefused("EVIDENCE_BALLOT", f"no transaction of the package had {ballot.digest} accepted")


def _entry(written: Written, ballot: SignedBallot, enrolment: Enrolment, held: Held) -> Candidate:
    """Return the ballot's entry in its batch, which was accepted and is the very ballot."""
    transaction = written.transaction
    try:
        batch = decode_batch(transaction.arguments[1])
        claims = parse_claimed(transaction.response)
        for index, entry in enumerate(batch.entries):
            if not isinstance(entry, RawEntry | RebuiltEntry) or claims.of(index).kind != ACCEPTED:
                continue
            candidate = read_entry(entry, held.meeting)
            if candidate.ballot.sub != ballot.ballot.sub:
                continue
            if candidate.complete(enrolment.x5t).digest == ballot.digest:
                return candidate
    except (Refused, ResponseMalformedError, IndexError) as error:
        raise EvidenceRefused("EVIDENCE_BALLOT", f"its batch: {error}") from error
    raise EvidenceRefused("EVIDENCE_BALLOT", "its transaction doesn't bring it")


def verify_entry(  # noqa: PLR0917  an entry, and what it has to agree with
    leaf: Leaf, index: int, path: tuple[bytes, ...], ballot: SignedBallot, held: Held, counted: Counted
) -> None:
    """Refuse (EVIDENCE_LEAF) an entry that isn't this voter's, the one counted, or on the roll."""
    if (leaf.mtg, leaf.sub) != (ballot.ballot.mtg, ballot.ballot.sub):
        raise EvidenceRefused("EVIDENCE_LEAF", f"it is {leaf.sub}'s at {leaf.mtg}")
    if leaf.claims != counted.record.claims:
        raise EvidenceRefused("EVIDENCE_LEAF", "the channel counted other claims")
    roll = held.meeting.roll
    try:
        merkle.verify_path(leaf.hash(), index=index, size=roll.size, path=path, root=roll.root)
    except merkle.ProofError as error:
        raise EvidenceRefused("EVIDENCE_LEAF", str(error)) from error


def _code_of(code: str) -> str:
    for begins, evidence in (
        ("SESSION", "EVIDENCE_SESSION"),
        ("KEY", "EVIDENCE_CERTIFICATE"),
        ("ENROLMENT", "EVIDENCE_CERTIFICATE"),
        ("ROLL", "EVIDENCE_LEAF"),
    ):
        if code.startswith(begins):
            return evidence
    return "EVIDENCE_BALLOT"
