"""Tree heads that the Regulator's auditor anchored on the channel: signed, beginnings of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.evidence.errors import EvidenceRefused
from auditor.log.errors import LogRefused
from auditor.log.promise import hash_list
from auditor.log.proofs import verify_consistency
from auditor.replay.effect import composite
from client.encodings import base64url, jcs
from client.encodings.anchor import Anchor, parse_anchor
from client.encodings.certificates import thumbprint
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.evidence.chain import Records, Written
    from auditor.log.head import TreeHead
    from client.encodings.meeting import Meeting


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchored audit, its transaction, and its place on the channel."""

    anchor: Anchor
    tx: str
    place: tuple[int, int]


def read_anchors(records: Records, meeting: Meeting) -> tuple[Anchored, ...]:
    """Return a meeting's anchored audits in order.

    Refuse (EVIDENCE_ANCHOR) one whose head is another meeting's or signed by another than who anchored it,
    or that has fewer ballots than the one before.
    """
    found: list[Anchored] = []
    for written in records.of(composite("audit", meeting.mtg)):
        try:
            anchor = _anchor(written)
            anchor.verify_head(meeting.mtg, meeting.mh, meeting.channel)
            creator, signed = written.endorsed.creator, anchor.signed_head
            if signed.x5t != thumbprint(creator.certificate.public_bytes(Encoding.DER)):
                raise ValueError("its head is not signed by who anchored it")  # noqa: TRY301  one error for all
            signed.verify(creator.key)
            if found and anchor.size < found[-1].anchor.size:
                raise ValueError("it has fewer ballots than the one before")  # noqa: TRY301  one error for all
        except (Refused, ValueError, KeyError, TypeError) as error:
            said = f"block {written.transaction.block}: {error}"
            raise EvidenceRefused("EVIDENCE_ANCHOR", said) from error
        found.append(Anchored(anchor, written.transaction.tx_id, written.place))
    return tuple(found)


def anchors_file(anchors: Sequence[Anchored], path: Callable[[int], Sequence[bytes]]) -> bytes:
    """Return the file that shows each anchored head to begin the log; `path` proves it of a size."""
    listed = [
        {
            "tx": one.tx,
            "size": one.anchor.size,
            "root": one.anchor.root,
            "verdict": one.anchor.verdict,
            "path": [base64url.encode(node) for node in path(one.anchor.size)],
        }
        for one in anchors
    ]
    return jcs.dumps({"v": 1, "anchors": listed})


def verify_anchors(data: bytes, anchors: Sequence[Anchored], head: TreeHead) -> None:
    """Refuse (EVIDENCE_ANCHOR, EVIDENCE_FORMAT) anchored heads that aren't beginnings of the head's log."""
    try:
        paths = [hash_list(one["path"]) for one in jcs.loads_canonical(data)["anchors"]]
        if len(paths) != len(anchors):
            raise ValueError(f"{len(paths)} paths for {len(anchors)} anchors")  # noqa: TRY301  one error for every wrong form
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceRefused("EVIDENCE_FORMAT", f"log/anchors.json: {error}") from error
    if (
        anchors_file(anchors, dict(zip((one.anchor.size for one in anchors), paths, strict=True)).__getitem__)
        != data
    ):
        raise EvidenceRefused("EVIDENCE_ANCHOR", "log/anchors.json is not what the blocks hold")
    for one, path in zip(anchors, paths, strict=True):
        try:
            verify_consistency(
                first=one.anchor.size,
                second=head.size,
                first_root=one.anchor.root_bytes,
                second_root=head.root,
                path=path,
            )
        except LogRefused as error:
            raise EvidenceRefused("EVIDENCE_ANCHOR", f"transaction {one.tx}: {error.message}") from error


def _anchor(written: Written) -> Anchor:
    value: Any = jcs.loads(written.value or b"")
    tx = value.pop("tx")
    anchor = parse_anchor(jcs.dumps(value))
    if tx != written.transaction.tx_id or anchor.record(tx) != written.value:
        raise ValueError("its record is not in its one form, or names another transaction")
    return anchor
