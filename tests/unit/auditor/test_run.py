"""A whole audit over blocks in memory and a real SQLite file: verdict, report, and what ends it early."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, cast

import pytest

from auditor.errors import AuditUnavailable
from auditor.replay.authority import Offices
from auditor.reporting.document import report_of
from auditor.reporting.page import to_html
from auditor.reporting.write import write_reports
from auditor.run import Roots, run_audit
from auditor.source import OwnPeer
from auditor.verdict import VerifiedMeeting
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.gateway import EvaluateError, Identity
from tests.unit.auditor.lenders import x5t
from tests.unit.auditor.meeting_player import ACK_FORM, CHANNEL, MTG, Player
from tests.unit.auditor.platform_side import SCHEMA, change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.verdict import Audit
    from auditor.view import ChainBallot, ChainMeeting
    from client.gateway import Gateway
    from tests.unit.auditor.builder import Network


class Peer:
    """A peer that holds what the player wrote."""

    def __init__(self, player: Player) -> None:
        self.chains = {"identity": player.identity, CHANNEL: player.chain}

    def height(self, channel: str) -> int:
        return len(self.chains[channel].blocks)

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        yield from self.chains[channel].blocks[start:stop]


class LatePeer(Peer):
    """A peer that shows the last block of `identity` only when it is asked for the height again and again."""

    def __init__(self, player: Player, asked: float) -> None:
        super().__init__(player)
        self.asked = asked

    def height(self, channel: str) -> int:
        if channel != "identity":
            return super().height(channel)
        self.asked -= 1
        return super().height(channel) - (self.asked >= 0)


@pytest.fixture
def player(fabric: Network) -> Player:
    one = Player(fabric).enrolled().opened()
    return one.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])


def acknowledged(player: Player, meeting: ChainMeeting, one: ChainBallot) -> str:
    """Return what the door signed: with the key that brings its batches."""
    word = Acknowledgement(meeting.mh, MTG, one.digest, one.door, one.ack_no, one.ack_time)
    return sign_acknowledgement(word, x5t(player.relay.certificate), player.relay.key).compact


def save(player: Player, path: Path) -> Path:
    """Write what an honest platform has of the player's meeting."""
    meeting = player.follow().meeting(CHANNEL, MTG)
    assert meeting is not None
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        for one in meeting.accepted.values():
            connection.execute(
                "INSERT INTO ballots (mtg, sub, seq, digest, jws, choices, claims, ses, door, ack_no,"
                " ack_time, ack_jws, status, tx, block)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'committed', ?, ?)",
                (
                    *(MTG, one.sub, one.seq, one.digest, one.jws, one.choices, one.claims, one.ses, one.door),
                    *(one.ack_no, ACK_FORM, acknowledged(player, meeting, one), one.tx, one.block),
                ),
            )
        for ses in meeting.sessions.values():
            values = [getattr(ses, name) for name in type(ses).__slots__]
            connection.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?,?,?,?,'recorded')", values)
        record = (MTG, meeting.record, meeting.mh, CHANNEL, meeting.state)
        connection.execute("INSERT INTO meetings VALUES (?,?,?,?,?)", record)
        if meeting.result:
            connection.execute("INSERT INTO results VALUES (?,?)", (MTG, meeting.result))
    connection.close()
    return path


def audited(player: Player, path: Path, mtg: str = MTG) -> Audit:
    return run_audit(Peer(player), Roots(player.genesis, Offices()), mtg, f"sqlite:///{path}")


def test_a_closed_meeting_is_consistent(player: Player, tmp_path: Path) -> None:
    player.closed()
    audit = audited(player, save(player, tmp_path / "platform.db"))
    assert (audit.verdict, audit.discrepancies, audit.pending) == ("consistent", (), 0)
    assert audit.blocks == {"identity": len(player.identity.blocks), CHANNEL: len(player.chain.blocks)}
    assert audit.heads[CHANNEL] == player.chain.header(len(player.chain.blocks) - 1).hash().hex()
    value: dict[str, Any] = json.loads(json.dumps(audit.as_json()))
    assert {"verdict", "meeting", "blocks", "ballots", "tally", "outcome", "discrepancies"} <= value.keys()
    assert {"pending", "snapshot", "seconds"} <= value.keys()
    assert value["ballots"] == 2
    assert value["snapshot"]["same_host"] is True
    assert value["outcome"]["m1"]["passed"] is False  # two lenders of seven are no participation


def test_a_changed_row_is_exactly_that_discrepancy(player: Player, tmp_path: Path) -> None:
    path = save(player.closed(), tmp_path / "platform.db")
    change(path, """UPDATE ballots SET choices = '{"m1":"reject","m2":"approve"}' WHERE ack_no = 1""")
    audit = audited(player, path)
    assert audit.meeting is None
    assert [(one.kind, one.ballot, one.field, one.chain, one.platform) for one in audit.discrepancies] == [
        (
            "altered",
            player.ballot("an").digest,
            "choices",
            '{"m1":"approve","m2":"approve"}',
            '{"m1":"reject","m2":"approve"}',
        )
    ]


def test_an_acknowledgement_is_verified_with_the_key_that_brought_the_batch(
    player: Player, tmp_path: Path
) -> None:
    path = save(player.closed(), tmp_path / "platform.db")
    assert audited(player, path).numbers["acknowledgements_unverified"] == 0
    with sqlite3.connect(path) as connection:
        (stored,) = connection.execute("SELECT ack_jws FROM ballots WHERE ack_no = 1").fetchone()
    connection.close()
    head, _, signature = stored.rpartition(".")
    change(path, f"UPDATE ballots SET ack_jws = '{head}.{signature[::-1]}' WHERE ack_no = 1")  # noqa: S608
    (finding,) = audited(player, path).discrepancies
    assert (finding.kind, finding.ballot, finding.field) == ("altered", player.ballot("an").digest, "ack_jws")
    assert finding.detail.startswith("SIGNATURE_INVALID") or finding.detail.startswith("JWS_FORMAT")


def test_the_patience_is_counted_up_to_the_snapshot(player: Player, tmp_path: Path) -> None:
    path = save(player, tmp_path / "platform.db")
    change(path, "UPDATE ballots SET status = 'queued', tx = NULL, block = NULL WHERE ack_no = 1")
    assert [one.kind for one in audited(player, path).discrepancies] == ["pending"]
    source, roots = Peer(player), Roots(player.genesis, Offices())
    patient = run_audit(source, roots, MTG, f"sqlite:///{path}", patience=10**9)
    assert (patient.verdict, patient.pending) == ("consistent", 1)


def test_another_chaincode_is_an_alarm_in_both_reports(player: Player, tmp_path: Path) -> None:
    other = player.chain.invoke(player.relay, "stranger", [b"f"], endorsers=["InstitutionAMSP"])
    number = len(player.chain.blocks)
    player.chain.add(other)
    audit = audited(player, save(player, tmp_path / "platform.db"))
    assert audit.verdict == "consistent"
    (alarm,) = audit.as_json()["alarms"]
    assert (alarm["kind"], alarm["channel"], alarm["subject"], alarm["count"]) == (
        "foreign-transaction",
        CHANNEL,
        "stranger",
        1,
    )
    assert alarm["where"].startswith(f"{CHANNEL} block {number} ")
    page = to_html(report_of(audit)).decode()
    assert "stranger" in page
    assert "Transactions of another chaincode" in page


def test_an_open_meeting_shows_no_choices(player: Player, tmp_path: Path) -> None:
    audit = audited(player, save(player, tmp_path / "platform.db"))
    assert (audit.verdict, audit.state, audit.counted) == ("consistent", "open", 2)
    assert (audit.tally, audit.outcome) == (None, None)
    assert b"approve" not in to_html(report_of(audit))


def test_a_forged_block_is_not_consistent(player: Player, tmp_path: Path) -> None:
    path = save(player, tmp_path / "platform.db")
    player.chain.blocks[-1] = player.chain.blocks[-1].replace(b"SubmitBallots", b"SubmitBallotz")
    audit = audited(player, path)
    assert audit.verdict == "inconsistent"
    assert ("unverified", "step 3") in {(one.kind, one.field) for one in audit.discrepancies}


def test_a_broken_identity_channel_ends_the_audit(player: Player, tmp_path: Path) -> None:
    path = save(player, tmp_path / "platform.db")
    del player.identity.blocks[2]
    audit = audited(player, path)
    assert [(one.kind, one.field) for one in audit.discrepancies] == [("unverified", "step 2")]
    assert audit.blocks == {"identity": 2, CHANNEL: 0}


def test_a_silent_peer_is_one_sentence() -> None:
    class Silent:
        identity = Identity("RegulatorMSP", b"")

        def network(self, channel: str) -> Any:
            raise EvaluateError(f"no connection for {channel}")

    peer = OwnPeer(cast("Gateway", Silent()))
    for ask in (lambda: peer.height("identity"), lambda: list(peer.blocks("identity", 0, 1))):
        with pytest.raises(AuditUnavailable) as error:
            ask()
        assert "own peer" in error.value.message
        assert error.value.exit_code == 2


def test_a_row_that_names_a_block_of_the_future(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.run._PEER_LAG", 0.0)
    path = save(player, tmp_path / "platform.db")
    change(path, "UPDATE ballots SET block = 99 WHERE ack_no = 1")
    assert [one.field for one in audited(player, path).discrepancies] == ["block"]


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_identity_checks_that_come_late_are_waited_for(fabric: Network, tmp_path: Path, asked: int) -> None:
    player = Player(fabric).enrolled().opened()
    path = save(player, tmp_path / "platform.db")
    audit = run_audit(LatePeer(player, asked), Roots(player.genesis, Offices()), MTG, f"sqlite:///{path}")
    assert (audit.verdict, audit.discrepancies) == ("consistent", ())
    assert audit.blocks["identity"] == len(player.identity.blocks)


def test_identity_checks_that_never_come_are_named(
    fabric: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.run._PEER_LAG", 0.0)
    player = Player(fabric).enrolled().opened()
    path = save(player, tmp_path / "platform.db")
    peer = LatePeer(player, float("inf"))
    audit = run_audit(peer, Roots(player.genesis, Offices()), MTG, f"sqlite:///{path}")
    lenders = player.scene.lenders.values()
    assert {(one.kind, one.field, one.platform) for one in audit.discrepancies} == {
        ("extra", "session", player.scene.session(one, 1).ses) for one in lenders
    }


def test_an_unknown_meeting(player: Player, tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable) as error:
        audited(player, save(player, tmp_path / "platform.db"), "no-such-meeting")
    assert error.value.exit_code == 2
    assert "no-such-meeting" in error.value.message


def test_only_the_verifier_makes_a_verified_meeting() -> None:
    with pytest.raises(TypeError):
        VerifiedMeeting(MTG, None, None, object())  # type: ignore[arg-type]


def test_a_report_that_cannot_be_written(player: Player, tmp_path: Path) -> None:
    audit = audited(player, save(player.closed(), tmp_path / "platform.db"))
    with pytest.raises(AuditUnavailable):
        write_reports(audit, tmp_path / "no-folder" / "report.json")
