"""Amendments, postponement and a second vote on the real network, with the auditor's replay of all of it."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from auditor.replay.authority import Offices
from auditor.source import OwnPeer
from auditor.verifier import Verifier
from client.cli.main import main
from client.encodings.amendment import Entitlement
from client.encodings.errors import Refused
from client.encodings.leaf import Claim
from client.errors import Negative
from client.gateway.errors import EndorseError
from client.meetings.amendments import look_up_amendments
from client.meetings.channel import look_up, wait_until
from client.meetings.profiles import motions
from client.platform.chain import refusal_code
from client.receipts import ReceiptOffice, verify
from client.services import ASSOCIATION, REGULATOR
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network
LENDERS = 6
DECISION = "ab" * 32


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("amended"), LENDERS)
    yield opened
    opened.close()


def test_an_amended_meeting_and_a_second_vote(
    stage: Stage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services, mtg = stage.services, f"m-{secrets.token_hex(5)}"
    convener, supervisor = services.convener(INSTITUTION), services.supervisor(INSTITUTION)
    roll = stage.roll(mtg)[:-1]  # the last lender is forgotten
    meeting, frozen = stage.build(mtg, roll)
    convener.propose(meeting, frozen)
    supervisor.confirm(mtg, roll)
    stage.clock.advance(minutes=1)
    stage.step(mtg, "open")
    ballots = stage.ballots(meeting)
    with services.relay(mtg, INSTITUTION) as relay:
        desk = services.desk(mtg, taken=relay.wake)
        for signed in ballots[:4]:
            desk.accept(signed.compact)
        relay.drain(60)

    came, little = stage.keys[-1], Entitlement((Claim("individual", 7_00),))
    wanted = {roll[0].leaf.sub: little, roll[3].leaf.sub: None, came.sub: little}
    made = convener.propose_amendment(mtg, wanted, reason="更正债权表", decision=DECISION)
    with pytest.raises(Negative):
        supervisor.confirm_amendment(made, roll[1:])
    assert supervisor.pending_amendment(mtg) == made
    supervisor.confirm_amendment(made, roll)

    officer = services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    wait_until(officer, mtg, lambda _: bool(look_up_amendments(officer, mtg).confirmed))
    desk = services.desk(mtg)
    taken = desk.accept(ballots[-1].compact)
    with pytest.raises(Refused) as refused:
        desk.accept(stage.ballots(meeting)[3].compact)
    assert refused.value.code == "ROLL_PROOF"
    with services.relay(mtg, INSTITUTION) as relay:
        relay.drain(60)
    office = ReceiptOffice(services.database, mtg, services.signer(), services.amendments())
    assert verify(office.issue(taken.digest).encode(), meeting).fen == 7_00

    stage.clock.advance(hours=2)
    stage.step(mtg, "closing")
    stage.step(mtg, "closed")
    result = convener.result(mtg)
    fen = 7_00 + sum(line.leaf.fen for line in roll[1:3]) + 7_00
    assert (result["ballots"], result["present"]["*"]) == (4, [4, fen])
    eligible = sum(line.leaf.fen for line in (roll[1], roll[2], roll[4])) + 2 * 7_00
    (base,) = {t["denominator"] for t in result["motions"]["m1"]["tests"] if t["base"] == "eligible"}
    assert base == eligible
    assert look_up(officer, mtg).meeting.mh == meeting.mh
    assert audited(stage, mtg, capsys) == (0, "consistent", [])

    assert [name for name, motion in result["motions"].items() if not motion["passed"]] == ["m1"]
    named = {"mtg": mtg, "mh": meeting.mh, "why": "second-vote"}
    with pytest.raises(EndorseError) as caught:
        stage.announce(replaces=named)  # m2 has passed
    assert refusal_code(caught.value) == "MEETING_REPLACES"
    assert stage.announce(replaces=named, motions=motions(["清退方案"])).motions[0].id == "m1"


def audited(stage: Stage, mtg: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, list[str]]:
    database = stage.services.database.engine.url.render_as_string()
    code = main(["audit", "run", "--meeting", mtg, "--database", database, "--json"])
    found = json.loads(capsys.readouterr().out)
    return code, found["verdict"], found["discrepancies"]


def test_a_postponed_meeting_is_held_in_the_place_of_the_void_one(stage: Stage) -> None:
    first = stage.announce()
    named = {"mtg": first.mtg, "mh": first.mh, "why": "postponed"}
    with pytest.raises(EndorseError) as caught:
        stage.announce(replaces=named)
    assert refusal_code(caught.value) == "MEETING_REPLACES"
    stage.step(first.mtg, "void", reason="延期召开")
    second = stage.announce(replaces=named)
    with pytest.raises(EndorseError) as caught:
        stage.announce(replaces=named)  # one meeting alone is in its place
    assert refusal_code(caught.value) == "MEETING_REPLACES"
    there = look_up(stage.services.arbitration(REGULATOR, "officer", INSTITUTION), second.mtg)
    assert (there.state, there.meeting.replaces and there.meeting.replaces.mtg) == ("announced", first.mtg)


def test_the_auditor_replays_all_of_it(stage: Stage) -> None:
    genesis = stage.services.genesis(INSTITUTION)
    verifier = Verifier({name: bytes.fromhex(value) for name, value in genesis.items()}, Offices())
    with stage.services.profile.gateway(REGULATOR, "auditor") as gateway:
        peer = OwnPeer(gateway)
        for channel in ("identity", "arbitration-institutiona"):
            verifier.follow(channel, peer.blocks(channel, 0, peer.height(channel)))
            assert [str(one) for one in verifier.findings(channel)] == []
