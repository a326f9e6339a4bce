"""The verification service on the real network: pages over real blocks, and the second door into them."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from auditor.portal.service import Service
from client.cli.main import main
from client.encodings import base64url, certificates
from client.encodings.objection_ack import parse_objection_acknowledgement
from client.platform.registers import load_meeting, roll_entries
from client.receipts import ReceiptOffice
from client.relay.batch import Limits
from client.relay.errors import DeskBusy
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

LENDERS = 8


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("portal"), LENDERS)
    yield one
    one.close()


@pytest.fixture
def service(network: LiveNetwork, stage: Stage, tmp_path: Path) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    with Service(network.profile, url, clock=stage.clock) as one:
        yield one


class Pages:
    """What anybody gets from the service about one meeting, after it looked at its peer once more."""

    def __init__(self, service: Service, stage: Stage, meeting: Meeting) -> None:
        self.service, self.stage, self.meeting = service, stage, meeting
        self.client = service.app.test_client()
        self.path = f"/meetings/institutiona/{meeting.mtg}"

    def refresh(self) -> Any:
        facts = self.service.watcher.refresh()
        value = self.client.get(f"/api{self.path}").get_json()
        # Other meetings on this channel were held by cheats.
        assert (facts.trouble, value["findings"]) == ("", [])
        return value

    def page(self) -> str:
        response = self.client.get(self.path, headers={"Accept-Language": "en"})
        assert response.status_code == 200
        return response.get_data(as_text=True)

    def place(self, sub: str) -> dict[str, Any]:
        """The leaf and path that the lender's invitation carries."""
        database = self.stage.services.database
        index, leaf = roll_entries(database, self.meeting.mtg, {sub})[sub]
        tree = load_meeting(database, self.meeting.mtg).tree
        path = [base64url.encode(node) for node in tree.path(index)]
        return {"leaf": leaf.as_json(), "index": index, "path": path}

    def hand_in(self, signed: SignedBallot, **more: str) -> tuple[int, Any]:
        body = {"v": 1, "ballot": signed.compact, "proof": self.place(signed.ballot.sub)} | more
        response = self.client.post(f"/api{self.path}/ballots", json=body)
        return response.status_code, response.get_json()

    def no_vote(self, sub: str, place: dict[str, Any] | None = None) -> tuple[int, str]:
        form = {"place": json.dumps(place or self.place(sub))}
        response = self.client.post(f"{self.path}/no-vote", data=form, headers={"Accept-Language": "en"})
        return response.status_code, response.get_data(as_text=True)


def test_a_meeting_on_the_pages_and_through_the_second_door(
    stage: Stage, service: Service, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meeting = stage.open()
    pages = Pages(service, stage, meeting)
    ballots = stage.ballots(meeting)
    unwanted, waiting, in_hand, late = ballots[4:]
    desk = stage.services.desk(meeting.mtg)
    for signed in ballots[:4]:
        desk.accept(signed.compact)
    stage.services.relay(meeting.mtg, INSTITUTION, limits=Limits(count=10, age=0.1)).drain(60)
    take_while_open(pages, unwanted, late)

    # The close: one acknowledged by this door waits, one by the platform's never left it.
    assert pages.hand_in(waiting)[0] == 202
    word = desk.accept(in_hand.compact).ack
    stage.clock.advance(hours=3)
    stage.step(meeting.mtg, "closing")
    take_while_closing(pages, in_hand, word, late)

    stage.step(meeting.mtg, "closed")
    value = pages.refresh()
    assert (value["state"], value["turnout"]["ballots"], value["findings"]) == ("closed", 7, [])
    assert value["motions"][1]["choices"][0][:2] == ["approve", 7]
    assert "approve" in pages.page()
    assert pages.hand_in(late)[1]["code"] == "MEETING_NOT_OPEN"
    check_no_vote(pages, unwanted.ballot.sub, late.ballot.sub)
    check_receipt(pages, ballots[0].digest)
    objects(pages)
    audit(pages, in_hand.digest, tmp_path / "platform.db", capsys)


def take_while_open(pages: Pages, unwanted: SignedBallot, late: SignedBallot) -> None:
    """Turnout and no choice; what the platform's door turns away, the Regulator's brings to the chain."""
    value = pages.refresh()
    assert (value["turnout"]["ballots"], value["motions"], value["state"]) == (4, None, "open")
    assert "approve" not in pages.page()
    stage, meeting = pages.stage, pages.meeting
    with pytest.raises(DeskBusy):
        stage.services.desk(meeting.mtg, bound=0).accept(unwanted.compact)
    status, word = pages.hand_in(unwanted)
    assert (status, word["number"], word["status"]) == (202, 1, "queued")
    assert pages.service.carrier.carry() == 0
    assert pages.refresh()["turnout"]["ballots"] == 5
    status, word = pages.hand_in(unwanted)
    assert (status, word["status"], word["number"]) == (200, "accepted", 1)
    votes = {"m1": "approve", "m2": "approve"}
    foreign = stage.keys[7].sign(meeting, votes, ses=unwanted.ballot.ses, iat=stage.clock())
    assert foreign.ballot.sub == late.ballot.sub
    assert pages.hand_in(foreign)[1]["code"] == "SESSION_FOREIGN_LENDER"


def take_while_closing(pages: Pages, in_hand: SignedBallot, word: str, late: SignedBallot) -> None:
    """What was acknowledged in time reaches the chain, by whichever door; what wasn't, is late."""
    assert pages.refresh()["state"] == "closing"
    status, refused = pages.hand_in(late)
    assert (status, refused["code"]) == (422, "BALLOT_LATE")
    assert pages.hand_in(in_hand, acknowledgement=word)[0] == 202
    assert pages.service.carrier.carry() == 0
    second = pages.refresh()["second_door"]
    assert (second["accepted_on_chain"], second["taken"], second["queued"]) == (3, 3, 0)
    assert second["platform_acknowledged"] == 1
    assert "approve" not in pages.page()


def check_no_vote(pages: Pages, voter: str, silent: str) -> None:
    assert "Ballots cast in your name: 1" in pages.no_vote(voter)[1]
    assert "No ballot was cast in your name" in pages.no_vote(silent)[1]
    wrong = pages.place(silent)
    wrong["leaf"]["salt"] = "A" * 22
    assert pages.no_vote(silent, wrong)[0] == 403


def check_receipt(pages: Pages, digest: str) -> None:
    """A platform's receipt on the page."""
    services = pages.stage.services
    office = ReceiptOffice(services.database, pages.meeting.mtg, services.signer())
    checked = pages.client.post("/api/check", data=office.issue(digest).encode()).get_json()
    assert (checked["genuine"], checked["good"], checked["status"]) == (True, True, "stands")
    code = pages.client.post("/api/check", data=checked["code"]).get_json()
    assert (code["good"], code["block"]) == (True, checked["block"])


def objects(pages: Pages) -> None:
    """An objection is acknowledged before the chain has it, and comes there with the time of that word."""
    pages.stage.step(pages.meeting.mtg, "objections")
    pages.refresh()
    obj, evidence = base64url.encode(b"o" * 16), base64url.encode(b"e" * 32)
    key = pages.stage.keys[0]
    signed = key.sign_objection(pages.meeting, obj, "count", evidence=evidence, iat=pages.stage.clock())
    route = f"/api{pages.path}/objections"
    word = pages.client.post(route, json={"v": 1, "objection": signed.compact}).get_json()
    assert (word["obj"], word["status"]) == (obj, "queued")
    ack = parse_objection_acknowledgement(word["acknowledgement"])
    ack.verify(certificates.public_key(base64.b64decode(word["certificate"])))
    ack.verify_for(signed)
    assert pages.service.carrier.carry() == 0
    (filed,) = pages.refresh()["objections"]
    assert (filed["obj"], filed["door"], filed["ack_time"]) == (obj, "RegulatorMSP", ack.ack.time)
    settled = pages.client.get(f"{route}/{obj}").get_json()
    assert (settled["status"], settled["tx"]) == ("accepted", filed["tx"])


def audit(pages: Pages, owed: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit counts the second door's ballots, and names the one that the platform owed the chain."""
    with pages.stage.services.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("ROLLBACK")
        connection.execute(text("VACUUM INTO :file"), {"file": str(copy)})
    capsys.readouterr()
    arguments = ["--meeting", pages.meeting.mtg, "--database", f"sqlite:///{copy}", "--json"]
    code = main(["audit", "run", *arguments])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["numbers"]["second_door"]) == (1, 3)
    assert {one["ballot"] for one in said["discrepancies"]} == {owed}


def test_the_command_serves_until_it_is_told_to_stop(home: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "CONCORDAT_AUDIT_DATABASE_URL": f"sqlite:///{tmp_path / 'audit.db'}"}
    command = [sys.executable, "-m", "client.cli.main", "audit", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            status: dict[str, Any] = {}

            def caught_up() -> bool:
                try:
                    with urllib.request.urlopen(f"{address}api/status", timeout=30) as response:  # noqa: S310
                        status.update(json.load(response))
                except urllib.error.HTTPError as error:
                    error.close()
                    if error.code != 429:
                        raise
                    return False  # asked too often
                return not status["behind"]

            wait_until(caught_up, "the service caught up")
            assert (status["behind"], status["trouble"]) == (False, False)
            assert status["blocks"]["identity"] > 0
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
