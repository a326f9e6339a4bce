"""The acknowledgement desk and ballots by proxy: mandates from a channel's double, everything else real."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from client.encodings.batch import CompactEntry, decode_entry
from client.encodings.errors import Refused
from client.encodings.mandate_record import MandateRecord, Revoked
from client.errors import UserError
from client.platform.models import Ballot, Mandate, OutboxEntry
from client.receipts import ReceiptOffice, verify
from client.relay.desk import AcknowledgementDesk
from client.relay.history import history
from tests.unit.platform.scene import INSTITUTION, VOTES, Scene

if TYPE_CHECKING:
    from client.encodings.ballot import SignedBallot, Vote
    from client.encodings.mandate import SignedMandate
    from client.platform import Database


@dataclass
class Channel:
    """The mandates of a channel, by principal."""

    records: dict[str, MandateRecord] = field(default_factory=dict)

    def mandate(self, institution: str, mtg: str, sub: str) -> MandateRecord | None:
        assert (institution, mtg) == (INSTITUTION, "m-2")
        return self.records.get(sub)


class Proxied(Scene):
    """A meeting that takes mandates; lender 0 is the principal, 1 and 2 act for it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.meeting = self.hold("m-2", proxies=True)
        self.channel = Channel()

    def give(self, proxy: int = 1, no: int = 1, *motions: str) -> SignedMandate:
        principal = self.keys[0]
        signed = principal.sign_mandate(
            self.meeting, self.keys[proxy].sub, iat=self.clock(), no=no, motions=motions
        )
        before = self.channel.records.get(principal.sub)
        past = (*before.past, before.digest) if before else ()
        self.channel.records[principal.sub] = MandateRecord(signed, 1, past)
        return signed

    def vote(
        self,
        mandate: SignedMandate,
        proxy: int = 1,
        *,
        seq: int = 1,
        votes: dict[str, Vote] | None = None,
        act: int = 0,
    ) -> SignedBallot:
        ses = self.check(proxy, act=self.keys[act].sub)
        moment = self.clock()
        return self.keys[proxy].sign(
            self.meeting, votes or VOTES, ses=ses, iat=moment, seq=seq, mandate=mandate
        )

    def counter(self) -> AcknowledgementDesk:
        return AcknowledgementDesk(
            self.database, "m-2", self.signer, mandates=self.channel, clock=self.clock, wall=lambda: 0.0
        )

    def refusal(self, signed: SignedBallot) -> str:
        with pytest.raises(Refused) as caught:
            self.counter().accept(signed.compact)
        return caught.value.code


@pytest.fixture
def scene(database: Database) -> Proxied:
    return Proxied(database)


def test_a_proxys_ballot_is_taken_for_its_principal(scene: Proxied) -> None:
    signed = scene.vote(scene.give())
    scene.counter().accept(signed.compact)
    with scene.database.read() as session:
        row = session.scalars(select(Ballot)).one()
        entry = decode_entry(session.scalars(select(OutboxEntry)).one().entry)
    assert (row.sub, row.proxy) == (scene.keys[0].sub, scene.keys[1].sub)
    assert isinstance(entry, CompactEntry)
    assert entry.prx is not None


@pytest.mark.parametrize("revote", ["none", "first", "last"])
def test_the_own_ballot_prevails(database: Database, revote: str) -> None:
    scene = Proxied(database, revote=revote)
    mandate = scene.give()
    scene.counter().accept(scene.vote(mandate, seq=7).compact)
    scene.counter().accept(scene.ballot(0).compact)
    assert scene.refusal(scene.vote(mandate, seq=9)) == "PRINCIPAL_VOTED"
    states = [(one.state, one.proxy) for one in history(scene.database, "m-2", scene.keys[0].sub)]
    assert states == [("waiting", scene.keys[1].sub), ("waiting", None)]


@pytest.mark.parametrize(
    ("revote", "code"), [("none", "REVOTE_NOT_ALLOWED"), ("first", "FIRST_STANDS"), ("last", "")]
)
def test_a_second_proxy_has_numbers_of_its_own(database: Database, revote: str, code: str) -> None:
    scene = Proxied(database, revote=revote)
    first = scene.vote(scene.give(), seq=5)
    scene.counter().accept(first.compact)
    second = scene.vote(scene.give(2, 2), 2)
    if code:
        assert scene.refusal(second) == code
    else:
        scene.counter().accept(second.compact)
        assert scene.refusal(scene.vote(scene.give(2, 3), 2)) == "SEQ_EQUIVOCATION"


def test_the_same_ballot_gets_its_acknowledgement_again(
    scene: Proxied,
) -> None:
    signed = scene.vote(scene.give())
    taken = scene.counter().accept(signed.compact)
    scene.give(2, 2)
    assert scene.counter().accept(signed.compact) == taken


def test_what_is_refused(scene: Proxied) -> None:
    mandate = scene.give(1, 1, "m2")
    votes: dict[str, Vote] = {"m1": "approve", "m2": "reject"}
    sub = scene.keys[0].sub
    whole = replace(scene.vote(mandate).ballot, votes=votes)
    assert scene.vote(mandate).ballot.votes == {"m1": (), "m2": "reject"}
    assert whole.votes == votes
    assert scene.refusal(scene.vote(mandate, 2)) == "KEY_FOREIGN"
    assert scene.refusal(scene.vote(mandate, act=3)) == "SESSION_FOREIGN_LENDER"
    waiting = scene.channel.records.pop(sub)
    assert scene.refusal(scene.vote(mandate)) == "MANDATE_NOT_FOUND"
    scene.channel.records[sub] = replace(waiting, revoked=Revoked("x", 1))
    assert scene.refusal(scene.vote(mandate)) == "MANDATE_REVOKED"
    other = scene.keys[0].sign_mandate(scene.meeting, scene.keys[1].sub, iat=scene.clock(), no=3)
    scene.channel.records[sub] = MandateRecord(other, 1, (mandate.digest,))
    assert scene.refusal(scene.vote(mandate)) == "MANDATE_REVOKED"


def test_a_receipt_shows_the_mandate(scene: Proxied) -> None:
    mandate = scene.give()
    taken = scene.counter().accept(scene.vote(mandate).compact)
    with scene.database.write() as session:
        session.execute(update(Ballot).values(status="committed", tx=secrets.token_hex(32), block=7))
    office = ReceiptOffice(scene.database, "m-2", scene.signer)
    with pytest.raises(UserError, match="mandate"):
        office.issue(taken.digest)
    said = mandate.mandate
    with scene.database.write() as session:
        row = {"mtg": said.mtg, "sub": said.sub, "proxy": said.proxy, "no": said.no}
        session.add(Mandate(digest=mandate.digest, jws=mandate.compact, **row))
    receipt = office.issue(taken.digest)
    roots = {"lender_root": scene.lender_ca.root_der, "door_root": scene.door_ca.root_der}
    assert verify(receipt.encode(), scene.meeting, **roots).sub == scene.keys[0].sub
