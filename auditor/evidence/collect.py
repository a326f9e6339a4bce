"""Collecting a ballot's evidence: from the own peer's verified chain to the bytes of a package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor import protobuf as pb
from auditor.blocks import parse_block
from auditor.errors import AuditUnavailable, VerificationError
from auditor.evidence.chain import block_name, blocks_of
from auditor.evidence.container import encode
from auditor.evidence.counted import verify_counted
from auditor.evidence.explanation import Facts, explain
from auditor.evidence.files import custody, repeated
from auditor.evidence.manifest import NAME, Subject, sign_manifest
from auditor.evidence.records import identity_keys, meeting_keys, read_held
from auditor.evidence.verify import verify_evidence
from auditor.log.current import verify_current
from auditor.log.errors import LogRefused
from auditor.log.publish import publish
from auditor.log.service_db import LogBook
from auditor.replay.effect import composite
from auditor.transactions import parse_transaction, transaction_type
from auditor.verifier import IDENTITY
from client.encodings import base64url, jcs, merkle
from client.encodings.ballot import parse_ballot
from client.encodings.batch import AmendedEntry
from client.encodings.entries import read_leaf
from client.encodings.meeting import parse_meeting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.evidence.counted import Counted
    from auditor.evidence.records import Held
    from auditor.log.current import Current
    from auditor.log.head import HeadSigner, SignedHead
    from auditor.log.service_db import ServiceDatabase
    from auditor.log.trust import TrustRoot
    from auditor.members import Organisation
    from auditor.run import Roots
    from auditor.source import BlockSource
    from client.encodings.ballot import SignedBallot

_VALID: Final = 0


@dataclass(frozen=True, slots=True)
class Exporter:
    """Who exports, from where: the own peer, the log's database, the auditor's key, and what is trusted."""

    source: BlockSource
    roots: Roots
    database: ServiceDatabase
    signer: HeadSigner
    regulator: Organisation
    trust: TrustRoot

    def export(self, mtg: str, digest: str, *, now: str) -> bytes:
        """Return the package of a ballot, verified as a stranger would verify it.

        The channels are verified and the log is continued and signed first, so that nothing is vouched for
        that the chain doesn't hold now. `now` is the auditor's clock. Raises AuditUnavailable for a meeting
        that isn't there and for a ballot by proxy or of an amended entry; refuses with LOG_ABSENT a ballot
        that was never accepted, and otherwise as `verify_current` and `publish` do.
        """
        current = verify_current(self.source, self.roots, mtg)
        found = current.meeting.accepted.get(digest)
        if found is None:
            raise LogRefused("LOG_ABSENT", digest)
        ballot = parse_ballot(found.jws)
        if ballot.ballot.prx is not None:
            raise AuditUnavailable("the ballot was cast by proxy: packages don't carry mandates yet")
        head = publish(self.database, current.meeting, current.last, self.signer, self.regulator, now=now)
        blocks, amendments = self._blocks(current, ballot, head)
        standing = [one.digest for one in current.meeting.accepted.values() if one.sub == found.sub][-1]
        subject = Subject(
            mtg=mtg,
            mh=current.meeting.mh,
            channel=current.meeting.channel,
            digest=digest,
            time=now,
            heights=current.heights,
            state=current.meeting.state,
            amendments=amendments,
            stands=standing == digest,
        )
        held = read_held(blocks_of(blocks), subject, ballot, self.trust, self.roots.offices)
        counted = verify_counted(ballot, held, mtg)
        files = {**blocks, **repeated(held), **self._proofs(ballot, held, counted, head)}
        files["ballot.jws"] = ballot.compact.encode("ascii")
        files["custody.json"] = custody(now, current.heights, self.regulator.msp_id)
        files["explanation.pdf"] = explain(Facts(subject, held, ballot, counted, head.head))
        ordered = dict(sorted(files.items()))
        package = encode({NAME: sign_manifest(subject, ordered, self.signer), **ordered})
        verify_evidence(package, self.trust)
        return package

    def _blocks(
        self, current: Current, ballot: SignedBallot, head: SignedHead
    ) -> tuple[dict[str, bytes], int]:
        """Return the blocks that matter, and the number of amendments of the roll."""
        meeting, channel = parse_meeting(current.meeting.record.encode()), current.meeting.channel
        content = ballot.ballot
        people = _Sieve(IDENTITY, identity_keys(meeting.institution, content.sub, content.ses))
        people.sift(self.source.blocks(IDENTITY, 0, current.heights[IDENTITY]))
        own = _Sieve(channel, meeting_keys(meeting.mtg, content.sub), frozenset({head.head.block}))
        own.amendments = composite("amendments", meeting.mtg)
        own.sift(self.source.blocks(channel, 0, current.heights[channel]))
        return {**people.kept, **own.kept}, own.amended

    def _proofs(
        self, ballot: SignedBallot, held: Held, counted: Counted, head: SignedHead
    ) -> dict[str, bytes]:
        entry, meeting = counted.entry, held.meeting
        if isinstance(entry, AmendedEntry):
            raise AuditUnavailable("an amendment has the lender's entry: packages don't carry amendments yet")
        leaf = read_leaf(entry, ballot.ballot, meeting)
        above = merkle.Tree(held.cap).path(entry.index >> meeting.roll.cap_height)
        path = [base64url.encode(node) for node in (*entry.proof, *above)]
        with self.database.read() as connection:
            book = LogBook(connection, meeting.mtg)
            stored = book.find(ballot.digest)
            if stored is None:
                raise LogRefused("LOG_ABSENT", ballot.digest)
            inclusion = book.tree().inclusion(stored.index, head.head.size)
        place = {"v": 1, "index": stored.index, "pos": stored.leaf.pos}
        return {
            "roll/leaf.json": leaf.encode(),
            "roll/proof.json": jcs.dumps({"v": 1, "index": entry.index, "path": path}),
            "log/head.json": head.encode(),
            "log/proof.json": jcs.dumps({**place, "path": [base64url.encode(node) for node in inclusion]}),
        }


@dataclass(slots=True)
class _Sieve:
    """Keeps a channel's configurations, blocks with a valid writing of a wanted key, and those asked for."""

    channel: str
    keys: frozenset[str]
    numbers: frozenset[int] = frozenset()
    amendments: str = ""
    amended: int = 0
    kept: dict[str, bytes] = field(default_factory=dict)

    def sift(self, blocks: Iterable[bytes]) -> None:
        for raw in blocks:
            block = parse_block(raw)
            number = block.header.number
            written: set[str] = set()
            for position, envelope in enumerate(block.data):
                if block.codes[position] == _VALID:
                    written |= self._written(envelope, number, position)
            is_config = transaction_type(block.data[0]) == pb.common.CONFIG
            self.amended += self.amendments in written
            if is_config or number in self.numbers or written & self.keys:
                self.kept[block_name(self.channel, number)] = raw

    def _written(self, envelope: bytes, number: int, position: int) -> set[str]:
        if transaction_type(envelope) != pb.common.ENDORSER_TRANSACTION:
            return set()
        try:
            transaction = parse_transaction(envelope, self.channel, number, position)
        except VerificationError:  # one that the verifier took note of before
            return set()
        return {write.key for one in transaction.sets for write in one.writes}
