"""Collecting a ballot's evidence: from the own peer's verified chain to the bytes of a package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from auditor import protobuf as pb
from auditor.blocks import parse_block
from auditor.errors import VerificationError
from auditor.evidence.anchored import anchors_file
from auditor.evidence.chain import block_name, blocks_of
from auditor.evidence.container import encode
from auditor.evidence.counted import verify_counted
from auditor.evidence.disputes import KINDS, dispute_keys, objector_of
from auditor.evidence.explanation import Facts, explain
from auditor.evidence.files import ANCHORS, custody, repeated
from auditor.evidence.manifest import NAME, Subject, sign_manifest
from auditor.evidence.provenance import named
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
from client.encodings.mandate_record import parse_mandate_record
from client.encodings.meeting import parse_meeting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.evidence.counted import Counted
    from auditor.evidence.records import Held
    from auditor.log.current import Current
    from auditor.log.head import HeadSigner, SignedHead
    from auditor.log.service_db import ServiceDatabase
    from auditor.log.trust import TrustRoot
    from auditor.members import Organisation
    from auditor.run import Roots
    from auditor.source import BlockSource
    from client.encodings.ballot import Ballot, SignedBallot

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

    def export(self, mtg: str, digest: str, *, now: str, provenance: Sequence[bytes] = ()) -> bytes:
        """Return the package of a ballot, verified as a stranger would verify it.

        The channels are verified and the log is continued and signed first, so that nothing is vouched for
        that the chain doesn't hold now. `now` is the auditor's clock; `provenance` are the roll's
        countersignature and log of corrections, to be attached. Raises AuditUnavailable for a meeting that
        isn't there; refuses with LOG_ABSENT a ballot that was never accepted, and otherwise as
        `verify_current` and `publish` do.
        """
        current = verify_current(self.source, self.roots, mtg)
        found = current.meeting.accepted.get(digest)
        if found is None:
            raise LogRefused("LOG_ABSENT", digest)
        ballot = parse_ballot(found.jws)
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
        files |= named(provenance)
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
        own = _Sieve(channel, meeting_keys(content), frozenset({head.head.block}), content)
        own.sift(self.source.blocks(channel, 0, current.heights[channel]))
        signers = {content.sub, _signer(own, content)}
        people = _Sieve(IDENTITY, identity_keys(meeting.institution, signers, content.ses))
        people.sift(self.source.blocks(IDENTITY, 0, current.heights[IDENTITY]))
        return {**people.kept, **own.kept}, len(own.written.get(composite("amendments", meeting.mtg), ()))

    def _proofs(
        self, ballot: SignedBallot, held: Held, counted: Counted, head: SignedHead
    ) -> dict[str, bytes]:
        with self.database.read() as connection:
            book = LogBook(connection, held.meeting.mtg)
            stored = book.find(ballot.digest)
            if stored is None:
                raise LogRefused("LOG_ABSENT", ballot.digest)
            tree, size = book.tree(), head.head.size
            inclusion = tree.inclusion(stored.index, size)
            anchors = anchors_file(held.anchors, lambda first: tree.consistency(first, size))
        place = {"v": 1, "index": stored.index, "pos": stored.leaf.pos}
        return {
            **_on_roll(ballot, held, counted),
            **({ANCHORS: anchors} if held.anchors else {}),
            "log/head.json": head.encode(),
            "log/proof.json": jcs.dumps({**place, "path": [base64url.encode(node) for node in inclusion]}),
        }


def _on_roll(ballot: SignedBallot, held: Held, counted: Counted) -> dict[str, bytes]:
    """Return the voter's leaf and its path; nothing where an amendment had the entry."""
    entry, roll = counted.entry, held.meeting.roll
    if counted.amended is not None or isinstance(entry, AmendedEntry):
        return {}
    leaf = read_leaf(entry, ballot.ballot, held.meeting)
    above = merkle.Tree(held.cap).path(entry.index >> roll.cap_height)
    path = [base64url.encode(node) for node in (*entry.proof, *above)]
    return {
        "roll/leaf.json": leaf.encode(),
        "roll/proof.json": jcs.dumps({"v": 1, "index": entry.index, "path": path}),
    }


def _signer(own: _Sieve, content: Ballot) -> str:
    """Return who signed a ballot, by the mandate that it names."""
    for record in own.written.get(composite("mandate", content.mtg, content.sub), ()):
        given = parse_mandate_record(record)
        if given.digest == content.prx:
            return given.mandate.proxy
    return content.sub


@dataclass(slots=True)
class _Sieve:
    """Keeps a channel's configurations, blocks with a valid writing of a wanted key, and those asked for.

    With an `objector` it keeps that voter's objections with their answers and awards besides.
    """

    channel: str
    keys: frozenset[str]
    numbers: frozenset[int] = frozenset()
    objector: Ballot | None = None
    kept: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, list[bytes]] = field(default_factory=dict)

    def sift(self, blocks: Iterable[bytes]) -> None:
        for raw in blocks:
            block = parse_block(raw)
            number = block.header.number
            wanted = False
            for position, envelope in enumerate(block.data):
                if block.codes[position] == _VALID:
                    wanted |= self._takes(envelope, number, position)
            is_config = transaction_type(block.data[0]) == pb.common.CONFIG
            if is_config or number in self.numbers or wanted:
                self.kept[block_name(self.channel, number)] = raw

    def _takes(self, envelope: bytes, number: int, position: int) -> bool:
        """Note what a transaction writes under the wanted keys; say whether it writes any."""
        if transaction_type(envelope) != pb.common.ENDORSER_TRANSACTION:
            return False
        try:
            transaction = parse_transaction(envelope, self.channel, number, position)
        except VerificationError:  # one that the verifier took note of before
            return False
        for one in transaction.sets:
            for write in one.writes:
                self._follow(write.key, write.value or b"")
        writes = [write for one in transaction.sets for write in one.writes if write.key in self.keys]
        for write in writes:
            self.written.setdefault(write.key, []).append(write.value or b"")
        return bool(writes)

    def _follow(self, key: str, value: bytes) -> None:
        """Want an objection of the voter's, and whatever answers or decides it later."""
        voter = self.objector
        if voter is None or not key.startswith(dispute_keys(voter.mtg)[0]):
            return
        sub, obj = objector_of(value)
        if sub == voter.sub:
            self.keys |= {composite(kind, voter.mtg, obj) for kind in KINDS}
