"""Replay of mandates: which stand, who may sign by them, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from auditor.errors import ReplayError
from auditor.replay import claimed
from auditor.replay.claimed import Claim
from auditor.replay.effect import Effect, composite
from auditor.replay.verdicts import Verdicts
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.mandate import parse_mandate
from client.encodings.mandate_record import MandateRecord, Revoked
from client.encodings.revocation import parse_revocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.replay.claimed import Claimed
    from auditor.replay.meetings import MeetingState
    from auditor.replay.people import Enrolment, People
    from auditor.transactions import Transaction
    from client.encodings.ballot import Ballot
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.mandate import SignedMandate
    from client.encodings.meeting import Meeting
    from client.encodings.objection import SignedObjection
    from client.encodings.revocation import SignedRevocation

_MAX_MANDATES = 4_000_000
STEP_VERDICT = 16
STEP_RELIANCE = 17


def proxy_of(ballot: Ballot, mandate: MandateRecord | None, held: BallotRecord | None) -> str:
    """Return the pseudonym of the proxy who signs, empty for a ballot of one's own.

    Where the voter's mandate is not the one named, it is whoever cast the ballot held as a proxy: that very
    ballot stays held whatever became of its mandate. Any other such ballot gets no further than its mandate.
    """
    if ballot.prx is None:
        return ""
    if mandate is not None and mandate.digest == ballot.prx:
        return mandate.mandate.proxy
    return (held.proxy if held else None) or ballot.sub


def verify_agency(ballot: Ballot, meeting: Meeting, mandate: MandateRecord | None) -> str:
    """Refuse a proxy's ballot that no mandate covers; return the code that it waits with, empty for none."""
    if ballot.prx is None:
        return ""
    if not meeting.proxies:
        raise Refused("MANDATE_SCOPE")
    if mandate is not None and ballot.prx in mandate.past:
        raise Refused("MANDATE_REVOKED")
    if mandate is None or ballot.prx != mandate.digest:
        return "MANDATE_NOT_FOUND"
    if mandate.revoked:
        raise Refused("MANDATE_REVOKED")
    answered = {motion for motion, vote in ballot.votes.items() if vote != ()}
    covered = {motion.id for motion in meeting.motions if mandate.mandate.covers(motion.id)}
    if answered != covered:
        raise Refused("MANDATE_SCOPE")
    return ""


def parse_mandates(document: bytes) -> list[str]:
    """Return the texts of a RecordMandates; refuse with ARGUMENT_FORMAT."""
    if len(document) > _MAX_MANDATES:
        raise Refused("ARGUMENT_FORMAT", f"{len(document)} bytes")
    try:
        value: Any = jcs.loads(document)
    except jcs.JsonError as error:
        raise Refused("ARGUMENT_FORMAT", str(error)) from error
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise Refused("ARGUMENT_FORMAT")
    return value


@dataclass(slots=True)
class MandatesReplay:
    """One RecordMandates on its way through the replay."""

    state: MeetingState
    people: People
    transaction: Transaction
    claims: Claimed
    verdicts: Verdicts = field(default_factory=Verdicts)
    effect: Effect = field(default_factory=Effect)
    principals: set[str] = field(default_factory=set)

    def run(self, texts: Sequence[str]) -> Effect:
        """Judge every mandate; takes those accepted over into the meeting's state."""
        verify_takes_mandates(self.state)
        self.effect.reads = _reads(self.state)
        for index, text in enumerate(texts):
            self._settle(index, self.claims.of(index), self._judge(index, text))
        self.effect.response = self.verdicts.encode()
        return self.effect

    def _judge(self, index: int, text: str) -> Claim:
        """Return the verdict that a mandate deserves."""
        try:
            signed = _read(text, self.state.record, self.principals)
        except Refused as refusal:
            return Claim(claimed.REFUSED, refusal.code)
        sub = signed.mandate.sub
        key = composite("mandate", self.state.record.mtg, sub)
        self.effect.reads.add(key)
        held = self.state.mandates.get(sub)
        if held is not None and held.digest == signed.digest:
            return Claim(claimed.HELD)
        enrolment = self._enrolment(index, sub, self.transaction.written(key))
        if enrolment is None:
            return Claim(claimed.PENDING, "ENROLMENT_NOT_FOUND")
        try:
            verify_signed(signed, enrolment, self.state.record)
            _verify_number(signed, held)
        except Refused as refusal:
            return Claim(claimed.REFUSED, refusal.code, enrolment.rev)
        past = (*held.past, held.digest) if held else ()
        record = MandateRecord(signed, enrolment.rev, past, None, self.transaction.tx_id)
        self.state.mandates[sub] = record
        self.effect.writes[key] = record.encode()
        return Claim(claimed.ACCEPTED)

    def _enrolment(self, index: int, sub: str, written: bytes | None) -> Enrolment | None:
        """Return the principal's enrolment as the claimed verdict relied on it."""
        claim = self.claims.of(index)
        if claim.code == "ENROLMENT_NOT_FOUND":
            return None
        rev = number_in(written, "enr") if claim.kind == claimed.ACCEPTED else claim.revision
        enrolment = self.people.at_revision(sub, rev)
        if rev and enrolment is None:
            self._find(
                STEP_RELIANCE,
                index,
                "it relies on a revision of the enrolment that identity does not have",
                found=rev,
            )
        return enrolment or self.people.enrolment(sub)

    def _settle(self, index: int, claim: Claim, due: Claim) -> None:
        """Note the verdict and compare it with the claimed one."""
        match due.kind:
            case claimed.REFUSED:
                self.verdicts.refused.append((index, due.code, due.revision))
            case claimed.PENDING:
                self.verdicts.pending.append((index, due.code))
            case claimed.HELD:
                self.verdicts.held.append(index)
            case _:
                self.verdicts.accepted += 1
        if (due.kind, due.code) != (claim.kind, claim.code):
            self._find(
                STEP_VERDICT,
                index,
                "another verdict than the mandate deserves",
                expected=f"{due.kind} {due.code}".rstrip(),
                found=f"{claim.kind} {claim.code}".rstrip(),
            )

    def _find(self, step: int, index: int, message: str, *, found: object, expected: object = None) -> None:
        where = f"{self.transaction.where} entry {index}"
        self.effect.findings.append(ReplayError(step, where, message, expected=expected, found=found))


def revoke_mandate(state: MeetingState, people: People, transaction: Transaction, text: str) -> Effect:
    """Work out what a RevokeMandate had to do; refuses where it had to fail."""
    signed = parse_revocation(text)
    verify_takes_mandates(state)
    said, meeting = signed.revocation, state.record
    if (said.mtg, said.mh) != (meeting.mtg, meeting.mh):
        raise Refused("MANDATE_SCOPE")
    held = state.mandates.get(said.sub)
    if held is not None and said.mandate in held.past:
        raise Refused("MANDATE_REVOKED")
    if held is None or held.digest != said.mandate:
        raise Refused("MANDATE_NOT_FOUND")
    key = composite("mandate", meeting.mtg, said.sub)
    effect = Effect(reads=_reads(state) | {key})
    rev = _revoked_revision(transaction.response)
    enrolment = people.at_revision(said.sub, rev) or people.enrolment(said.sub)
    if enrolment is None:
        raise Refused("ENROLMENT_NOT_FOUND")
    if held.revoked is None:
        verify_signed(signed, enrolment, meeting)
        held = replace(held, revoked=Revoked(text, enrolment.rev), tx=transaction.tx_id)
        state.mandates[said.sub] = held
        effect.writes[key] = held.encode()
    effect.response = held.encode()
    return effect


def verify_takes_mandates(state: MeetingState) -> None:
    """Refuse mandates where the meeting takes no proxies (MANDATE_SCOPE), or not now (MEETING_NOT_OPEN)."""
    if not state.record.proxies:
        raise Refused("MANDATE_SCOPE")
    if state.state not in ("announced", "open"):
        raise Refused("MEETING_NOT_OPEN", state.state)


def _reads(state: MeetingState) -> set[str]:
    return {composite(kind, state.record.mtg) for kind in ("meeting", "state")}


def _read(text: str, meeting: Meeting, principals: set[str]) -> SignedMandate:
    signed = parse_mandate(text)
    said = signed.mandate
    if said.sub in principals:
        raise Refused("BATCH_DUPLICATE_VOTER")
    principals.add(said.sub)
    if (said.mtg, said.mh) != (meeting.mtg, meeting.mh):
        raise Refused("MANDATE_SCOPE")
    if not isinstance(said.motions, str) and set(said.motions) - {motion.id for motion in meeting.motions}:
        raise Refused("MANDATE_SCOPE")
    return signed


def verify_signed(
    signed: SignedMandate | SignedRevocation | SignedObjection, enrolment: Enrolment, meeting: Meeting
) -> None:
    """Refuse what no enrolled lender of the institution signed with a key that is not revoked."""
    if enrolment.institution != meeting.institution:
        raise Refused("ENROLMENT_FOREIGN")
    if not enrolment.active:
        raise Refused("KEY_REVOKED")
    if signed.jws.x5t != enrolment.x5t:
        raise Refused("KEY_FOREIGN")
    enrolment.signed(signed.jws).verify()


def _revoked_revision(record: bytes) -> int:
    try:
        value = jcs.loads(record)
    except jcs.JsonError:
        return 0
    match value:
        case {"revoked": {"enr": int(rev)}}:
            return rev
    return 0


def number_in(record: bytes | None, name: str) -> int:
    """Return the number that a written JSON record has under a name, 0 where it has none."""
    try:
        value = jcs.loads(record or b"")
    except jcs.JsonError:
        return 0
    found = value.get(name) if isinstance(value, dict) else None
    return found if type(found) is int else 0


def _verify_number(signed: SignedMandate, held: MandateRecord | None) -> None:
    if held is not None and signed.mandate.no <= held.mandate.no:
        raise Refused("MANDATE_REVOKED")
