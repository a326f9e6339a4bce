"""Verifying an evidence package: bytes and a trust root in, what it proves out, or the first thing wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.evidence.anchored import verify_anchors
from auditor.evidence.chain import blocks_of
from auditor.evidence.container import decode
from auditor.evidence.counted import verify_counted, verify_entry
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.files import ANCHORS, verify_files
from auditor.evidence.manifest import verify_manifest, verify_still_signer
from auditor.evidence.provenance import verify_provenance
from auditor.evidence.records import IDENTITY, read_held
from auditor.evidence.result import verify_result
from auditor.log.errors import LogRefused
from auditor.log.head import VerifiedHead, parse_head_file, verify_head
from auditor.log.leaf import LogLeaf
from auditor.log.promise import hash_list
from auditor.log.proofs import verify_inclusion
from auditor.members import Organisation
from auditor.replay.authority import Offices
from client.encodings import jcs
from client.encodings.ballot import parse_ballot
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.evidence.counted import Counted
    from auditor.evidence.manifest import Manifest
    from auditor.evidence.provenance import Countersigned
    from auditor.evidence.records import Held
    from auditor.log.trust import TrustRoot
    from client.encodings.ballot import SignedBallot
    from client.encodings.leaf import Leaf


class _Seal:
    """What only `verify_evidence` holds."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class VerifiedEvidence:
    """What a package proves of one ballot. Only `verify_evidence` makes one.

    `leaf` is the voter's on the frozen roll, None where an amendment had the entry when the ballot was cast.
    """

    manifest: Manifest
    held: Held
    ballot: SignedBallot
    leaf: Leaf | None
    counted: Counted
    head: VerifiedHead
    index: int
    countersigned: Countersigned | None
    seal: _Seal

    def __post_init__(self) -> None:
        """Refuse to exist without the verifier's seal."""
        if self.seal is not _SEAL:
            raise TypeError("only verify_evidence makes a VerifiedEvidence")


def verify_evidence(data: bytes, trust: TrustRoot) -> VerifiedEvidence:
    """Return what a package's bytes prove, after every step of docs/evidence.md, section 4.

    Needs nothing but its arguments. EvidenceRefused with the code of the first step that fails.
    """
    try:
        return _verify(data, trust)
    except Refused as error:  # a form that no step has a better name for
        raise EvidenceRefused("EVIDENCE_FORMAT", error.message) from error


def _verify(data: bytes, trust: TrustRoot) -> VerifiedEvidence:
    # 1. One archive of the one form. 2. The Regulator's auditor vouches for every file.
    files = decode(data)
    manifest = verify_manifest(files, trust)
    subject = manifest.subject
    # 3. The ballot can be read and is the one that the package is about.
    ballot = _ballot(files, manifest)
    # 4. Blocks, configurations, transactions, and the records that they wrote.
    offices = Offices()
    held = read_held(blocks_of(files), subject, ballot, trust, offices)
    _verify_meeting(held, manifest, trust)
    _verify_heights(held, manifest)
    for records in (held.identity, held.channel):
        regulator = records.members.organisations.get(offices.regulator, Organisation(offices.regulator, ()))
        verify_still_signer(files, regulator)
    # 5. The files for people say what the blocks hold.
    on_roll = verify_files(files, manifest, held)
    # 6. Ballot, certificate, identity check and roll entry are good, and what the channel counted.
    counted = verify_counted(ballot, held, subject.mtg)
    if counted.stands != subject.stands:
        said = "stood" if subject.stands else "was replaced"
        raise EvidenceRefused("EVIDENCE_BALLOT", f"the manifest says that it {said}, the blocks don't")
    verify_entry(on_roll, ballot, held, counted)
    # 7. The signed log has the ballot.
    head, place = _verify_log(files, held, counted, manifest, trust)
    if held.anchors:
        verify_anchors(member(files, ANCHORS), held.anchors, head.head)
    regulator = trust.regulator(head.signed.load_certificates())
    countersigned = verify_provenance(files, held.meeting, ballot.ballot.sub, regulator)
    # 8. The result follows from its figures.
    verify_result(held)
    leaf = on_roll[0] if on_roll else None
    return VerifiedEvidence(manifest, held, ballot, leaf, counted, head, place, countersigned, _SEAL)


def _ballot(files: Mapping[str, bytes], manifest: Manifest) -> SignedBallot:
    try:
        ballot = parse_ballot(member(files, "ballot.jws").decode("ascii"))
    except (Refused, UnicodeDecodeError) as error:
        raise EvidenceRefused("EVIDENCE_BALLOT", f"ballot.jws: {error}") from error
    if (ballot.digest, ballot.ballot.mtg) != (manifest.subject.digest, manifest.subject.mtg):
        raise EvidenceRefused(
            "EVIDENCE_MEETING", f"ballot.jws is ballot {ballot.digest} of {ballot.ballot.mtg}"
        )
    return ballot


def member(files: Mapping[str, bytes], name: str) -> bytes:
    """Return a file that every package has; refuse with EVIDENCE_FILES."""
    try:
        return files[name]
    except KeyError as error:
        raise EvidenceRefused("EVIDENCE_FILES", f"{name} is missing") from error


def _verify_meeting(held: Held, manifest: Manifest, trust: TrustRoot) -> None:
    meeting, subject = held.meeting, manifest.subject
    found = (meeting.mtg, meeting.mh, meeting.channel, held.state)
    if found != (subject.mtg, subject.mh, subject.channel, subject.state):
        raise EvidenceRefused("EVIDENCE_MEETING", f"the blocks' meeting is {' '.join(found)}")
    try:
        trust.verify_meeting(meeting)
    except LogRefused as error:
        raise EvidenceRefused(
            "EVIDENCE_GENESIS", f"{error.detail}: {error.expected}, {error.found}"
        ) from error


def _verify_heights(held: Held, manifest: Manifest) -> None:
    """Refuse (EVIDENCE_CUSTODY) heights of other channels than the blocks', or below one of the blocks."""
    heights = manifest.subject.heights
    last = {
        name: max(records.headers)
        for name, records in ((IDENTITY, held.identity), (held.meeting.channel, held.channel))
    }
    if heights.keys() != last.keys() or any(heights[name] <= number for name, number in last.items()):
        raise EvidenceRefused("EVIDENCE_CUSTODY", f"heights {dict(heights)} with blocks up to {last}")


def _verify_log(
    files: Mapping[str, bytes], held: Held, counted: Counted, manifest: Manifest, trust: TrustRoot
) -> tuple[VerifiedHead, int]:
    try:
        signed = parse_head_file(member(files, "log/head.json"))
        head = verify_head(signed, trust.regulator(signed.load_certificates()))
        said, meeting = head.head, held.meeting
        said.verify_meeting(mtg=meeting.mtg, mh=meeting.mh, channel=meeting.channel)
        index, pos, path = parse_place(member(files, "log/proof.json"))
        leaf = LogLeaf(meeting.mtg, manifest.subject.digest, counted.tx, counted.block, pos)
        verify_inclusion(leaf.encode(), index=index, size=said.size, path=path, root=said.root)
    except LogRefused as error:
        raise EvidenceRefused("EVIDENCE_LOG", error.message) from error
    if counted.block > said.block:
        found = f"the head is up to block {said.block}, the ballot in block {counted.block}"
        raise EvidenceRefused("EVIDENCE_LOG", found)
    block = held.channel.headers.get(said.block)
    if block is None or block.hash().hex() != said.block_hash:
        raise EvidenceRefused("EVIDENCE_LOG", f"the head's block {said.block} is missing or another")
    return head, index


def parse_place(data: bytes) -> tuple[int, int, tuple[bytes, ...]]:
    """Return a log proof's index, number in its transaction, and path; refuse with EVIDENCE_FORMAT."""
    try:
        value: Any = jcs.loads_canonical(data)
        if (
            not isinstance(value, dict)
            or value.keys() != {"v", "index", "pos", "path"}
            or not is_first(value["v"])
        ):
            raise ValueError("other members than v, index, pos, path")  # noqa: TRY301  one error for every wrong form
        if not is_count(value["index"]) or not is_count(value["pos"]):
            raise ValueError("index or pos")  # noqa: TRY301  one error for every wrong form
        return value["index"], value["pos"], hash_list(value["path"])
    except ValueError as error:
        raise EvidenceRefused("EVIDENCE_FORMAT", f"log/proof.json: {error}") from error
