"""A lender's receipt and a tree head that can't both be true: the pair is the proof.

Each side is verified first, so what comes out stands on two signatures: of the door or the Regulator's
auditor on the receipt, of the Regulator's auditor on the head. Which of them is wrong, it doesn't say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.log.errors import LogRefused
from auditor.log.head import parse_head_file, verify_head
from auditor.log.receipt import verified_promise, verify_audited
from client.encodings import base64url

if TYPE_CHECKING:
    from auditor.log.extract import Extract, PlacedLeaf
    from auditor.log.head import TreeHead, VerifiedHead
    from auditor.log.promise import Promise
    from auditor.log.receipt import VerifiedAuditedReceipt
    from auditor.log.trust import TrustRoot
    from client.encodings.meeting import Meeting

# What two heads contradict each other in.
FORKED: Final = "forked"  # one number, two blocks
SAME_BLOCK: Final = "same-block"  # one block, two logs
SAME_SIZE: Final = "same-size"  # as many leaves, other leaves
SHRUNK: Final = "shrunk"  # fewer leaves over more blocks
# What a receipt contradicts a head's leaves in.
REPLACED: Final = "replaced"  # another leaf where the receipt's was
MOVED: Final = "moved"  # the ballot, in another transaction
MISSING: Final = "missing"  # the whole block, without the ballot


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What two signed statements contradict each other in, with the value of each.

    `receipt` is the side that the lender holds, `head` the other one. `digest` is the ballot's.
    """

    kind: str
    mtg: str
    digest: str
    receipt: str
    head: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON of a report."""
        return {name: getattr(self, name) for name in self.__slots__}


def contradict_audited(
    receipt: bytes, head: bytes, trust: TrustRoot, extract: Extract | None = None
) -> Contradiction:
    """Return what an audited receipt and another head's file contradict each other in, both verified.

    `extract` has leaves of the other head's log; without it only the heads themselves are compared.
    Refuse with NO_CONTRADICTION where none is shown, or as the verification of either side does.
    """
    held = verify_audited(receipt, trust)
    other = _verified(head, trust, held.meeting)
    found = _between_heads(held, other.head)
    if found is None and extract is not None:
        extract.verify(other)
        found = _replaced(held, extract) or _misplaced(held.promise, other.head, extract)
    return _shown(found, held.promise)


def contradict_promise(
    receipt: bytes,
    head: bytes,
    trust: TrustRoot,
    extract: Extract,
    *,
    meeting: Meeting,
    door_root: bytes,
) -> Contradiction:
    """Return what a version 1 receipt and a head's log contradict each other in, both verified.

    `door_root` (DER) is the root of the door's organisation: without it anybody could have signed the
    receipt. Refuse as `contradict_audited` does.
    """
    trust.verify_meeting(meeting)
    promise = verified_promise(receipt, meeting, door_root=door_root)
    other = _verified(head, trust, meeting)
    extract.verify(other)
    return _shown(_misplaced(promise, other.head, extract), promise)


def _verified(head: bytes, trust: TrustRoot, meeting: Meeting) -> VerifiedHead:
    signed = parse_head_file(head)
    verified = verify_head(signed, trust.regulator(signed.load_certificates()))
    verified.head.verify_meeting(mtg=meeting.mtg, mh=meeting.mh, channel=meeting.channel)
    return verified


def _shown(found: Contradiction | None, promise: Promise) -> Contradiction:
    if found is None:
        raise LogRefused("NO_CONTRADICTION", promise.digest)
    return found


def _between_heads(held: VerifiedAuditedReceipt, other: TreeHead) -> Contradiction | None:
    ours = held.head.head
    if ours.block == other.block and ours.block_hash != other.block_hash:
        kind = FORKED
    elif ours.block == other.block and (ours.size, ours.root) != (other.size, other.root):
        kind = SAME_BLOCK
    elif ours.size == other.size and ours.root != other.root:
        kind = SAME_SIZE
    elif (ours.block - other.block) * (ours.size - other.size) < 0:
        kind = SHRUNK
    else:
        return None
    return Contradiction(kind, ours.mtg, held.promise.digest, _said(ours), _said(other))


def _said(head: TreeHead) -> str:
    root = base64url.encode(head.root)
    return f"block {head.block} {head.block_hash}, {head.size} leaves, root {root}"


def _replaced(held: VerifiedAuditedReceipt, extract: Extract) -> Contradiction | None:
    """Two heads' trees with different leaves at one index: the log was not only appended to."""
    for one in extract.leaves:
        if one.index == held.index and one.leaf != held.leaf:
            return _between(REPLACED, held.promise, held.leaf.encode().decode(), one)
    return None


def _misplaced(promise: Promise, head: TreeHead, extract: Extract) -> Contradiction | None:
    """The ballot's block in the log, without the ballot; or the ballot in another transaction."""
    said = f"block {promise.block}, transaction {promise.tx}"
    for one in extract.leaves:
        if one.leaf.digest != promise.digest:
            continue
        if (one.leaf.block, one.leaf.tx) != (promise.block, promise.tx):
            return _between(MOVED, promise, said, one)
        return None
    if promise.block <= head.block and _covers(extract, promise.block):
        within = sum(one.leaf.block == promise.block for one in extract.leaves)
        found = f"{within} leaves of block {promise.block}, none the ballot's; {_said(head)}"
        return Contradiction(MISSING, head.mtg, promise.digest, said, found)
    return None


def _covers(extract: Extract, block: int) -> bool:
    """Say whether the extract shows every leaf of a block, by their order in the log.

    Its leaves have to be neighbours, from one of an earlier block (or the log's first) to one of a later
    block (or its last). Were the log out of order, that itself would be what is shown.
    """
    leaves = extract.leaves
    if not leaves:
        return extract.size == 0
    first, last = leaves[0], leaves[-1]
    return (
        last.index - first.index == len(leaves) - 1
        and (first.index == 0 or first.leaf.block < block)
        and (last.index == extract.size - 1 or last.leaf.block > block)
    )


def _between(kind: str, promise: Promise, ours: str, one: PlacedLeaf) -> Contradiction:
    theirs = f"leaf {one.index}: {one.leaf.encode().decode()}"
    return Contradiction(kind, one.leaf.mtg, promise.digest, ours, theirs)
