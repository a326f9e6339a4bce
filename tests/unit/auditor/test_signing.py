"""Heads signed while following: each continues the last, none is over a log that disagrees with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from auditor.following.signing import Signing
from auditor.log.head import verify_head
from auditor.log.service_db import LogBook, ServiceDatabase
from auditor.log.service_db.tables import LEAVES
from client.encodings import times
from tests.unit.auditor.lenders import verdicts
from tests.unit.auditor.log.stage import NOW, LogStage
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.test_following import Follower

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.log.head import SignedHead
    from tests.unit.auditor.builder import Network


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServiceDatabase]:
    opened = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    yield opened
    opened.close()


@pytest.fixture
def stage(fabric: Network, database: ServiceDatabase) -> LogStage:
    return LogStage(fabric, database, revote="last")


def signing(stage: LogStage, **changes: Any) -> Signing:
    parts: dict[str, Any] = {"signer": stage.signer, "every": 0, "clock": lambda: times.parse(NOW)} | changes
    return Signing(stage.database, regulator=stage.regulator, **parts)


def heads(stage: LogStage) -> list[SignedHead]:
    with stage.database.read() as connection:
        return list(LogBook(connection, MTG).heads())


def test_a_head_is_signed_for_whatever_the_channel_grew_by(stage: LogStage, tmp_path: Path) -> None:
    follower = Follower(stage.player, tmp_path)
    follower.run(
        lambda: len(heads(stage)) == 1,
        lambda: stage.player.submit([("chen", 3, {})]),
        lambda: len(heads(stage)) == 2,
        lambda: None,  # looked at once more, and nothing is new
        signing=signing(stage),
    )
    follower.run(  # started again, it compares the log anew
        lambda: stage.player.submit([("an", 4, {"seq": 2, "m2": "reject"})]),
        lambda: len(heads(stage)) == 3,
        signing=signing(stage),
    )
    assert follower.teller.told == []
    assert [one.head.size for one in heads(stage)] == [2, 3, 4]
    assert verify_head(heads(stage)[-1], stage.regulator).head == stage.publish(NOW).head


def test_a_log_that_disagrees_is_a_fork_and_nothing_is_signed(stage: LogStage, tmp_path: Path) -> None:
    stage.publish()
    with stage.database.write() as connection:
        assert connection.execute(update(LEAVES).values(leaf=b"{}")).rowcount == 2
    stage.player.submit([("chen", 3, {})])
    follower = Follower(stage.player, tmp_path)
    follower.run(lambda: bool(follower.teller.told), lambda: None, signing=signing(stage))
    assert follower.teller.kinds == ["fork"]
    assert follower.teller.told[0]["where"] == f"log of {MTG}"
    assert len(heads(stage)) == 1


def test_a_signer_whom_nobody_would_believe_is_told_once(stage: LogStage, tmp_path: Path) -> None:
    follower = Follower(stage.player, tmp_path)
    other = stage.signer_of("AssociationMSP", "auditor")
    follower.run(
        lambda: bool(follower.teller.told), lambda: None, lambda: None, signing=signing(stage, signer=other)
    )
    assert follower.teller.kinds == ["peer"]
    assert "no head is signed" in follower.teller.told[0]["text"]
    assert heads(stage) == []


def test_nothing_is_signed_over_a_meeting_that_failed(stage: LogStage, tmp_path: Path) -> None:
    stage.player.submit([("chen", 3, {})], response=verdicts(9))
    follower = Follower(stage.player, tmp_path)
    follower.run(lambda: follower.value("height", channel=CHANNEL), lambda: None, signing=signing(stage))
    assert follower.teller.kinds == ["unverified"]
    assert heads(stage) == []
