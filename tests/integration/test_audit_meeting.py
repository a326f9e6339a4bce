"""The audit on the real network: a whole meeting verifies from blocks, and nothing altered passes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import AuditUnavailable
from auditor.source import OwnPeer
from client.cli.main import main
from client.relay.batch import Limits
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.unit.auditor.flipping import Flipper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

CHANNEL = "arbitration-institutiona"
LENDERS = 9


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("audit"), LENDERS)
    yield one
    one.close()


@pytest.fixture(scope="module")
def meeting(stage: Stage) -> Meeting:
    """A closed meeting in which every lender voted, in two batches at least."""
    opened = stage.open()
    relay = stage.services.relay(opened.mtg, INSTITUTION, limits=Limits(count=5, age=0.1))
    desk = stage.services.desk(opened.mtg)
    for signed in stage.ballots(opened):
        desk.accept(signed.compact)
    relay.drain(60)
    stage.clock.advance(hours=3)
    stage.step(opened.mtg, "closing")
    stage.step(opened.mtg, "closed")
    return opened


@pytest.fixture
def database(stage: Stage, meeting: Meeting, tmp_path: Path) -> Path:
    """A copy of the platform's database, for a test to alter."""
    assert meeting.mtg
    return copied(stage, tmp_path / "platform.db")


def copied(stage: Stage, target: Path) -> Path:
    with (
        contextlib.closing(sqlite3.connect(str(stage.services.database.engine.url.database))) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
    return target


def audit(capsys: pytest.CaptureFixture[str], mtg: str, path: Path, *options: str) -> tuple[int, Any, str]:
    code = main(["audit", "run", "--meeting", mtg, "--database", f"sqlite:///{path}", "--json", *options])
    output = capsys.readouterr()
    return code, json.loads(output.out) if output.out else None, output.err


def test_a_whole_meeting_is_consistent(
    home: Path, meeting: Meeting, database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = audit(capsys, meeting.mtg, database, "--report", str(tmp_path / "report.json"))
    assert (code, found["verdict"], found["discrepancies"]) == (0, "consistent", [])
    assert (found["ballots"], found["pending"], found["state"]) == (LENDERS, 0, "closed")
    assert found["tally"]["motions"]["m1"]["choices"]["reject"]["*"][0] == LENDERS // 3
    assert found["outcome"]["m2"]["passed"] is True
    assert found["snapshot"]["same_host"] is True
    report = json.loads((tmp_path / "report.json").read_text())
    same = found.keys() - {"seconds", "snapshot"}
    assert {name: report[name] for name in same} == {name: found[name] for name in same}
    assert meeting.mtg in (tmp_path / "report.html").read_text()


def test_heights_agree_with_the_official_client(
    network: LiveNetwork, home: Path, meeting: Meeting, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found, _ = audit(capsys, meeting.mtg, database)
    regulator = network.cluster.topology.org("regulator")
    assert set(found["blocks"]) == {"identity", CHANNEL}
    for channel, height in found["blocks"].items():
        answer = subprocess.run(
            [network.cluster.binaries.program("peer"), "channel", "getinfo", "-c", channel],
            env=network.cluster.peer_cli(regulator),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert json.loads(answer.stdout.split("Blockchain info: ")[1])["height"] == height


def test_a_row_changed_by_hand_is_found_and_nothing_else(
    home: Path, meeting: Meeting, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        query = "SELECT digest, choices FROM ballots WHERE mtg = ? AND ack_no = 2"
        digest, before = connection.execute(query, (meeting.mtg,)).fetchone()
        after = before.replace('"m1":"reject"', '"m1":"approve"')
        connection.execute("UPDATE ballots SET choices = ? WHERE digest = ?", (after, digest))
    code, found, error = audit(capsys, meeting.mtg, database)
    assert code == 1
    assert "1 discrepanc" in error
    assert [
        (one["kind"], one["ballot"], one["field"], one["chain"], one["platform"])
        for one in found["discrepancies"]
    ] == [("altered", digest, "choices", before, after)]


def test_a_deleted_row_and_a_changed_result(
    home: Path, meeting: Meeting, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM ballots WHERE mtg = ? AND ack_no = 3", (meeting.mtg,))
        connection.execute("UPDATE results SET result = '{}' WHERE mtg = ?", (meeting.mtg,))
    code, found, _ = audit(capsys, meeting.mtg, database)
    assert code == 1
    assert sorted(one["kind"] for one in found["discrepancies"]) == ["miscounted", "missing"]


def test_an_unknown_meeting_and_a_missing_database(
    home: Path, meeting: Meeting, database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mtg, path in (("no-such-meeting", database), (meeting.mtg, tmp_path / "none.db")):
        code, found, error = audit(capsys, mtg, path)
        assert (code, found) == (2, None)
        assert len(error.splitlines()) == 1


def test_without_a_network(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path))
    code, _, error = audit(capsys, "m", database)
    assert code == 2
    assert "network" in error


def test_a_running_meeting(
    home: Path, stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Acknowledged ballots that are not on the chain yet are pending; no choice is shown."""
    opened = stage.open()
    desk = stage.services.desk(opened.mtg)
    ballots = stage.ballots(opened)
    for signed in ballots:
        desk.accept(signed.compact)
    copy = copied(stage, tmp_path / "running.db")
    # The stage's clock stands in another year than the auditor's: patience has to reach that far.
    code, found, _ = audit(capsys, opened.mtg, copy, "--patience", str(10**9))
    assert (code, found["verdict"], found["state"]) == (0, "consistent", "open")
    assert (found["ballots"], found["pending"]) == (0, LENDERS)
    assert (found["tally"], found["outcome"]) == (None, None)
    code, found, _ = audit(capsys, opened.mtg, copy)
    assert (code, found["verdict"]) == (1, "inconsistent")
    assert [one["kind"] for one in found["discrepancies"]] == ["pending"] * LENDERS


def test_a_block_of_ballots_is_covered(network: LiveNetwork, meeting: Meeting) -> None:
    """A bit flipped anywhere in a block of ballots is refused wherever the coverage map says so."""
    assert meeting.mtg
    profile = network.profile
    with profile.gateway("RegulatorMSP", "auditor") as gateway:
        peer = OwnPeer(gateway)
        blocks = list(peer.blocks(CHANNEL, 0, peer.height(CHANNEL)))
        with pytest.raises(AuditUnavailable):
            peer.height("no-such-channel")
    genesis = bytes.fromhex(profile.channel(CHANNEL).genesis)
    largest = max(range(1, len(blocks)), key=lambda number: len(blocks[number]))
    flipper = Flipper(CHANNEL, genesis, blocks[:largest], blocks[largest])
    outcomes = {flipper.flip(span, place, bit) for span, place, bit in flipper.sample(200, 1)}
    assert outcomes == {"refused", "passed"}
