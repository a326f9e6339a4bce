"""Packages of every kind of ballot: by proxy, by an amendment, replaced, weighed anew, disputed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.evidence.verify import verify_evidence
from auditor.log.service_db import ServiceDatabase
from client.encodings import base64url
from client.encodings.batch import encode_batch
from client.encodings.leaf import Claim
from client.encodings.objection import sign_objection
from tests.unit.auditor.amending_player import AmendingPlayer
from tests.unit.auditor.evidence.case import Case, exporter_of
from tests.unit.auditor.lenders import key, verdicts
from tests.unit.auditor.log.stage import NOW, LogStage
from tests.unit.auditor.meeting_player import MTG, Player
from tests.unit.auditor.test_disputes import Disputes
from tests.unit.auditor.test_mandates import Proxies

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network

MORE = (Claim("enterprise", 1_00), Claim("individual", 5_00))
OTHER = base64url.encode(b"p" * 16)
"""The id of another lender's objection."""


def case_of(fabric: Network, folder: Path, player: Player, digest: str) -> Case:
    database = ServiceDatabase.open(f"sqlite:///{folder / 'audit.db'}")
    try:
        stage = LogStage(fabric, database)
        stage.player = player
        exporter = exporter_of(stage)
        package = exporter.export(MTG, digest, now=NOW)
        subject = verify_evidence(package, stage.trust).manifest.subject
        return Case(stage, exporter, stage.trust, digest, package, subject)
    finally:
        database.close()


def proxied(fabric: Network, folder: Path) -> Case:
    """A ballot by proxy whose mandate was revoked later."""
    player = Proxies(fabric)
    player.enrolled(sessions=3).opened()
    agency = player.agency("an", "ding")
    player.acting(agency)
    player.record(agency.mandate())
    signed = agency.signed(agency.mandate())
    player.vote("an", agency, signed)
    player.revoke_mandate(agency)
    return case_of(fabric, folder, player, signed.digest)


def amended(fabric: Network, folder: Path) -> Case:
    """A ballot of a lender whom an amendment has; the ballot's entry has no leaf."""
    player = AmendingPlayer(fabric).enrolled().opened()
    assert isinstance(player, AmendingPlayer)
    player.submit([("an", 1, {})])
    player.amend(chen=MORE)
    signed, entry = player.ballot("chen"), player.by_amendment("chen", 3)
    writes: dict[str, bytes | None] = {**player.accept("chen", signed, 3)}
    before = dict(player.held)
    player.held["chen"] = (player.scene.lenders["chen"], signed)
    tx = player.chain.next_transaction_id(player.relay)
    writes[key("subtotal", MTG, tx)] = player.subtotal(before, ["chen"])
    player.subtotals += 1
    batch = [b"SubmitBallots", encode_batch(MTG, [entry])]
    player.run(player.relay, batch, verdicts(1), writes, player.looked_at(signed))
    player.amend(an=MORE)
    return case_of(fabric, folder, player, player.ballot("chen").digest)


def disputed(fabric: Network, folder: Path) -> Case:
    """A ballot whose voter objected and won, beside another lender's objection, between two audits."""
    play = Disputes(fabric).objecting()
    signed, other = play.objection(), play.objection(1).objection
    lender = play.scene.lenders[play.names[1]]
    play.anchor(1).file(sign_objection(replace(other, obj=OTHER), lender.x5t, lender.key))
    play.file(signed).answer(signed.objection.obj).decide(signed.objection.obj, remedy="recount").anchor()
    digest = play.ballot(play.names[0]).digest
    return case_of(fabric, folder, play, digest)


def replaced(fabric: Network, folder: Path) -> Case:
    """A ballot in whose place its voter cast another."""
    player = Player(fabric, revote="last").enrolled(sessions=2).opened()
    player.submit([("an", 1, {})])
    first = player.ballot("an").digest
    player.submit([("an", 3, {"seq": 2, "m1": "reject"})])
    return case_of(fabric, folder, player, first)


def reweighed(fabric: Network, folder: Path) -> Case:
    """A ballot proved on the frozen roll, whose voter's claims an amendment changed since."""
    player = AmendingPlayer(fabric).enrolled().opened()
    assert isinstance(player, AmendingPlayer)
    player.submit([("an", 1, {})])
    player.amend(an=MORE)
    return case_of(fabric, folder, player, player.ballot("an").digest)
