"""Two doors that serve one meeting on one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from client.encodings.errors import Refused
from client.platform.models import Ballot
from client.relay.lookups import Acknowledged, History
from tests.unit.platform.scene import Scene

if TYPE_CHECKING:
    import pytest

    from client.platform import Database

SECOND = "RegulatorMSP"


def test_a_ballot_that_the_channel_refused_is_refused_at_the_other_door_and_spoils_no_call(
    database: Database,
) -> None:
    scene = Scene(database)
    mine, others = scene.ballot(0), scene.ballot(1)
    scene.desk().accept(mine.compact)
    with database.write() as session:
        session.execute(update(Ballot).values(status="refused", code="ROLL_PROOF"))
    refused, taken = scene.desk(door=SECOND).accept_many([mine.compact, others.compact])
    assert isinstance(refused, Refused)
    assert refused.code == "ROLL_PROOF"
    assert isinstance(taken, Acknowledged)


def test_a_ballot_is_taken_by_one_door_only(database: Database) -> None:
    scene = Scene(database)
    mine, others = scene.ballot(0), scene.ballot(1)
    scene.desk().accept(mine.compact)
    refused, taken = scene.desk(door=SECOND).accept_many([mine.compact, others.compact])
    assert isinstance(refused, Refused)
    assert refused.code == "SEQ_EQUIVOCATION"
    assert isinstance(taken, Acknowledged)


def test_a_ballot_that_another_door_takes_at_the_same_moment_spoils_no_call(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL shows what another door wrote only once that is committed: the first look misses it."""
    scene = Scene(database)
    mine, others = scene.ballot(0), scene.ballot(1)
    scene.desk().accept(mine.compact)
    looks = iter([History()])
    true = History.of
    monkeypatch.setattr(History, "of", lambda *asked: next(looks, None) or true(*asked))
    refused, taken = scene.desk(door=SECOND).accept_many([mine.compact, others.compact])
    assert isinstance(refused, Refused)
    assert refused.code == "SEQ_EQUIVOCATION"
    assert isinstance(taken, Acknowledged)
    assert taken.no == 1
