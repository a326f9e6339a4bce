"""Replay of anchored audits, and of what a certification needs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.errors import ReplayError
from auditor.replay.effect import Effect, composite
from auditor.view import ChainAnchor
from client.encodings import jcs
from client.encodings.certificates import thumbprint
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from auditor.errors import VerificationError
    from auditor.members import Member
    from auditor.replay.meetings import MeetingState
    from auditor.transactions import Endorsed, Transaction
    from client.encodings.anchor import Anchor

STEP_ANCHOR = 21
_STATES = ("open", "closing", "closed", "objections")
_CONSISTENT = "consistent"


def anchor_audit(state: MeetingState, endorsed: Endorsed, anchor: Anchor) -> Effect:
    """Work out what an AnchorAudit had to do; refuses where it had to fail.

    What only the auditor can see is a finding: a head that another key signed than the one that
    anchors it, and a consistent audit of another result.
    """
    transaction = endorsed.transaction
    meeting = state.record
    if state.state not in _STATES:
        raise Refused("MEETING_STATE", state.state)
    anchor.verify_head(meeting.mtg, meeting.mh, transaction.channel)
    last = state.anchors[-1] if state.anchors else None
    if last is not None and anchor.size < last.size:
        raise Refused("AUDIT_SIZE", f"{anchor.size} after {last.size}")
    state.anchors.append(
        ChainAnchor(
            size=anchor.size,
            root=anchor.root,
            report=anchor.report,
            result=anchor.result,
            verdict=anchor.verdict,
            head=anchor.head,
            tx=transaction.tx_id,
            where=transaction.where,
        )
    )
    record = anchor.record(transaction.tx_id)
    kept = {composite(kind, meeting.mtg) for kind in ("meeting", "state", "audit")}
    effect = Effect(record, {composite("audit", meeting.mtg): record}, kept)
    _verify_signer(anchor, endorsed.creator, transaction, effect)
    own = result_hash(state.result)
    if anchor.verdict == _CONSISTENT and anchor.result not in ("", own):
        said = "an audit is anchored as consistent with another result"
        effect.findings.append(
            ReplayError(STEP_ANCHOR, transaction.where, said, expected=own or "none yet", found=anchor.result)
        )
    return effect


def _verify_signer(anchor: Anchor, creator: Member, transaction: Transaction, effect: Effect) -> None:
    signed = anchor.signed_head
    own = thumbprint(creator.certificate.public_bytes(Encoding.DER))
    said = "the anchored head is not signed by who anchored it"
    found = "" if signed.x5t == own else signed.x5t
    try:
        signed.verify(creator.key)
    except Refused as refused:
        found = found or refused.code
    if found:
        effect.findings.append(ReplayError(STEP_ANCHOR, transaction.where, said, expected=own, found=found))


def verify_certifiable(state: MeetingState) -> None:
    """Refuse a certification that audits, objections or awards do not allow."""
    if not state.anchors:
        raise Refused("AUDIT_MISSING", state.record.mtg)
    last = state.anchors[-1]
    if last.verdict != _CONSISTENT:
        raise Refused("AUDIT_NEGATIVE", last.verdict)
    if last.result != result_hash(state.result):
        raise Refused("AUDIT_MISMATCH", last.result)
    counted = jcs.loads(state.result)["ballots"]
    if last.size < counted:
        raise Refused("AUDIT_SIZE", f"{last.size} leaves, {counted} ballots")
    undecided = sum(dispute.award is None for dispute in state.disputes.values())
    if undecided:
        raise Refused("OBJECTION_OPEN", str(undecided))
    for dispute in state.disputes.values():
        award = dispute.award
        if award is None:
            continue
        remedy = award.award.remedy
        if remedy == "revote" or (remedy == "recount" and award.anchor == last.tx):
            raise Refused("AWARD_UNMET", f"{award.award.obj} asks for a {remedy}")


def short_head(state: MeetingState, transaction: Transaction) -> list[VerificationError]:
    """Return what is wrong with a certification whose last head leaves out ballots that were replaced since.

    Chaincode knows how many ballots count, and not how many it ever accepted: the log has those, too.
    """
    size, accepted = state.anchors[-1].size, len(state.accepted)
    if size >= accepted:
        return []
    said = f"the tree head that certifies {state.record.mtg} leaves out accepted ballots"
    return [ReplayError(STEP_ANCHOR, transaction.where, said, expected=accepted, found=size)]


def result_hash(result: bytes) -> str:
    """Return the SHA-256 (hex) by which an anchor names a result, empty before there is one."""
    return hashlib.sha256(result).hexdigest() if result else ""
