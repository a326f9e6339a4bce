"""The acknowledgement desk where amendments changed the frozen roll: they come from a double."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from client.encodings.amendment import Amended, Amendment, Change, Entitlement
from client.encodings.batch import AmendedEntry, CompactEntry, decode_entry
from client.encodings.errors import Refused
from client.encodings.leaf import Claim
from client.errors import UserError
from client.platform.models import Ballot, OutboxEntry
from client.receipts import ReceiptOffice, verify
from client.relay.desk import AcknowledgementDesk
from tests.unit.platform.scene import INSTITUTION, Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.platform import Database

FROZEN, LITTLE = Entitlement((Claim("individual", 100_00),)), Entitlement((Claim("individual", 7_00),))
CHANGED, REMOVED, UNTOUCHED, ADDED, STRANGER = 0, 1, 2, 5, 6


@dataclass
class Channel:
    """A channel's confirmed amendments."""

    made: list[Amendment] = field(default_factory=list)

    def confirmed(self, institution: str, mtg: str) -> tuple[Amendment, ...]:
        assert (institution, mtg) == (INSTITUTION, "m-1")
        return tuple(self.made)

    def amended(self, institution: str, mtg: str) -> Mapping[str, Amended]:
        return {
            one.sub: Amended(one.before, one.after)
            for made in self.confirmed(institution, mtg)
            for one in made.changes
        }


class Amending(Scene):
    """Lenders 0 and 1 were changed and removed, 5 was added, and 6 is enrolled, but on no roll."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keys += [self._lender(), self._lender()]
        self.channel = Channel()
        wanted = {CHANGED: (FROZEN, LITTLE), REMOVED: (FROZEN, None), ADDED: (None, LITTLE)}
        changes = sorted((self.keys[n].sub, *sides) for n, sides in wanted.items())
        self.channel.made.append(
            Amendment(
                "m-1",
                1,
                "2026-03-02T08:00:00Z",
                "corrected",
                "ab" * 32,
                tuple(Change(*change) for change in changes),
            )
        )

    def counter(self) -> AcknowledgementDesk:
        return AcknowledgementDesk(
            self.database, "m-1", self.signer, amendments=self.channel, clock=self.clock, wall=lambda: 0.0
        )

    def committed(self, lender: int) -> str:
        """Take a lender's ballot and note it as committed; return its digest."""
        taken = self.counter().accept(self.ballot(lender).compact)
        with self.database.write() as session:
            session.execute(update(Ballot).values(status="committed", tx=secrets.token_hex(32), block=7))
        return taken.digest


@pytest.fixture
def scene(database: Database) -> Amending:
    return Amending(database)


@pytest.mark.parametrize(
    ("lender", "kind", "fen"),
    [(CHANGED, AmendedEntry, 7_00), (ADDED, AmendedEntry, 7_00), (UNTOUCHED, CompactEntry, 100_00)],
)
def test_the_ballot_is_queued_with_the_claims_that_it_will_count_with(
    scene: Amending, lender: int, kind: type, fen: int
) -> None:
    scene.counter().accept(scene.ballot(lender).compact)
    with scene.database.read() as session:
        entry = decode_entry(session.scalars(select(OutboxEntry.entry)).one())
        claims = session.scalars(select(Ballot.claims)).one()
    assert isinstance(entry, kind)
    assert claims == f'[{{"class":"individual","fen":{fen}}}]'


@pytest.mark.parametrize(("lender", "code"), [(REMOVED, "ROLL_PROOF"), (STRANGER, "ROLL_LEAF_FOREIGN")])
def test_whoever_is_off_the_roll_gets_no_acknowledgement(scene: Amending, lender: int, code: str) -> None:
    with pytest.raises(Refused) as caught:
        scene.counter().accept(scene.ballot(lender).compact)
    assert caught.value.code == code


@pytest.mark.parametrize(("lender", "fen"), [(CHANGED, 7_00), (ADDED, 7_00), (UNTOUCHED, 100_00)])
def test_the_receipt_says_what_the_ballot_counts_with(scene: Amending, lender: int, fen: int) -> None:
    digest = scene.committed(lender)
    receipt = ReceiptOffice(scene.database, "m-1", scene.signer, scene.channel).issue(digest)
    roots = {"lender_root": scene.lender_ca.root_der, "door_root": scene.door_ca.root_der}
    verified = verify(receipt.encode(), scene.meeting, **roots)
    assert (verified.sub, verified.fen) == (scene.keys[lender].sub, fen)


def test_a_ballot_cast_before_the_amendment_keeps_a_receipt_of_its_leaf(scene: Amending) -> None:
    made = scene.channel.made.pop()
    digest = scene.committed(CHANGED)
    scene.channel.made.append(made)
    receipt = ReceiptOffice(scene.database, "m-1", scene.signer, scene.channel).issue(digest)
    assert verify(receipt.encode(), scene.meeting).fen == 100_00


def test_without_the_amendment_at_hand_there_is_no_receipt(scene: Amending) -> None:
    digest = scene.committed(ADDED)
    scene.channel.made.clear()
    for office in (
        ReceiptOffice(scene.database, "m-1", scene.signer, scene.channel),
        ReceiptOffice(scene.database, "m-1", scene.signer),
    ):
        with pytest.raises(UserError, match="no amendment"):
            office.issue(digest)
