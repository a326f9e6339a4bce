"""A played meeting, a log of it, the Regulator's auditor who signs, and lenders with receipts."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.log.extract import Extract, extract
from auditor.log.head import HeadSigner, SignedHead, TreeHead
from auditor.log.publish import LastBlock, publish
from auditor.log.receipt import AuditedReceipt
from auditor.log.service_db import LogBook, ServiceDatabase
from auditor.log.trust import TrustRoot, fingerprint
from auditor.members import Organisation
from client.encodings import certificates
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.receipt import OnRoll, Receipt, sign_inclusion
from tests.unit.auditor.meeting_player import ACK_FORM, CHANNEL, MTG, Player
from tests.vectors.scene import DOOR, certificate_of, key_of

if TYPE_CHECKING:
    from auditor.view import ChainBallot, ChainMeeting
    from tests.unit.auditor.builder import Network, Signer

NOW, LATER = "2026-03-09T11:30:00Z", "2026-03-09T12:30:00Z"
DOOR_ROOT = certificate_of("association-ca", "association-ca", "association-ca")
LENDER_ROOT = certificate_of("lender-ca", "lender-ca", "lender-ca")


def der(signer: Signer) -> bytes:
    return signer.certificate.public_bytes(Encoding.DER)


class LogStage:
    def __init__(self, fabric: Network, database: ServiceDatabase, **changes: Any) -> None:
        self.fabric = fabric
        self.database = database
        self.player = Player(fabric, **changes).enrolled(sessions=2).opened()
        self.player.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])

    @cached_property
    def regulator(self) -> Organisation:
        return Organisation("RegulatorMSP", (self.fabric.orgs["RegulatorMSP"].root,))

    @cached_property
    def signer(self) -> HeadSigner:
        return self.signer_of("RegulatorMSP", "auditor")

    def signer_of(self, msp: str, role: str) -> HeadSigner:
        person = self.fabric.person(msp, role)
        root = self.fabric.orgs[msp].root.public_bytes(Encoding.DER)
        return HeadSigner(person.key, (der(person), root))

    @property
    def trust(self) -> TrustRoot:
        genesis = {name: value.hex() for name, value in self.player.genesis.items()}
        return TrustRoot(genesis, frozenset({fingerprint(self.regulator.roots[0])}))

    def meeting(self) -> ChainMeeting:
        found = self.player.follow().meeting(CHANNEL, MTG)
        assert found is not None
        return found

    def last(self) -> LastBlock:
        number = len(self.player.chain.blocks) - 1
        return LastBlock(number, self.player.chain.header(number).hash().hex())

    def publish(self, now: str = NOW, database: ServiceDatabase | None = None, **changes: Any) -> SignedHead:
        """Log what the chain holds; `changes` make the meeting another than it is."""
        meeting = replace(self.meeting(), **changes)
        return publish(database or self.database, meeting, self.last(), self.signer, self.regulator, now=now)

    def next_head(self, head: TreeHead, **changes: Any) -> TreeHead:
        """A head over the same log, a block later, unless told otherwise."""
        following: dict[str, Any] = {"block": head.block + 1, "block_hash": "cd" * 32} | changes
        return replace(head, **following)

    # Receipts

    def ballot(self, name: str) -> ChainBallot:
        return self.meeting().accepted[self.player.ballot(name, **self._votes(name)).digest]

    def _votes(self, name: str) -> dict[str, Any]:
        return {"m2": "reject"} if name == "bo" else {}

    def receipt(self, name: str, **changes: Any) -> bytes:
        """The door's receipt of a lender's ballot; `changes` move its block or transaction, signed so."""
        scene = self.player.scene
        lender, signed = scene.lenders[name], self.player.ballot(name, **self._votes(name))
        certificate = certificate_of("relay", "relay", "association-ca")
        x5t, relay = certificates.thumbprint(certificate), key_of("relay")
        on_chain = self.ballot(name)
        place: dict[str, Any] = {"channel": CHANNEL, "block": on_chain.block, "tx": on_chain.tx} | changes
        ack = Acknowledgement(scene.meeting.mh, MTG, signed.digest, DOOR, 1, ACK_FORM)
        return Receipt(
            ballot=signed.compact,
            basis=OnRoll(scene.leaf(lender), scene.index(lender), scene.tree.path(scene.index(lender))),
            ack=sign_acknowledgement(ack, x5t, relay).compact,
            ack_cert=certificate,
            cert=lender.certificate,
            signature=sign_inclusion(signed.digest, x5t=x5t, key=relay, **place),
            **place,
        ).encode()

    def audited(self, name: str, head: SignedHead | None = None, **changes: Any) -> AuditedReceipt:
        """The audited receipt of a lender's ballot under a head (default: the newest)."""
        with self.database.read() as connection:
            book = LogBook(connection, MTG)
            chosen = head or book.last_head()
            found = book.find(self.ballot(name).digest)
            assert chosen is not None
            assert found is not None
            path = book.tree().inclusion(found.index, chosen.head.size)
        record = self.player.scene.meeting.record
        made = AuditedReceipt(self.receipt(name), record, chosen, found.index, found.leaf.pos, path)
        return replace(made, **changes)

    def extract(
        self, database: ServiceDatabase, size: int, start: int = 0, stop: int | None = None
    ) -> Extract:
        with database.read() as connection:
            return extract(LogBook(connection, MTG), start, size if stop is None else stop, size)
