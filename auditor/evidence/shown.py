"""What a verified package says, for machines and for people: the same from every program that verifies."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from auditor.evidence.agency import status_of
from auditor.evidence.printable import printable
from client.encodings import jcs, times
from client.encodings.ballot import votes_json
from client.encodings.leaf import claims_json

if TYPE_CHECKING:
    from auditor.evidence.counted import Counted
    from auditor.evidence.verify import VerifiedEvidence
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.objection_record import Dispute


def as_json(evidence: VerifiedEvidence) -> dict[str, Any]:
    """Return the package's findings as JSON."""
    subject, held, counted = evidence.manifest.subject, evidence.held, evidence.counted
    content, newest = evidence.ballot.ballot, held.enrolments[-1]
    return {
        "verified": True,
        "mtg": subject.mtg,
        "mh": subject.mh,
        "channel": subject.channel,
        "state": subject.state,
        "sub": content.sub,
        "seq": content.seq,
        "digest": subject.digest,
        "votes": votes_json(content.votes),
        "proxy": counted.record.proxy,
        "mandate": _mandate(evidence),
        "claims": claims_json(counted.record.claims),
        "fen": _fen(counted.record),
        "excluded": list(counted.record.excluded),
        "amended": counted.amended is not None,
        "reweighed": _reweighed(counted),
        "acknowledged_at": times.form(counted.record.ack_time),
        "acknowledgement": counted.record.ack_no,
        "door": ("AssociationMSP", "RegulatorMSP")[counted.door],
        "block": counted.block,
        "tx": counted.tx,
        "stands": subject.stands,
        "session": {
            name: getattr(held.session, name)
            for name in ("ses", "method", "outcome", "issued_at", "commitment")
        },
        "certificate": {"x5t": counted.enrolment.x5t, "status": newest.status, "rev": newest.rev},
        "index": evidence.index,
        "head": evidence.head.head.as_json(),
        "countersigned": None if evidence.countersigned is None else asdict(evidence.countersigned),
        "disputes": [one.as_json() for one in held.disputes],
        "anchors": [{**one.anchor.as_json(), "tx": one.tx} for one in held.anchors],
        "result": jcs.loads(held.result) if held.result else None,
        "exported_at": subject.time,
        "heights": dict(subject.heights),
    }


def as_text(evidence: VerifiedEvidence) -> str:
    """Return the package's findings in some lines."""
    subject, held, counted = evidence.manifest.subject, evidence.held, evidence.counted
    content = evidence.ballot.ballot
    votes = ", ".join(f"{motion}: {vote}" for motion, vote in content.votes.items())
    head, newest = evidence.head.head, held.enrolments[-1]
    standing = "stood" if subject.stands else "had been replaced by a later ballot"
    amended = counted.amended is not None
    entitled = "as amendments of the roll left them" if amended else "proved on the frozen roll"
    lines = (
        f"genuine and accepted: ballot {subject.digest} of {content.sub} at {subject.mtg} ({votes})",
        f"in block {counted.block} of {subject.channel}, transaction {counted.tx}",
        f"acknowledged {times.form(counted.record.ack_time)}, number {counted.record.ack_no}",
        *_by_proxy(evidence),
        f"with claims of {_fen(counted.record)} fen, {entitled}{_excluded(counted.record)}",
        *_weighed_anew(counted),
        f"after an identity check by {held.session.method} at {held.session.issued_at}",
        f"with certificate {counted.enrolment.x5t}, now {newest.status}",
        f"leaf {evidence.index} of {head.size} in the Regulator's log, head signed {head.time}",
        *_countersigned(evidence),
        *(_disputed(one) for one in held.disputes),
        *(
            f"anchored as {one.anchor.verdict} with {one.anchor.size} ballots, transaction {one.tx}"
            for one in held.anchors
        ),
        f"exported {subject.time}, when the meeting was {subject.state} and the ballot {standing}",
        "explanation.pdf is not compared with this: where it says otherwise, this holds",
    )
    return "\n".join(map(printable, lines))


def _countersigned(evidence: VerifiedEvidence) -> tuple[str, ...]:
    found = evidence.countersigned
    if found is None:
        return ()
    said = f"{found.corrections} corrections, {found.attached} of them here"
    return (f"roll countersigned by the Regulator's officer at {found.at}, {said}",)


def _disputed(dispute: Dispute) -> str:
    said = dispute.filed.objection
    answer = "not answered" if dispute.answer is None else dispute.answer.answer.position
    award = "not decided" if dispute.award is None else dispute.award.award.award
    return f"objection {said.obj} on the ground {said.ground}: {answer}, {award}"


def _fen(record: BallotRecord) -> int:
    return sum(claim.fen for claim in record.claims)


def _excluded(record: BallotRecord) -> str:
    return f", counted for nothing on {', '.join(record.excluded)}" if record.excluded else ""


def _reweighed(counted: Counted) -> dict[str, Any] | None:
    record = counted.reweighed
    if record is None:
        return None
    return {"claims": claims_json(record.claims), "fen": _fen(record), "excluded": list(record.excluded)}


def _weighed_anew(counted: Counted) -> tuple[str, ...]:
    record = counted.reweighed
    if record is None:
        return ()
    if not record.claims:
        return ("which counts with nothing since: an amendment took its voter off the roll",)
    return (f"which counts with {_fen(record)} fen since, by an amendment{_excluded(record)}",)


def _mandate(evidence: VerifiedEvidence) -> dict[str, str] | None:
    digest = evidence.ballot.ballot.prx
    if digest is None:
        return None
    return {"digest": digest, "status": status_of(evidence.held.mandates, digest)}


def _by_proxy(evidence: VerifiedEvidence) -> tuple[str, ...]:
    mandate = _mandate(evidence)
    if mandate is None:
        return ()
    proxy, digest, status = evidence.counted.record.proxy, mandate["digest"], mandate["status"]
    return (f"cast by {proxy} as proxy, by mandate {digest}, now {status}",)
