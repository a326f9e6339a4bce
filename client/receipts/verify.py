"""Verifying a receipt offline: no network, no database, only the file, the meeting's record and the roots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.ballot import parse_ballot, votes_json
from client.encodings.errors import Refused
from client.encodings.receipt import parse_receipt, verify_receipt
from client.errors import Negative

if TYPE_CHECKING:
    from typing import Any

    from client.encodings.meeting import Meeting


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a verified receipt says. Only `verify` makes one."""

    mtg: str
    sub: str
    seq: int
    digest: str
    votes: dict[str, Any]
    fen: int
    acknowledged_at: str
    acknowledgement: int
    door: str
    channel: str
    block: int
    tx: str
    issuers_checked: bool


def verify(
    data: bytes, meeting: Meeting, *, lender_root: bytes | None = None, door_root: bytes | None = None
) -> VerifiedReceipt:
    """Return what a receipt's bytes say after checking all of it; roots are DER.

    Raises Negative, with the code of the first check that fails.
    """
    try:
        receipt = parse_receipt(data)
        verify_receipt(receipt, meeting, lender_root=lender_root, door_root=door_root)
        signed, ack = parse_ballot(receipt.ballot), parse_acknowledgement(receipt.ack).ack
    except Refused as refused:
        raise Negative(f"the receipt doesn't verify: {refused.message}", code=refused.code) from refused
    return VerifiedReceipt(
        mtg=meeting.mtg,
        sub=signed.ballot.sub,
        seq=signed.ballot.seq,
        digest=signed.digest,
        votes=votes_json(signed.ballot.votes),
        fen=receipt.basis.fen,
        acknowledged_at=ack.time,
        acknowledgement=ack.no,
        door=ack.door,
        channel=receipt.channel,
        block=receipt.block,
        tx=receipt.tx,
        issuers_checked=lender_root is not None and door_root is not None,
    )
