"""What verified receipts and heads say, for machines and for people: the same from every program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from client.encodings.ballot import votes_json

if TYPE_CHECKING:
    from auditor.log.head import VerifiedHead
    from auditor.log.promise import Promise
    from auditor.log.receipt import VerifiedAuditedReceipt

UNTRUSTED: Final = (
    "nothing is trusted: the receipt agrees with itself, but anybody could have made its certificates; "
    "give --lender-root and --door-root"
)
"""Why a receipt is not verified without roots, whatever else is right with it."""


def promise_json(promise: Promise, *, issuers_checked: bool) -> dict[str, Any]:
    """Return what a door's receipt says as JSON, once its issuers were checked or a head confirms it."""
    content, ack = promise.ballot.ballot, promise.ack.ack
    return {
        "verified": True,
        "mtg": content.mtg,
        "sub": content.sub,
        "seq": content.seq,
        "digest": promise.digest,
        "votes": votes_json(content.votes),
        "fen": promise.fen,
        "acknowledged_at": ack.time,
        "acknowledgement": ack.no,
        "door": ack.door,
        "channel": promise.channel,
        "block": promise.block,
        "tx": promise.tx,
        "issuers_checked": issuers_checked,
    }


def promise_text(promise: Promise) -> str:
    """Return what a door's receipt says in some lines, once its issuers were checked."""
    content, ack = promise.ballot.ballot, promise.ack.ack
    votes = ", ".join(f"{motion}: {vote}" for motion, vote in votes_json(content.votes).items())
    return (
        f"genuine: ballot {promise.digest} of {content.sub} at {content.mtg} ({votes})\n"
        f"acknowledged by {ack.door}, number {ack.no}, at {ack.time}\n"
        f"said to be in block {promise.block} of {promise.channel}, transaction {promise.tx}"
    )


def audited_json(receipt: VerifiedAuditedReceipt) -> dict[str, Any]:
    """Return what an audited receipt says as JSON."""
    return {
        **promise_json(receipt.promise, issuers_checked=receipt.issuers_checked),
        "accepted": True,
        "index": receipt.index,
        "head": receipt.head.head.as_json(),
    }


def audited_text(receipt: VerifiedAuditedReceipt) -> str:
    """Return what an audited receipt says in some lines."""
    promise, head = receipt.promise, receipt.head.head
    content = promise.ballot.ballot
    sub, votes = content.sub, ", ".join(f"{motion}: {vote}" for motion, vote in content.votes.items())
    return (
        f"genuine and accepted: ballot {promise.digest} of {sub} at {head.mtg} ({votes})\n"
        f"in block {promise.block} of {promise.channel}, transaction {promise.tx}\n"
        f"leaf {receipt.index} of {head.size} in the Regulator's log, head signed {head.time}"
    )


def head_json(head: VerifiedHead) -> dict[str, Any]:
    """Return what a head says as JSON."""
    return {"verified": True, **head.head.as_json()}


def head_text(head: VerifiedHead) -> str:
    """Return what a head says in two lines."""
    content, root = head.head, head.head.as_json()["root"]
    return (
        f"{content.mtg}: {content.size} ballots, root {root}\n"
        f"up to block {content.block} of {content.channel} ({content.block_hash}), signed {content.time}"
    )
