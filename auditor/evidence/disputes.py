"""The voter's objections as a package's blocks hold them, with the institution's answers and the awards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evidence.errors import EvidenceRefused
from auditor.replay.effect import composite
from auditor.replay.mandates import verify_signed
from auditor.replay.people import verify_lender
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.objection_record import parse_dispute, parse_objection_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evidence.anchored import Anchored
    from auditor.evidence.chain import Records, Written
    from auditor.replay.people import Enrolment, Issuer
    from client.encodings.meeting import Meeting
    from client.encodings.objection_record import Dispute

KINDS = ("objection", "answer", "award")


def dispute_keys(mtg: str) -> tuple[str, ...]:
    """Return how the keys of a meeting's objections, answers and awards begin."""
    return tuple(composite(kind, mtg) for kind in KINDS)


def objector_of(record: bytes) -> tuple[str, str]:
    """Return whose objection a record is, and its id; two empty texts where it is none."""
    try:
        said = parse_objection_record(record).objection
    except (Refused, ValueError):
        return "", ""
    return said.sub, said.obj


def read_disputes(
    records: Records,
    meeting: Meeting,
    voter: Sequence[Enrolment],
    issuer: Issuer,
    anchors: Sequence[Anchored],
) -> tuple[Dispute, ...]:
    """Return the voter's objections at a meeting, in the chain's order; nobody else's.

    Refuse (EVIDENCE_OBJECTION) one that the voter's enrolled key did not sign, that is not in its one form,
    or whose award relies on another audit than the one that stood.
    """
    begins = dispute_keys(meeting.mtg)[0]
    filed = sorted(
        (
            (one, key)
            for key, writings in records.written.items()
            if key.startswith(begins)
            for one in writings
        ),
        key=lambda one: one[0].place,
    )
    return tuple(
        _verified(one, key, records, meeting, voter, issuer, anchors)
        for one, key in filed
        if objector_of(one.value or b"")[0] == voter[0].sub
    )


def records_json(disputes: Sequence[Dispute]) -> list[dict[str, Any]]:
    """Return the records of objections, as the channel has them, for people."""
    return [
        {
            name: None if record is None else jcs.loads(record.encode())
            for name, record in zip(KINDS, (one.filed, one.answer, one.award), strict=True)
        }
        for one in disputes
    ]


def _verified(  # noqa: PLR0917  an objection, and what it has to agree with
    filed: Written,
    key: str,
    records: Records,
    meeting: Meeting,
    voter: Sequence[Enrolment],
    issuer: Issuer,
    anchors: Sequence[Anchored],
) -> Dispute:
    obj = objector_of(filed.value or b"")[1]
    written = [filed, *(_only(records, composite(kind, meeting.mtg, obj)) for kind in KINDS[1:])]
    try:
        parts = {
            kind: None if one is None else jcs.loads(one.value or b"")
            for kind, one in zip(KINDS, written, strict=True)
        }
        dispute = parse_dispute({"v": 1, **parts})
        for one, record in zip(written, (dispute.filed, dispute.answer, dispute.award), strict=True):
            if one is None or record is None:
                continue
            if (record.encode(), record.tx) != (one.value, one.transaction.tx_id):
                raise ValueError("a record is not in its one form, or names another transaction")  # noqa: TRY301  one error for all
            if one.place < filed.place:
                raise ValueError("it was answered or decided before it was filed")  # noqa: TRY301  one error for all
        if key != composite("objection", meeting.mtg, obj):
            raise ValueError("it is kept as another objection")  # noqa: TRY301  one error for all
        said = dispute.filed
        if (said.objection.mtg, said.objection.mh) != (meeting.mtg, meeting.mh):
            raise ValueError("it is about another meeting")  # noqa: TRY301  one error for all
        if said.door != filed.endorsed.creator.msp_id:
            raise ValueError("it names another door than the one that brought it")  # noqa: TRY301  one error for all
        enrolment = next((one for one in voter if one.rev == said.rev), None)
        if enrolment is None:
            raise Refused("ENROLMENT_NOT_FOUND", f"revision {said.rev}")  # noqa: TRY301  one error for all
        verify_lender(enrolment, issuer)
        verify_signed(said.signed, enrolment, meeting)
        _verify_award(dispute, written[2], anchors)
    except (Refused, ValueError) as error:
        raise EvidenceRefused("EVIDENCE_OBJECTION", f"objection {obj}: {error}") from error
    return dispute


def _verify_award(dispute: Dispute, decided: Written | None, anchors: Sequence[Anchored]) -> None:
    if dispute.award is None or decided is None:
        return
    stood = next((one.tx for one in reversed(anchors) if one.place < decided.place), "")
    if dispute.award.anchor != stood:
        raise ValueError("its award names another audit than the one that stood")


def _only(records: Records, key: str) -> Written | None:
    written = records.of(key)
    return written[0] if written else None
