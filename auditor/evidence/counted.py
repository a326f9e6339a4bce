"""The ballot in its transaction: judged again by the package's records, compared with what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evidence.agency import mandate_at, verify_mandates
from auditor.evidence.amended import overlay_at
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
    from collections.abc import Sequence

    from auditor.evidence.chain import Written
    from auditor.evidence.records import Held
    from auditor.replay.people import Enrolment
    from client.encodings.amendment import Amended
    from client.encodings.ballot import SignedBallot
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.batch import Entry
    from client.encodings.entries import Candidate
    from client.encodings.leaf import Leaf

_SUBMIT = "SubmitBallots"
OnRoll = tuple["Leaf", int, tuple[bytes, ...]]
"""A roll entry, its number and its path to the root."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The ballot as the channel counted it: where, its record, and the enrolment relied on.

    `amended` is what amendments had made of the voter's entry by then, None where the roll's leaf stood.
    `last` is the voter's record as the package's blocks leave it: another ballot's where that took this one's
    place, with other claims where an amendment changed them since.
    """

    block: int
    tx: str
    record: BallotRecord
    enrolment: Enrolment
    entry: Entry
    amended: Amended | None
    last: BallotRecord

    @property
    def stands(self) -> bool:
        """Say whether no later ballot of the package's blocks took this one's place."""
        return self.last.digest == self.record.digest

    @property
    def reweighed(self) -> BallotRecord | None:
        """The record with what an amendment made of it since, None where it stands as it was counted."""
        return self.last if self.stands and self.last != self.record else None

    @property
    def door(self) -> int:
        """Which door acknowledged it: 0 the platform's, 1 the Regulator's."""
        return self.record.door


def verify_counted(ballot: SignedBallot, held: Held, mtg: str) -> Counted:
    """Return where the channel counted the ballot, all of whose conditions hold.

    Refuse with EVIDENCE_BALLOT, EVIDENCE_MANDATE, EVIDENCE_CERTIFICATE, EVIDENCE_SESSION or EVIDENCE_LEAF.
    """
    verify_mandates(held.mandates, held.voter, held.issuer, held.meeting)
    history = _history(ballot, held, mtg)
    number = _writing(ballot, history)
    (written, record), before = history[number], [one for _, one in history[:number]]
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
    amended = overlay_at(held.amendments, written.place).lenders.get(ballot.ballot.sub)
    bench = Bench(
        meeting=held.meeting,
        cap=held.cap,
        enrolment=enrolment,
        session=held.session,
        held=before[-1] if before else None,
        session_used=any(one.ses == ballot.ballot.ses for one in before),
        amended=amended,
        mandate=mandate_at(held.mandates, written.place),
    )
    judged = judge(candidate, bench)
    if judged.kind != ACCEPTED:
        raise EvidenceRefused(_code_of(judged.code), judged.code)
    if (record.proxy or "", record.excluded) != (judged.proxy, judged.excluded):
        raise EvidenceRefused("EVIDENCE_BALLOT", "the channel counted another proxy or other exclusions")
    if record.claims != judged.claims or dict(record.votes) != dict(ballot.ballot.votes):
        raise EvidenceRefused("EVIDENCE_BALLOT", "the channel counted other votes or claims")
    if (record.seq, record.ses) != (ballot.ballot.seq, ballot.ballot.ses):
        raise EvidenceRefused("EVIDENCE_BALLOT", "the channel counted another seq or identity check")
    transaction = written.transaction
    place, last = (transaction.block, transaction.tx_id), history[-1][1]
    return Counted(*place, record, enrolment, candidate.entry, amended, last)


def _history(ballot: SignedBallot, held: Held, mtg: str) -> list[tuple[Written, BallotRecord]]:
    """Return every record of the voter's ballots, whether a ballot or an amendment left it."""
    try:
        return [
            (one, parse_ballot_record(one.value or b"", held.meeting))
            for one in held.channel.of(composite("ballot", mtg, ballot.ballot.sub))
        ]
    except ValueError as error:
        raise EvidenceRefused("EVIDENCE_RECORD", f"the ballot on the channel: {error}") from error


def _writing(ballot: SignedBallot, history: Sequence[tuple[Written, BallotRecord]]) -> int:
    for number, (one, record) in enumerate(history):
        if one.transaction.function == _SUBMIT and record.digest == ballot.digest:
            return number
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


def verify_entry(on_roll: OnRoll | None, ballot: SignedBallot, held: Held, counted: Counted) -> None:
    """Refuse (EVIDENCE_LEAF) an entry that isn't this voter's, the one counted, or on the roll.

    Where an amendment has the voter's entry there is no leaf, elsewhere there is (else EVIDENCE_FILES).
    """
    if counted.amended is not None:
        if on_roll is not None:
            raise EvidenceRefused("EVIDENCE_FILES", "roll/leaf.json is not what the ballot was counted with")
        return
    if on_roll is None:
        raise EvidenceRefused("EVIDENCE_FILES", "roll/leaf.json is missing")
    leaf, index, path = on_roll
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
        ("MANDATE", "EVIDENCE_MANDATE"),
    ):
        if code.startswith(begins):
            return evidence
    return "EVIDENCE_BALLOT"
