"""Packages of meetings that went otherwise: still open, voted again, key revoked since, exported twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.errors import AuditUnavailable
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.log.errors import LogRefused
from auditor.log.service_db import ServiceDatabase
from tests.unit.auditor.evidence.case import exporter_of
from tests.unit.auditor.log.stage import NOW, LogStage
from tests.unit.auditor.meeting_player import MTG
from tests.unit.auditor.test_mandates import Proxies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServiceDatabase]:
    opened = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    yield opened
    opened.close()


def test_of_an_open_meeting_without_a_result(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database)
    package = exporter_of(stage).export(MTG, stage.ballot("an").digest, now=NOW)
    said = as_json(verify_evidence(package, stage.trust))
    assert (said["state"], said["result"], said["index"]) == ("open", None, 0)


def test_of_a_ballot_that_a_later_one_replaced(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database, revote="last")
    first = stage.player.ballot("an").digest
    stage.player.submit([("an", 3, {"seq": 2, "m1": "reject"})])
    exporter = exporter_of(stage)
    verified = verify_evidence(exporter.export(MTG, first, now=NOW), stage.trust)
    assert not verified.manifest.subject.stands
    assert "had been replaced by a later ballot" in as_text(verified)
    second = stage.player.ballot("an", seq=2, m1="reject").digest
    again = verify_evidence(exporter.export(MTG, second, now=NOW), stage.trust)
    assert again.manifest.subject.stands
    assert dict(again.ballot.ballot.votes)["m1"] == "reject"


def test_of_a_lender_whose_key_was_revoked_since(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database)
    stage.player.revoke(stage.player.scene.lenders["an"])
    package = exporter_of(stage).export(MTG, stage.ballot("an").digest, now=NOW)
    said = as_json(verify_evidence(package, stage.trust))
    assert said["certificate"]["status"] == "revoked"
    assert said["certificate"]["rev"] == 2


def test_the_same_export_gives_the_same_bytes(fabric: Network, database: ServiceDatabase) -> None:
    stage = LogStage(fabric, database)
    exporter, digest = exporter_of(stage), stage.ballot("bo").digest
    assert exporter.export(MTG, digest, now=NOW) == exporter.export(MTG, digest, now=NOW)


def test_nothing_is_exported_from_a_chain_that_does_not_verify(
    fabric: Network, database: ServiceDatabase
) -> None:
    stage = LogStage(fabric, database)
    digest = stage.ballot("bo").digest
    broken = bytearray(stage.player.chain.blocks[3])
    broken[len(broken) // 2] ^= 1
    stage.player.chain.blocks[3] = bytes(broken)
    with pytest.raises(LogRefused, match="LOG_UNVERIFIED"):
        exporter_of(stage).export(MTG, digest, now=NOW)


def test_a_ballot_by_proxy_is_not_exported_yet(fabric: Network, database: ServiceDatabase) -> None:
    stage, player = LogStage(fabric, database), Proxies(fabric)
    player.enrolled(sessions=3).opened()
    agency = player.agency("an", "ding")
    player.acting(agency)
    player.record(agency.mandate())
    signed = agency.signed(agency.mandate())
    player.vote("an", agency, signed)
    stage.player = player
    with pytest.raises(AuditUnavailable, match="cast by proxy"):
        exporter_of(stage).export(MTG, signed.digest, now=NOW)
