"""What a verified package says, for machines and for people: the same from every program that verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.encodings import jcs, times
from client.encodings.ballot import votes_json
from client.encodings.leaf import claims_json

if TYPE_CHECKING:
    from auditor.evidence.verify import VerifiedEvidence


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
        "claims": claims_json(evidence.leaf.claims),
        "fen": evidence.leaf.fen,
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
        "result": jcs.loads(held.result) if held.result else None,
        "exported_at": subject.time,
        "heights": dict(subject.heights),
    }


def as_text(evidence: VerifiedEvidence) -> str:
    """Return the package's findings in some lines."""
    subject, held, counted = evidence.manifest.subject, evidence.held, evidence.counted
    votes = ", ".join(f"{motion}: {vote}" for motion, vote in evidence.ballot.ballot.votes.items())
    head, newest = evidence.head.head, held.enrolments[-1]
    standing = "stood" if subject.stands else "had been replaced by a later ballot"
    lines = (
        f"genuine and accepted: ballot {subject.digest} of {evidence.leaf.sub} at {subject.mtg} ({votes})",
        f"in block {counted.block} of {subject.channel}, transaction {counted.tx}",
        f"acknowledged {times.form(counted.record.ack_time)}, number {counted.record.ack_no}",
        f"with claims of {evidence.leaf.fen} fen, proved on the frozen roll",
        f"after an identity check by {held.session.method} at {held.session.issued_at}",
        f"with certificate {counted.enrolment.x5t}, now {newest.status}",
        f"leaf {evidence.index} of {head.size} in the Regulator's log, head signed {head.time}",
        f"exported {subject.time}, when the meeting was {subject.state} and the ballot {standing}",
    )
    return "\n".join(lines)
