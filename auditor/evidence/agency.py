"""The mandate behind a ballot by proxy, as a package's blocks hold it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evidence.errors import EvidenceRefused
from auditor.replay.effect import composite
from auditor.replay.mandates import verify_signed
from auditor.replay.people import verify_lender
from client.encodings.errors import Refused
from client.encodings.mandate_record import parse_mandate_record
from client.encodings.revocation import parse_revocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evidence.chain import Records
    from auditor.replay.people import Enrolment, Issuer
    from client.encodings.ballot import Ballot
    from client.encodings.mandate import SignedMandate
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting
    from client.encodings.revocation import SignedRevocation

STANDING, REVOKED, REPLACED = "standing", "revoked", "replaced"


@dataclass(frozen=True, slots=True)
class Given:
    """A writing of the voter's mandate, and its place on the channel."""

    record: MandateRecord
    place: tuple[int, int]


def read_mandates(records: Records, ballot: Ballot) -> tuple[Given, ...]:
    """Return every writing of the voter's mandate, none for a ballot of one's own.

    Refuse with EVIDENCE_MANDATE where a ballot by proxy names none of them, or one is malformed.
    """
    if ballot.prx is None:
        return ()
    try:
        found = tuple(
            Given(parse_mandate_record(one.value or b""), one.place)
            for one in records.of(composite("mandate", ballot.mtg, ballot.sub))
        )
    except (Refused, ValueError) as error:
        raise EvidenceRefused("EVIDENCE_MANDATE", str(error)) from error
    if all(one.record.digest != ballot.prx for one in found):
        raise EvidenceRefused("EVIDENCE_MANDATE", f"no block has the mandate {ballot.prx}")
    return found


def signer_of(mandates: Sequence[Given], ballot: Ballot) -> str:
    """Return the pseudonym whose key signed a ballot: the proxy's, or the voter's own."""
    named = (one.record.mandate.proxy for one in mandates if one.record.digest == ballot.prx)
    return next(named, ballot.sub)


def mandate_at(mandates: Sequence[Given], place: tuple[int, int]) -> MandateRecord | None:
    """Return the mandate as it stood before a place on the channel."""
    return next((one.record for one in reversed(mandates) if one.place < place), None)


def status_of(mandates: Sequence[Given], digest: str) -> str:
    """Return what became of a mandate: it stands, was revoked, or another was given in its place."""
    last = mandates[-1].record
    if last.digest != digest:
        return REPLACED
    return STANDING if last.revoked is None else REVOKED


def verify_mandates(
    mandates: Sequence[Given], voter: Sequence[Enrolment], issuer: Issuer, meeting: Meeting
) -> None:
    """Refuse (EVIDENCE_MANDATE) a mandate or revocation that the voter's enrolled key did not sign."""
    before: MandateRecord | None = None
    for one in mandates:
        record = one.record
        said = record.mandate
        try:
            if (said.mtg, said.mh) != (meeting.mtg, meeting.mh):
                raise Refused("MANDATE_SCOPE", "it is for another meeting")  # noqa: TRY301  one error for all
            _verify_by(record.signed, record.rev, voter, issuer, meeting)
            if record.revoked is not None:
                end = parse_revocation(record.revoked.by)
                if (end.revocation.mtg, end.revocation.mandate) != (said.mtg, record.digest):
                    raise Refused("MANDATE_SCOPE", "the revocation is of another mandate")  # noqa: TRY301  one error for all
                _verify_by(end, record.revoked.rev, voter, issuer, meeting)
            if record.past != _past_of(record, before):
                raise Refused("MANDATE_REVOKED", "mandates between are missing")  # noqa: TRY301  one error for all
        except Refused as error:
            raise EvidenceRefused("EVIDENCE_MANDATE", error.message) from error
        before = record


def _past_of(record: MandateRecord, before: MandateRecord | None) -> tuple[str, ...]:
    """Return the digests that a writing has to name as replaced: those before it, and the last one's own."""
    if before is None:
        return ()
    return before.past if before.digest == record.digest else (*before.past, before.digest)


def _verify_by(
    signed: SignedMandate | SignedRevocation,
    rev: int,
    voter: Sequence[Enrolment],
    issuer: Issuer,
    meeting: Meeting,
) -> None:
    enrolment = next((one for one in voter if one.rev == rev), None)
    if enrolment is None:
        raise Refused("ENROLMENT_NOT_FOUND", f"revision {rev}")
    verify_lender(enrolment, issuer)
    verify_signed(signed, enrolment, meeting)
