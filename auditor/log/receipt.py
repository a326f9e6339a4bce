"""Audited receipts: a receipt, and the proof that the Regulator's log has its ballot; verified offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from auditor.log import kinds
from auditor.log.errors import LogRefused
from auditor.log.head import SignedHead, VerifiedHead, head_from_json, verify_head
from auditor.log.leaf import LogLeaf
from auditor.log.promise import Promise, hash_list, parse_promise, verify_promise
from auditor.log.proofs import verify_inclusion
from client.encodings import base64url, jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_count
from client.encodings.meeting import Meeting, parse_meeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.log.trust import TrustRoot

_T = TypeVar("_T")
_NAMES: Final = ("receipt", "record", "head", "certificates", "index", "pos", "path")


@dataclass(frozen=True, slots=True)
class AuditedReceipt:
    """A version 1 receipt's bytes, the meeting's record, a head, and the ballot's place and path in its log.

    `index` and `path` are the leaf's in the tree of the head's size; `pos` completes the leaf.
    """

    receipt: bytes
    record: bytes
    head: SignedHead
    index: int
    pos: int
    path: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes of its file."""
        return jcs.dumps(
            {
                "v": 1,
                "type": kinds.RECEIPT,
                "receipt": base64url.encode(self.receipt),
                "record": base64url.encode(self.record),
                "head": self.head.compact,
                "certificates": self.head.certificates_json(),
                "index": self.index,
                "pos": self.pos,
                "path": [base64url.encode(node) for node in self.path],
            }
        )


class _Seal:
    """What only `verify_audited` holds."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class VerifiedAuditedReceipt:
    """A receipt that the log confirms. Only `verify_audited` makes one.

    `issuers_checked` says whether the roots of the lender's and the door's certificates were given.
    """

    promise: Promise
    meeting: Meeting
    head: VerifiedHead
    leaf: LogLeaf
    index: int
    path: tuple[bytes, ...]
    issuers_checked: bool
    seal: _Seal

    def __post_init__(self) -> None:
        """Refuse to exist without the verifier's seal."""
        if self.seal is not _SEAL:
            raise TypeError("only verify_audited makes a VerifiedAuditedReceipt")


def parse_audited(data: bytes) -> AuditedReceipt:
    """Return the audited receipt of a file's bytes (any JSON form), nothing verified yet.

    Refuse with AUDITED_FORMAT or HEAD_FORMAT.
    """
    try:
        value = kinds.members(data, kinds.RECEIPT, *_NAMES)
        if not is_count(value["index"]) or not is_count(value["pos"]):
            raise LogRefused("AUDITED_FORMAT", "index or pos")
        receipt, record = _text_bytes(value["receipt"]), _text_bytes(value["record"])
        path = hash_list(value["path"])
    except ValueError as error:
        raise LogRefused("AUDITED_FORMAT", str(error)) from error
    head = head_from_json(value["head"], value["certificates"])
    return AuditedReceipt(receipt, record, head, value["index"], value["pos"], path)


def verify_audited(
    data: bytes, trust: TrustRoot, *, lender_root: bytes | None = None, door_root: bytes | None = None
) -> VerifiedAuditedReceipt:
    """Return what an audited receipt's bytes show, after every step of docs/transparency.md, section 6.

    Roots are DER. Needs nothing but its arguments. LogRefused with the code of the first step that fails.
    """
    audited = parse_audited(data)
    # 1. The Regulator's auditor signed the head.
    head = verify_head(audited.head, trust.regulator(audited.head.load_certificates()))
    # 2. The record is the one that the head names, and of the trusted networks.
    meeting = translated(lambda: parse_meeting(audited.record))
    head.head.verify_meeting(mtg=meeting.mtg, mh=meeting.mh, channel=meeting.channel)
    trust.verify_meeting(meeting)
    # 3. The receipt is genuine.
    promise = verified_promise(audited.receipt, meeting, lender_root=lender_root, door_root=door_root)
    # 4. The log has its ballot, in the very transaction and block.
    if promise.block > head.head.block:
        found = f"block {promise.block}"
        raise LogRefused(
            "AUDITED_MISMATCH", "the head", expected=f"up to block {head.head.block}", found=found
        )
    leaf = LogLeaf(meeting.mtg, promise.digest, promise.tx, promise.block, audited.pos)
    verify_inclusion(
        leaf.encode(), index=audited.index, size=head.head.size, path=audited.path, root=head.head.root
    )
    checked = lender_root is not None and door_root is not None
    return VerifiedAuditedReceipt(promise, meeting, head, leaf, audited.index, audited.path, checked, _SEAL)


def verified_promise(
    receipt: bytes, meeting: Meeting, *, lender_root: bytes | None = None, door_root: bytes | None = None
) -> Promise:
    """Return what a version 1 receipt promises, verified; LogRefused with the receipt's own codes."""

    def verify() -> Promise:
        promise = parse_promise(receipt)
        verify_promise(promise, meeting, lender_root=lender_root, door_root=door_root)
        return promise

    return translated(verify)


def translated(verify: Callable[[], _T]) -> _T:
    """Return what `verify` does; a refusal of the encodings becomes the log's, an answer and no failure."""
    try:
        return verify()
    except Refused as refused:
        raise LogRefused(refused.code, refused.message) from refused


def _text_bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("not text")  # noqa: TRY004  one error for every wrong form
    return base64url.decode(value)
