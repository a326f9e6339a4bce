"""Replay of mandates and of ballots by proxy: the scenarios of the chaincode's tests, byte for byte."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from client.encodings.batch import encode_batch
from client.encodings.mandate import sign_mandate
from client.encodings.mandate_record import MandateRecord, Revoked
from client.encodings.revocation import Revocation, sign_revocation
from tests.unit.auditor.lenders import canonical, key, verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player, unpadded
from tests.vectors.agency_cases import IAT, Agency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.encodings.ballot import SignedBallot
    from client.encodings.mandate import SignedMandate
    from tests.unit.auditor.builder import Network

ACCEPTED = verdicts(1)


class Proxies(Player):
    """Plays a meeting that takes mandates; ballots are submitted one by one."""

    def __init__(self, fabric: Network, **changes: Any) -> None:
        super().__init__(fabric, **({"proxies": True, "revote": "last"} | changes))
        self.mandates: dict[str, MandateRecord] = {}
        self.number = 0

    def agency(self, principal: str, proxy: str) -> Agency:
        return Agency(self.scene, self.scene.lenders[principal], self.scene.lenders[proxy], "proxies")

    def acting(self, agency: Agency) -> None:
        """Record the proxy's checks numbered 1 to 3 for the principal."""
        tx = self.identity.next_transaction_id(self.verifier)
        checks = [agency.session(number).as_json() for number in (1, 2, 3)]
        self._identity(
            self.verifier,
            [b"RecordSessions", canonical(checks)],
            verdicts(len(checks)),
            {key("session", one["ses"]): canonical({**one, "tx": tx}) for one in checks},
        )

    def record(
        self,
        signed: SignedMandate,
        response: bytes = ACCEPTED,
        change: Mapping[str, bytes | None] | None = None,
        *,
        rev: int = 1,
    ) -> None:
        """Record a mandate; `change` forges writes, and another response leaves none."""
        sub = signed.mandate.sub
        where = key("mandate", MTG, sub)
        tx = self.chain.next_transaction_id(self.relay)
        before = self.mandates.get(sub)
        past = (*before.past, before.digest) if before else ()
        writes: dict[str, bytes | None] = {}
        if response == ACCEPTED:
            self.mandates[sub] = MandateRecord(signed, rev, past, None, tx)
            writes[where] = self.mandates[sub].encode()
        self.run(
            self.relay,
            [b"RecordMandates", MTG.encode(), canonical([signed.compact])],
            response,
            {**writes, **(change or {})},
            [*(key(kind, MTG) for kind in ("meeting", "state")), where],
        )

    def revoke_mandate(self, agency: Agency) -> None:
        meeting, mine = self.scene.meeting, agency.principal
        held = self.mandates[mine.sub]
        word = Revocation(meeting.mh, MTG, mine.sub, held.digest, IAT)
        signed = sign_revocation(word, mine.x5t, mine.key).compact
        writes: dict[str, bytes | None] = {}
        where = key("mandate", MTG, mine.sub)
        if held.revoked is None:
            tx = self.chain.next_transaction_id(self.relay)
            held = self.mandates[mine.sub] = replace(held, revoked=Revoked(signed, 1), tx=tx)
            writes[where] = held.encode()
        self.run(
            self.relay,
            [b"RevokeMandate", MTG.encode(), signed.encode()],
            held.encode(),
            writes,
            [*(key(kind, MTG) for kind in ("meeting", "state")), where],
        )

    def vote(
        self,
        name: str,
        agency: Agency | None,
        signed: SignedBallot,
        response: bytes = ACCEPTED,
        *,
        without_mandate: bool = False,
    ) -> None:
        """Submit a ballot of a lender's; any response but acceptance leaves nothing."""
        self.number += 1
        lender = self.scene.lenders[name]
        entry = replace((agency or Agency(self.scene, lender, lender)).compact(signed), ack_no=self.number)
        tx = self.chain.next_transaction_id(self.relay)
        reads = self.looked_at(signed)
        if agency is not None and not without_mandate:
            reads.append(key("mandate", MTG, lender.sub))
        writes: dict[str, bytes | None] = {}
        if response == ACCEPTED:
            before = dict(self.held)
            writes = {**self._records(name, agency, signed)}
            self.held[name] = (lender, signed)
            writes[key("subtotal", MTG, tx)] = self.subtotal(before, [name])
            self.subtotals += 1
        self.run(self.relay, [b"SubmitBallots", encode_batch(MTG, [entry])], response, writes, reads)

    def _records(self, name: str, agency: Agency | None, signed: SignedBallot) -> dict[str, bytes]:
        lender, content = self.scene.lenders[name], signed.ballot
        record = json.loads(self.scene.meeting.record)
        classes = [one["class"] for one in record["roll"]["classes"]]
        votes: list[Any] = [content.votes[motion["id"]] for motion in record["motions"]]
        ballot: list[Any] = [
            *(1, 0, self.number, 1772526600),
            [[classes.index(one.cls), one.fen] for one in lender.claims],
            *(unpadded(signed.digest), 1, content.seq, unpadded(content.ses)),
            [
                [] if vote == () else motion["choices"].index(vote)
                for motion, vote in zip(record["motions"], votes, strict=True)
            ],
        ]
        if agency is not None:
            ballot += [[place for place, vote in enumerate(votes) if vote == ()], unpadded(agency.proxy.sub)]
        left = {key("ballot", MTG, lender.sub): cbor2.dumps(ballot)}
        if name in self.held:
            before = self.held[name][1]
            left[key("session", MTG, before.ballot.ses)] = before.digest.encode()
        return left


def refused(code: str, rev: int = 1) -> bytes:
    return verdicts(0, refused=[[0, code, rev]])


@pytest.fixture
def player(fabric: Network) -> Proxies:
    player = Proxies(fabric)
    player.enrolled(sessions=3).opened()
    return player


@pytest.fixture
def agency(player: Proxies) -> Agency:
    agency = player.agency("an", "ding")
    player.acting(agency)
    return agency


def findings(player: Proxies) -> list[str]:
    return [str(one) for one in player.follow().findings(CHANNEL)]


def steps(player: Proxies) -> list[int]:
    return [one.step for one in player.follow().findings(CHANNEL)]


def test_own_after_proxy_and_never_the_reverse(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate()
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate, 3))
    player.vote("an", agency, agency.signed(mandate, 3), verdicts(0, held=[0]))
    player.vote("an", agency, agency.signed(mandate, 2), refused("SEQ_STALE"))
    player.vote("an", None, player.ballot("an", m1="reject"))
    player.vote("an", agency, agency.signed(mandate, 2), refused("PRINCIPAL_VOTED"))
    player.vote("ding", None, player.ballot("ding"))
    player.closed()
    assert findings(player) == []


@pytest.mark.parametrize(("revote", "code"), [("none", "REVOTE_NOT_ALLOWED"), ("first", "FIRST_STANDS")])
def test_the_own_ballot_prevails_where_revotes_do_not(fabric: Network, revote: str, code: str) -> None:
    player = Proxies(fabric, revote=revote)
    player.enrolled(sessions=3).opened()
    agency, second = player.agency("an", "ding"), player.agency("an", "chen")
    for one in (agency, second):
        player.acting(one)
    player.record(agency.mandate())
    player.vote("an", agency, agency.signed(agency.mandate()))
    player.vote("an", agency, agency.signed(agency.mandate(), 2), refused(code))
    player.record(second.mandate(2))
    player.vote("an", second, second.signed(second.mandate(2)), refused(code))
    player.vote("an", None, player.ballot("an"))
    player.vote("an", None, player.ballot("an", seq=2), refused(code))
    player.closed()
    assert findings(player) == []


def test_two_proxies(player: Proxies, agency: Agency) -> None:
    second = player.agency("an", "chen")
    player.acting(second)
    first, then = agency.mandate(), second.mandate(2)
    player.record(first)
    player.vote("an", agency, agency.signed(first, 3))
    player.record(then)
    player.record(first, refused("MANDATE_REVOKED"))
    player.vote("an", agency, agency.signed(first, 3), verdicts(0, held=[0]))
    player.vote("an", agency, agency.signed(first, 2), refused("MANDATE_REVOKED", 0))
    player.vote("an", second, second.signed(then))
    player.closed()
    assert findings(player) == []


def test_a_revocation_leaves_the_ballot_counted(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate()
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate))
    player.revoke_mandate(agency)
    player.revoke_mandate(agency)
    player.vote("an", agency, agency.signed(mandate, 2), refused("MANDATE_REVOKED", 0))
    player.record(mandate, verdicts(0, held=[0]))
    player.closed()
    assert findings(player) == []


def test_what_is_not_there_yet_waits(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate()
    player.vote("an", agency, agency.signed(mandate), verdicts(0, pending=[[0, "MANDATE_NOT_FOUND"]]))
    player.record(mandate, verdicts(0, pending=[[0, "ENROLMENT_NOT_FOUND"]]))
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate, 3))
    player.closed()
    assert findings(player) == []


def test_a_motion_that_the_mandate_does_not_cover_has_no_vote(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate(1, ("m2",))
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate), refused("MANDATE_SCOPE", 0))
    player.vote("an", agency, agency.signed(mandate, votes={"m1": (), "m2": "reject"}))
    assert findings(player) == []


def test_a_vote_without_a_mandate_is_found(player: Proxies, agency: Agency) -> None:
    player.vote("an", agency, agency.signed(agency.mandate()))
    assert 16 in steps(player)


def test_a_vote_after_the_revocation_is_found(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate()
    player.record(mandate)
    player.revoke_mandate(agency)
    player.vote("an", agency, agency.signed(mandate))
    assert 16 in steps(player)


def test_a_mandate_that_was_not_looked_at_is_found(player: Proxies, agency: Agency) -> None:
    mandate = agency.mandate()
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate), without_mandate=True)
    assert steps(player) == [15]


def test_a_mandate_that_the_principal_did_not_sign_is_found(player: Proxies, agency: Agency) -> None:
    principal = agency.principal
    player.record(sign_mandate(agency.mandate().mandate, principal.x5t, agency.proxy.key))
    assert 16 in steps(player)


def test_a_mandate_dropped_or_altered_is_found(player: Proxies, agency: Agency) -> None:
    where = key("mandate", MTG, agency.principal.sub)
    altered = MandateRecord(agency.mandate(1, ("m1",)), 1).encode()
    player.record(agency.mandate(), change={where: altered})
    assert steps(player) == [15]


def test_a_revision_that_identity_does_not_have_is_found(player: Proxies, agency: Agency) -> None:
    player.record(agency.mandate(), rev=7)
    assert 17 in steps(player)
